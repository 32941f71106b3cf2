"""One file for each way to get the configuration file wrong, with exactly what is said about it."""

from pathlib import Path

import pytest

from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load
from cpanel_mail_exporter.config.problems import ConfigError

BAD = Path(__file__).parent / "bad"
ENVIRON = {
    "WEB1_TOKEN": "EXAMPLETOKEN",
    "EMPTY_TOKEN": "",
    "SPACED_TOKEN": "EXAMPLE TOKEN",
    "WIDE_TOKEN": "EXAMPLEÜTOKEN",
    "BROKEN_TOKEN": "EXAMPLE\r\nX: y",
}
TOP_KEYS = (
    "servers, server_label, poll_interval, request_timeout, stale_after, user_stats, email_logs, "
    "delivery_events, mail_queue, accounts, unique_recipients, services, server_info, spam_runs, "
    "families, storage, bounces"
)

SENTENCES: dict[str, list[str]] = {
    "alias_bomb": [
        f"FILE:1: unknown key 'a'; known here: {TOP_KEYS}",
        f"FILE:2: unknown key 'b'; known here: {TOP_KEYS}",
        "FILE:2: b[0]: is an alias ('*'), which isn't supported; write it out",
        "FILE:2: b[1]: is an alias ('*'), which isn't supported; write it out",
        f"FILE:3: unknown key 'c'; known here: {TOP_KEYS}",
        "FILE:3: c[0]: is an alias ('*'), which isn't supported; write it out",
        "FILE:3: c[1]: is an alias ('*'), which isn't supported; write it out",
        "FILE:4: servers: is an alias ('*'), which isn't supported; write it out",
    ],
    "aliases": [
        "FILE:6: servers[1]: is an alias ('*'), which isn't supported; write it out",
    ],
    "complex_key": [
        "FILE:5: has a key that isn't plain text; write a word",
    ],
    "control_character": [
        "FILE:5: holds a control character; remove it",
    ],
    "deep": [
        (
            "FILE:1: isn't valid YAML: it is nested more than 20 deep; mend the text here or "
            "just above"
        ),
    ],
    "durations": [
        "FILE:5: poll_interval: 500ms is too short; write 1s or more",
        "FILE:6: request_timeout: 0 leaves no time at all; write a duration such as 30s",
        "FILE:7: stale_after: '1x' isn't a duration; write one such as 90s, 1h30m or 500ms",
    ],
    "empty": [
        "FILE: is empty; see docs/reference/configuration.md for an example",
    ],
    "empty_servers": [
        "FILE:1: servers: is empty; name at least one server",
    ],
    "empty_types": [
        (
            "FILE:5: email_logs.types: names no kind of delivery; name one or more, or write "
            "window: off"
        ),
        "FILE:6: user_stats: is a true or false, not a mapping; write it as 'key: value' lines",
    ],
    "endpoints": [
        "FILE:2: servers[0].endpoint: the endpoint is empty; write HOST or HOST:PORT",
        "FILE:3: servers[1].endpoint: an IPv6 address stands in brackets; write [2001:db8::1]:2087",
        (
            "FILE:4: servers[2].endpoint: the port isn't a number from 1 to 65535; write one "
            "such as HOST:2087"
        ),
        (
            "FILE:5: servers[3].endpoint: the endpoint holds an '@'; give host and port "
            "alone, and user and token by themselves"
        ),
        "FILE:6: servers[4].endpoint: the endpoint holds a path or a query; write HOST:PORT alone",
        (
            "FILE:7: servers[5].endpoint: the endpoint's scheme is neither https:// nor "
            "http://; write HOST:PORT"
        ),
        (
            "FILE:8: servers[6].endpoint: the endpoint holds a space or isn't readable text; "
            "write HOST or HOST:PORT"
        ),
        (
            "FILE:9: servers[7].endpoint: the host ends in a number and isn't an IPv4 "
            "address; check its four numbers"
        ),
        (
            "FILE:10: servers[8].endpoint: what stands in brackets isn't an IPv6 address; "
            "write [2001:db8::1]"
        ),
    ],
    "email_logs": [
        (
            "FILE:7: email_logs.labels: 'recipent' isn't a label of email_logs; did you mean "
            "'recipient'?"
        ),
        "FILE:8: email_logs.privacy: 'none' is no privacy; write full, hash or domain",
        "FILE:10: email_logs.where.type: says the same as email_logs.types; keep one of them",
        (
            "FILE:11: email_logs.where.domain: '*.example.com' isn't a mail domain; write whole "
            "ones, such as example.com"
        ),
        (
            "FILE:12: email_logs.where.user: names nothing, so that nothing would fit; name one "
            "or more, or remove it"
        ),
        (
            "FILE:13: email_logs.where.direction: 'outgoing' isn't a way that mail goes; did you "
            "mean 'outbound'?"
        ),
        "FILE:14: email_logs.where.not_domain: 'a.example' stands twice; keep one",
        "FILE:15: email_logs.where.not_user: '' can't be a label's value; write another one",
        (
            "FILE:16: email_logs.where: unknown key 'host'; known here: type, domain, user, "
            "direction, not_domain, not_user"
        ),
    ],
    "email_logs_where": [
        "FILE:5: email_logs.where: is a list, not a mapping; write it as 'key: value' lines",
        (
            "FILE:5: email_logs.labels: is a text, not a list; write [a, b] or lines that begin "
            "with '-'"
        ),
    ],
    "families": [
        (
            "FILE:5: user_stats.window: '1500ms' is no window; a duration of 1s or more in "
            "whole seconds is"
        ),
        (
            "FILE:5: user_stats.labels: 'user' isn't a label that can be added; choose of "
            "owner, primary_domain"
        ),
        (
            "FILE:6: email_logs.window: '0s' is no window; a duration of 1s or more in whole "
            "seconds is"
        ),
        (
            "FILE:6: email_logs.types[2]: is a whole number, not a text; put it in quotes if "
            "it is meant as text"
        ),
        "FILE:6: email_logs.max_series: '-1' isn't a plain whole number; write 0 or more",
        "FILE:6: email_logs.max_series_total: '0x10' isn't a plain whole number; write 0 or more",
        (
            "FILE:7: delivery_events.enabled: is a whole number, not a true or false; write true "
            "or false, without quotes"
        ),
        (
            "FILE:7: delivery_events.backfill: is a text, not a true or false; write true or "
            "false, without quotes"
        ),
        "FILE:7: delivery_events.look_back: 23h isn't within 1d to 30d; write one such as 5d",
        "FILE:7: delivery_events.user_series: '-2' isn't a plain whole number; write 0 or more",
        "FILE:7: delivery_events: unknown key 'series'; did you mean 'user_series'?",
    ],
    "half_surrogate": [
        "FILE:2: servers[0].name: holds a line break or control character; remove it",
    ],
    "impossible_escape": [
        "FILE:1: isn't valid YAML: it holds an impossible escape; mend it",
    ],
    "key_twice": [
        "FILE:6: servers[0]: 'name' stands here again, first in line 2; keep one",
        "FILE:8: 'poll_interval' stands here again, first in line 7; keep one",
    ],
    "labels": [
        "FILE:5: servers[0].labels: holds more than 4 labels; keep 4",
        (
            "FILE:5: servers[0].labels: 'job' is set by Prometheus or by the exporter; "
            "choose another name"
        ),
        (
            "FILE:5: servers[0].labels: '1x' can't be a label's name; use letters, digits "
            "and '_', and no digit at the start"
        ),
        (
            "FILE:5: servers[0].labels: '__a' begins with '__', which Prometheus keeps for "
            "itself; rename it"
        ),
        (
            "FILE:5: servers[0].labels: 'domain' is a label of the exporter's own families; "
            "choose another name"
        ),
        (
            "FILE:5: servers[0].labels: 'server' is set by Prometheus or by the exporter; "
            "choose another name"
        ),
        (
            "FILE:9: servers[1].labels.region: is a whole number, not a text; put it in "
            "quotes if it is meant as text"
        ),
        (
            "FILE:9: servers[1].labels.zone: is a true or false, not a text; put it in "
            "quotes if it is meant as text"
        ),
        "FILE:9: servers[1].labels.tier: is empty, which Prometheus takes for no label; remove it",
        (
            "FILE:9: servers[1].labels: 'instance' is set by Prometheus or by the exporter; "
            "choose another name"
        ),
    ],
    "list_at_top": [
        "FILE:1: is a list, not a mapping; write it as 'key: value' lines",
    ],
    "missing_keys": [
        "FILE:2: servers[0]: has no 'name'; add 'name: NAME'",
        "FILE:2: servers[0]: has no 'endpoint'; add 'endpoint: HOST:PORT'",
        "FILE:2: servers[0]: has no token; add 'token_file: FILE' or 'token_env: NAME'",
    ],
    "names": [
        "FILE:2: servers[0].name: a server's name has 1 to 100 characters; choose such a name",
        (
            "FILE:3: servers[1].name: a server's name can't hold '/' or control characters; "
            "leave them out"
        ),
        "FILE:5: servers[3].name: the name 'web1' is taken in line 4; give each server its own",
        "FILE:6: servers[4].name: holds a line break or control character; remove it",
        "FILE:7: servers[5].name: a server's name has 1 to 100 characters; choose such a name",
    ],
    "no_servers": [
        "FILE:1: names no servers; add 'servers:' and a list below it",
    ],
    "not_utf8": [
        "FILE:5: isn't UTF-8 text; save the file as UTF-8",
    ],
    "only_comments": [
        "FILE: is empty; see docs/reference/configuration.md for an example",
    ],
    "open_quote": [
        (
            "FILE:3: isn't valid YAML: found unexpected end of stream; mend the text here or "
            "just above"
        ),
    ],
    "server_as_text": [
        "FILE:2: servers[0]: is a text, not a mapping; write it as 'key: value' lines",
    ],
    "server_label_with_two": [
        (
            "FILE:6: server_label: without the label 'server' several servers can't be told "
            "apart; write true"
        ),
    ],
    "servers_as_mapping": [
        "FILE:2: servers: is a mapping, not a list; write [a, b] or lines that begin with '-'",
    ],
    "servers_without_value": [
        "FILE:1: servers: has no value; write one, or remove the key",
    ],
    "stale_after_too_short": [
        (
            "FILE:6: stale_after: 1m30s is shorter than the poll interval of 2m, so gauges "
            "would vanish between polls; write 3 intervals or more"
        ),
    ],
    "storage": [
        "FILE:5: storage.path: isn't a path; write that of a file or folder",
        "FILE:5: storage: unknown key 'folder'; known here: path",
        "FILE:6: delivery_events: is a text, not a mapping; write it as 'key: value' lines",
    ],
    "syntax": [
        (
            "FILE:3: isn't valid YAML: expected <block end>, but found '<block mapping "
            "start>'; mend the text here or just above"
        ),
    ],
    "tabs": [
        "FILE:2: a tab stands where YAML wants spaces; indent with spaces",
    ],
    "tags": [
        "FILE:2: servers[0]: has a tag ('!') that isn't supported; remove it",
        "FILE:3: poll_interval: has a tag ('!') that isn't supported; remove it",
    ],
    "text_at_top": [
        "FILE:1: is a text, not a mapping; write it as 'key: value' lines",
    ],
    "tls_files": [
        (
            "FILE:5: servers[0].tls_config.ca_file: can't read FOLDER/missing.pem: no such "
            "file or directory; check the path, and that the exporter's user may read it"
        ),
        (
            "FILE:5: servers[0].tls_config.server_name: the host name holds what no name may "
            "hold; use letters, digits, '-' and dots"
        ),
        (
            "FILE:9: servers[1].tls_config.ca_file: FILE holds no certificate in PEM form; "
            "give the file with BEGIN CERTIFICATE"
        ),
        (
            "FILE:9: servers[1].tls_config.insecure_skip_verify: is a text, not a true or "
            "false; write true or false, without quotes"
        ),
    ],
    "tokens": [
        "FILE:2: servers[0]: has no token; add 'token_file: FILE' or 'token_env: NAME'",
        (
            "FILE:3: servers[1].token_env: token_file and token_env stand side by side; keep "
            "one of them"
        ),
        (
            "FILE:4: servers[2].token_file: can't read FOLDER/missing.token: no such file or "
            "directory; check the path, and that the exporter's user may read it"
        ),
        (
            "FILE:5: servers[3].token_file: can't read FOLDER: is a directory; check the "
            "path, and that the exporter's user may read it"
        ),
        (
            "FILE:6: servers[4].token_env: the variable named here is not set; set it where "
            "the exporter is started"
        ),
        (
            "FILE:7: servers[5].token_env: the variable named here is empty; set it where "
            "the exporter is started"
        ),
        (
            "FILE:8: servers[6].token_env: the token holds a space, a line break or a "
            "control character; give the token alone"
        ),
        (
            "FILE:9: servers[7].token_env: the token holds a character that isn't ASCII; "
            "copy it from WHM again"
        ),
        (
            "FILE:10: servers[8].token_env: the token holds a space, a line break or a "
            "control character; give the token alone"
        ),
        (
            "FILE:11: servers[9].token_file: looks like a token, not like a path; write the "
            "token into a file and give its path"
        ),
    ],
    "two_documents": [
        "FILE:5: a second document begins here ('---'); keep one in a file",
    ],
    "types_twice": [
        "FILE:5: email_logs.types: 'defer' stands twice; keep one",
    ],
    "unknown_keys": [
        "FILE:3: servers[0]: unknown key 'user_name'; did you mean 'user'?",
        "FILE:6: unknown key 'poll_intervall'; did you mean 'poll_interval'?",
        "FILE:7: unknown key 'stale_aft'; did you mean 'stale_after'?",
        f"FILE:8: unknown key 'xyzzy'; known here: {TOP_KEYS}",
    ],
    "users_and_zones": [
        (
            "FILE:5: servers[0].user: isn't a WHM user name; write 1 to 100 letters, digits "
            "or signs, without ':' and spaces"
        ),
        (
            "FILE:6: servers[0].timezone: there is no time zone 'Europe/Berlim'; did you "
            "mean 'Europe/Berlin'?"
        ),
    ],
    "wrong_types": [
        (
            "FILE:2: servers[0].name: is a whole number, not a text; put it in quotes if it "
            "is meant as text"
        ),
        "FILE:3: servers[0].endpoint: is a list, not a text; write one text",
        "FILE:4: servers[0].user: is a mapping, not a text; write one text",
        (
            "FILE:5: servers[0].token_env: is a true or false, not a text; put it in quotes "
            "if it is meant as text"
        ),
        (
            "FILE:6: servers[0].timezone: is a date, not a text; put it in quotes if it is "
            "meant as text"
        ),
        (
            "FILE:7: servers[0].tls_config: is a true or false, not a mapping; write it as "
            "'key: value' lines"
        ),
        "FILE:8: servers[0].labels: is a list, not a mapping; write it as 'key: value' lines",
        "FILE:9: server_label: is a text, not a true or false; write true or false, without quotes",
        (
            "FILE:10: poll_interval: is a whole number, not a duration; write one with its "
            "unit, such as 60s"
        ),
        (
            "FILE:11: request_timeout: is a number, not a duration; write one with its unit, "
            "such as 60s"
        ),
        "FILE:12: stale_after: has no value; write one, or remove the key",
        (
            "FILE:13: user_stats.window: is a true or false, not a window; write today, a "
            "duration such as 24h, or off"
        ),
        (
            "FILE:13: user_stats.labels: is a text, not a list; write [a, b] or lines that "
            "begin with '-'"
        ),
        (
            "FILE:14: email_logs.window: is a whole number, not a window; write today, a "
            "duration such as 24h, or off"
        ),
        (
            "FILE:14: email_logs.types: is a text, not a list; write [a, b] or lines that "
            "begin with '-'"
        ),
        (
            "FILE:14: email_logs.max_series: is a text, not a whole number; write a number "
            "without quotes"
        ),
        (
            "FILE:14: email_logs.max_series_total: is a text, not a whole number; write a "
            "number without quotes"
        ),
    ],
}


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_each_bad_file_gets_exactly_its_sentences_in_the_files_order(name: str) -> None:
    file = BAD / f"{name}.yml"
    with pytest.raises(ConfigError) as caught:
        load(
            parse(["check-config", str(file)], {}),
            ENVIRON,
            reserved_labels=frozenset({"domain", "user"}),
        )
    said = str(caught.value).replace(str(file), "FILE").replace(str(BAD), "FOLDER")
    assert said.splitlines() == SENTENCES[name]


def test_every_bad_file_has_its_sentences() -> None:
    assert {file.stem for file in BAD.glob("*.yml")} == set(SENTENCES)
