"""What holds for any text that is given as configuration."""

import tempfile
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.config.durations import format_duration, parse_duration, parse_window
from cpanel_mail_exporter.config.endpoint import parse_endpoint, parse_listen
from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load
from cpanel_mail_exporter.config.options import FLAGGED, OPTIONS
from cpanel_mail_exporter.config.problems import ConfigError, Problems
from cpanel_mail_exporter.config.token_file import parse_token
from cpanel_mail_exporter.config.tree import parse_tree
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.window import Rolling

COMMANDS = ("once", "check-config", "demo", "--")
VARIABLES = [name for option in FLAGGED for name in option.variables]

texts = st.text(st.characters(codec=None)) | st.text("0123456789ywdhms[]:/.@%-_xX ", max_size=40)
whm_tokens = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=32, max_size=32)
# The mark can't be part of a message by chance, as a few characters can.
MARK = "~Q7~"
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
any_tokens = st.builds("{}~Q7~{}".format, visible, visible)
ports = st.integers(1, 65535)
labels = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,10}[a-z0-9])?", fullmatch=True)
names = (
    st.lists(labels, min_size=1, max_size=4)
    .map(".".join)
    .filter(lambda name: not name.rpartition(".")[2].isdigit())
)
hosts = names | st.ip_addresses().map(str)


@settings(deadline=None)
@given(st.builds(Endpoint, st.sampled_from(["https", "http"]), hosts, ports))
def test_an_endpoint_is_read_back_from_its_url(endpoint: Endpoint) -> None:
    assert parse_endpoint(endpoint.url) == endpoint
    assert parse_endpoint(f"{endpoint.url}/") == endpoint
    https = Endpoint("https", endpoint.host, endpoint.port)
    assert parse_endpoint(endpoint.authority) == https


@settings(deadline=None)
@given(texts)
def test_any_text_is_an_endpoint_that_stays_itself_or_a_value_error(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except ValueError as error:
        _check_sentence(error)
        return
    assert endpoint.host.isascii()
    assert parse_endpoint(endpoint.url) == endpoint


@settings(deadline=None)
@given(st.integers(0, 292 * 365 * 86_400_000))
def test_a_duration_is_read_back_to_the_millisecond(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds


@settings(deadline=None)
@given(texts)
def test_any_text_is_a_value_or_a_value_error_of_one_sentence(text: str) -> None:
    parsers = [option.parse for option in OPTIONS]
    for parser in [*parsers, parse_duration, parse_window, parse_listen, parse_token]:
        try:
            value = parser(text)
        except ValueError as error:
            _check_sentence(error)
        else:
            if isinstance(value, Rolling):
                assert value.seconds >= 1


@settings(deadline=None)
@given(st.binary() | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_tree_or_problems(data: bytes) -> None:
    problems = Problems()
    if parse_tree(data, "FILE", problems) is None:
        with pytest.raises(ConfigError):
            problems.raise_any()


YAML_WORDS = [": ", "- ", "\n", "\n  ", "\t", "---\n", ":", "{", "}", "[", "]", ",", "?", "#", "%"]
YAML_WORDS += ["servers", "name", "email_logs", "off", "1", "0x1", "2025-01-01", "null", "~", "..."]
YAML_WORDS += [
    "&a",
    "*a",
    "!!int",
    "!t",
    "<<",
    "'",
    '"',
    "|",
    ">",
    "\\UFFFFFFFF",
    "\\ud800",
    "\x07",
]
YAML_WORDS += ["\u2028", "\x85", "\x07"]
yaml_pieces = st.lists(st.sampled_from(YAML_WORDS)).map("".join)


@settings(deadline=None)
@given(yaml_pieces)
def test_any_file_is_settings_or_problems_of_one_line_each(text: str) -> None:
    _refused_file(text)


flags = st.sampled_from([f"{dash}{f}" for o in FLAGGED for f in o.flags for dash in ("-", "--")])
words = texts | flags | st.builds("{}={}".format, flags, texts) | st.sampled_from(COMMANDS)


@settings(deadline=None)
@given(st.lists(words, max_size=6), st.dictionaries(st.sampled_from(VARIABLES), texts, max_size=3))
def test_any_command_line_is_settings_or_problems(line: list[str], environ: dict[str, str]) -> None:
    _refused_line([word for word in line if not word.startswith("-h")], environ)


PLACES = (
    "servers: [{name: a, endpoint: h, token_file: 'T'}]",
    "servers: [{name: a, endpoint: h, token_env: 'T'}]",
    "servers: [{name: a, endpoint: h, token: 'T'}]",
    "servers: [{name: a, endpoint: 'https://root:T@h', token_env: X}]",
    "servers: [{name: a, endpoint: h, user: 'whm root:T', token_env: X}]",
    "servers: [{name: a, endpoint: h, token_env: [{'T': 'T'}]}]",
    "servers: [{name: a, endpoint: h, token_env: *T }]",
)
WHM_PLACES = (
    *PLACES,
    "servers: [{name: a, endpoint: 'T', T: 1, 'T': 2, labels: {T: 1, '1T': x}}]",
    "servers:\n  - name: a\n    token_env:T\n",
    "poll_interval: T\nemail_logs: {types: [T], window: T, max_series: 'T'}\nserver_label: T\n",
    "T: [*a, !t x]\nservers: T\n",
)


@settings(deadline=None)
@given(whm_tokens, st.sampled_from(WHM_PLACES))
def test_a_token_of_whms_shape_is_not_shown_wherever_it_was_written(token: str, text: str) -> None:
    assert token not in (_refused_file(text.replace("T", token)) or "")


@settings(deadline=None)
@given(any_tokens, st.booleans())
def test_no_token_is_shown_whether_it_is_accepted_or_not(token: str, spoilt: bool) -> None:
    text = f"{token} {MARK}" if spoilt else token
    for line, environ in (
        ([f"--apikey={text}"], {}),
        ([f"--apikey={text}", f"--api-key={text}"], {}),
        ([f"--endpoint=https://root:{text}@h"], {}),
        (["--endpoint=h", "--poll.interval=x"], {"CPANEL_MAIL_APIKEY": text}),
        (["--endpoint=h", f"--apikey={text}", "--apikey-file=none"], {}),
        (["--endpoint=h", f"--apikey={text}", text.lstrip("-")], {}),
    ):
        assert MARK not in _refused_line(line, environ)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "t")
        file.write_text(text)
        shown = _refused_line(["--endpoint=h", f"--apikey-file={file}", "--log.level=x"])
        assert MARK not in shown
    file_text = "servers: [{name: a, endpoint: h, token_env: X}]\n"
    assert MARK not in (_refused_file(file_text, {"X": text}) or "")


def _check_sentence(error: ValueError) -> None:
    assert type(error) is ValueError, "a sentence of our own, not one of Python's"
    assert len(str(error).splitlines()) == 1


def _refused_file(text: str, environ: dict[str, str] | None = None) -> str | None:
    """All that can be seen of what is wrong with a file, None if nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "c.yml")
        file.write_text(text, encoding="utf-8")
        try:
            invocation = parse(["check-config", str(file)], {})
            load(invocation, environ or {}, reserved_labels=frozenset())
        except ConfigError as error:
            shown = _all_that_is_seen(error)
            return shown.replace(str(file), "FILE").replace(folder, "FOLDER")
    return None


def _refused_line(line: list[str], environ: dict[str, str] | None = None) -> str:
    """All that can be seen of an invocation, its settings, or its problems."""
    try:
        invocation = parse(line, environ or {})
        return f"{invocation!r} {load(invocation, {}, reserved_labels=frozenset())!r}"
    except ConfigError as error:
        return _all_that_is_seen(error)


def _all_that_is_seen(error: ConfigError) -> str:
    lines = str(error).splitlines()
    assert len(lines) == len(error.problems)
    return "\n".join([*lines, repr(error), "".join(traceback.format_exception(error))])
