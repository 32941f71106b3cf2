"""Marked people go through the real program; with privacy nothing that it says holds a mark."""

import gzip
import json
import re
import stat
import time
import urllib.request
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_description import (
    LOGS,
    STATS,
    Running,
    StaticWhm,
    answers,
    once,
    running,
)

MARK = "zzmark"
ADDRESS = re.compile(r"203\.0\.113\.77|2001:db8::77", re.IGNORECASE)
PAGES = ("/", "/?q=zz", "/metrics", "/probe?target=TARGET", "/sd", "/-/ready", "/-/healthy")
DEBUG_PAGES = ("/debug/bounces", "/debug/cardinality", "/debug/runs", "/nothing")
FORMS = (
    {},
    {"Accept-Encoding": "gzip"},
    {"Accept": "application/openmetrics-text;version=1.0.0"},
    {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"},
)


def record(number: int, kind: str, message: str, **fields: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "actiontime": "2026-11-21 09:14:07",
        "actionunixtime": now - 30,
        "deliveredto": f"{MARK}to{number}@example.net",
        "deliverydomain": None,
        "deliveryuser": "-remote-",
        "domain": "example.com",
        "email": f"{MARK}from@example.com",
        "host": "mx1.example.net",
        "ip": "192.0.2.25",
        "message": message,
        "msgid": f"1wtYVW-0000000GFx{number}-3Ryp",
        "recipient": f"{MARK}to{number}@example.net",
        "router": "dkim_lookuphost",
        "sender": f"{MARK}from@example.com",
        "senderauth": "dovecot_login",
        "senderhost": f"([{MARK}-laptop.example.org])",
        "senderip": "203.0.113.77",
        "sendunixtime": now - 40,
        "size": 27356,
        "spamscore": 0,
        "transport": "dkim_remote_smtp",
        "transport_is_remote": 1,
        "type": kind,
        "user": "cpanel1",
        **fields,
    }


ROWS = [
    record(1, "success", "Accepted"),
    record(2, "failure", f'550 5.1.1 <{MARK}to2@example.net>: "{MARK}to2" of 2001:DB8::77 unknown'),
    record(3, "defer", f"451 4.7.1 {MARK.upper()} Smith: try again later\n{MARK}"),
    record(4, "failure", "550 no", deliveredto=f"/home/{MARK}/mail", senderauth=f"plain:{MARK}"),
    record(5, "defer", "451 no", sender=f'"{MARK} x"@example.com', router=f"r_{MARK}@example.com"),
    record(6, "failure", "550 no", sendunixtime=5, recipient=f"{MARK}@[203.0.113.77]"),
    {"msgid": [f"{MARK}"], "recipient": {MARK: 1}},
]
REFUSED = {"metadata": {"result": 0, "reason": f"mail of {MARK}@example.com can't be read"}}


def bodies() -> dict[str, bytes]:
    whole = {"data": {"records": ROWS}, "metadata": {"result": 1, "overflowed": 0}}
    return {**answers(), LOGS: json.dumps(whole).encode()}


def everything_served(program: Running, target: str) -> str:
    said = []
    for page in (*PAGES, *DEBUG_PAGES):
        for headers in FORMS:
            request = urllib.request.Request(
                f"http://{program.address}{page.replace('TARGET', target)}", headers=headers
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    body = answer.read()
                    if answer.headers["Content-Encoding"] == "gzip":
                        body = gzip.decompress(body)
            except urllib.request.HTTPError as error:
                body = error.read()
            said.append(f"{page}\n{body.decode()}")
    return "\n".join(said)


def said_with(*flags: str, storage: Path) -> tuple[str, list[str]]:
    """All that is served and logged, before and after the server fails; and lines of email_logs."""
    variables = {"CPANEL_MAIL_STORAGE_PATH": str(storage)}
    with (
        StaticWhm(bodies()).serving() as whm,
        running(
            *whm.flags, "--poll.interval", "1s", "--log.level", "debug", *flags, **variables
        ) as program,
    ):
        text = program.metrics(lambda text: "\nemail_logs" in text)
        target = f"127.0.0.1:{whm.port}"
        served = everything_served(program, target)
        whm.bodies = {**whm.bodies, STATS: json.dumps(REFUSED).encode()}
        whm.bodies[LOGS] = whm.bodies[STATS]
        program.metrics(lambda text: '{collector="email_logs",kind="api_error"} 0' not in text)
        served += everything_served(program, target)
        assert program.stop() == 0
        program.end()
    logged = "".join(program.said)
    assert "can't be read" in logged
    assert "can't be read" in served.replace("&#x27;", "'").replace("&#39;", "'")
    assert "Traceback" not in logged
    return served + logged, [line for line in text.splitlines() if line.startswith("email_logs")]


def assert_names_nobody(said: str) -> None:
    found = {line for line in said.splitlines() if MARK in line.lower() or ADDRESS.search(line)}
    assert found == set()


def test_without_privacy_marks_are_told(tmp_path: Path) -> None:
    said, lines = said_with(storage=tmp_path)
    assert len(lines) == 6
    assert all(MARK in line for line in lines)
    assert f"mail of {MARK}@example.com" in said
    assert not (tmp_path / "privacy.key").exists()


@pytest.mark.parametrize("privacy", ["hash", "domain"])
def test_with_privacy_no_page_and_no_log_line_holds_a_mark(privacy: str, tmp_path: Path) -> None:
    said, lines = said_with("--email-logs.privacy", privacy, storage=tmp_path)
    assert_names_nobody(said)
    assert len(lines) == 6
    assert all('sender_host=""' in line for line in lines) is (privacy == "domain")


def test_hashes_stay_the_same_over_starts_and_can_be_made_again_with_the_key(
    tmp_path: Path,
) -> None:
    flags = ("--email-logs.privacy=hash", "--storage.path", str(tmp_path))
    with StaticWhm(bodies()).serving() as whm:
        said = [once(*whm.flags, *flags).stdout for _ in range(2)]
    lines = [re.findall("^email_logs.*$", text, re.MULTILINE) for text in said]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 6
    file = tmp_path / "privacy.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = bytes.fromhex(file.read_text().strip())
    own = blake2b(f"{MARK}to1@example.net".encode(), key=key, digest_size=8).hexdigest()
    assert sum(f'recipient="{own}"' in line for line in lines[0]) == 1
    assert sum(f'delivered_to="{own}"' in line for line in lines[0]) == 1


def test_labels_and_where_choose_what_is_counted() -> None:
    flags = (
        "--email-logs.labels=type,domain",
        "--email-logs.where.domain=EXAMPLE.com,example.org",
        "--email-logs.where.direction=outbound",
        "--email-logs.types=defer,failure",
    )
    with StaticWhm(bodies()).serving() as whm:
        result = once(*whm.flags, *flags)
    lines = [line for line in result.stdout.splitlines() if line.startswith("email_logs")]
    assert lines == [
        'email_logs{domain="example.com",type="defer"} 2',
        'email_logs{domain="example.com",type="failure"} 3',
    ]
    assert 'cpanel_mail_series{family="email_logs"} 2\n' in result.stdout
    assert 'cpanel_mail_series_wanted{family="email_logs"} 2\n' in result.stdout
    assert 'cpanel_mail_series_limit{family="email_logs"} 50000\n' in result.stdout
