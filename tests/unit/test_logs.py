"""Log lines can be read by programs, keep to one line each, and tell no secrets."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter import logs
from cpanel_mail_exporter.model.secret import Secret

FORMS = ("logfmt", "json")
AWKWARD = 'a "b" \\ = \n\r\t\x00\x1b[31m\x7f\x85\x9b\u2028\u2029\u202e ü 日本 \U0001f600'

_PAIR = re.compile(r'([a-z]+)=("(?:[^"\\]|\\.)*"|[^" =\\]+)(?: |$)')


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    others = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    handlers, levels = list(root.handlers), [logger.level for logger in (root, *others)]
    yield
    root.handlers[:] = handlers
    for logger, level in zip((root, *others), levels, strict=True):
        logger.setLevel(level)


def parsed(line: str, form: str) -> dict[str, str]:
    """The fields of one line, read as strictly as their format is defined."""
    if form == "json":
        fields = json.loads(line)
        assert all(type(value) is str for value in fields.values())
        return fields
    fields, at = {}, 0
    while at < len(line):
        pair = _PAIR.match(line, at)
        assert pair is not None, line[at:]
        key, value = pair.groups()
        assert key not in fields
        fields[key] = json.loads(value) if value.startswith('"') else value
        at = pair.end()
    return fields


def written(form: str, message: str, *args: object, **more: Any) -> str:
    """What one record becomes, without its line end."""
    formatter = logs._Json() if form == "json" else logs._Logfmt()
    level = more.pop("level", logging.INFO)
    name = more.pop("name", "cpanel_mail_exporter.app")
    exc_info = more.pop("exc_info", None)
    record = logging.LogRecord(name, level, "file.py", 1, message, args, exc_info)
    record.created = 1_795_252_447.0625
    assert not more
    return formatter.format(record)


def test_a_logfmt_line() -> None:
    assert written("logfmt", "listening on %s", "127.0.0.1:9197") == (
        'time=2026-11-21T09:14:07.062Z level=info msg="listening on 127.0.0.1:9197"'
    )
    assert written("logfmt", "stopped", level=logging.WARNING) == (
        "time=2026-11-21T09:14:07.062Z level=warning msg=stopped"
    )


def test_a_json_line() -> None:
    assert written("json", "listening on %s", "127.0.0.1:9197") == (
        '{"time": "2026-11-21T09:14:07.062Z", "level": "info", '
        '"msg": "listening on 127.0.0.1:9197"}'
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("message", ["", " ", "=", "a=b", '"', "\\", "null", "5", "ü", AWKWARD])
def test_every_message_reads_back(form: str, message: str) -> None:
    assert parsed(written(form, "%s", message), form)["msg"] == message


@given(st.text(), st.sampled_from(FORMS))
def test_any_message_is_one_printable_line_that_reads_back(message: str, form: str) -> None:
    line = written(form, "%s", message)
    assert line.isprintable()
    assert parsed(line, form)["msg"] == message


def test_letters_of_all_scripts_stay_readable() -> None:
    assert 'msg="grüße 日本 \U0001f600"' in written("logfmt", "grüße 日本 \U0001f600")


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_not_shown(form: str) -> None:
    secret = Secret("hunter2")
    for line in (
        written(form, "%s %r %5s", secret, secret, secret),
        written(form, "%s", {"token": secret}),
        written(form, f"{secret} {secret!r} {secret:>20}"),
    ):
        assert "hunter2" not in line
        assert "<secret>" in parsed(line, form)["msg"]


def raised(error: BaseException) -> Any:
    def in_this_place() -> None:
        raise error

    try:
        in_this_place()
    except type(error):
        return sys.exc_info()


@pytest.mark.parametrize("form", FORMS)
def test_an_exception_gives_its_kind_and_place_but_no_text(form: str) -> None:
    info = raised(ValueError("body with hunter2"))
    line = written(form, "failed", exc_info=info)
    assert "hunter2" not in line
    fields = parsed(line, form)
    assert list(fields) == ["time", "level", "msg", "exception", "at"]
    assert fields["exception"] == "ValueError"
    assert re.fullmatch(r"in_this_place:\d+", fields["at"])


@pytest.mark.parametrize("form", FORMS)
def test_exc_info_without_an_exception_adds_nothing(form: str) -> None:
    for info in ((None, None, None), None, False):
        line = written(form, "fine", exc_info=info)
        assert list(parsed(line, form)) == ["time", "level", "msg"]


@pytest.mark.parametrize("form", FORMS)
def test_what_asyncio_reports_tells_no_text_of_exceptions(form: str) -> None:
    """Its messages go on with the repr of a task, and that with the text of its exception."""
    message = (
        "Task exception was never retrieved\n"
        "future: <Task finished name='x' exception=ValueError('hunter2')>"
    )
    info = raised(ValueError("hunter2"))
    line = written(form, message, name="asyncio", level=logging.ERROR, exc_info=info)
    assert "hunter2" not in line
    assert parsed(line, form)["msg"] == "Task exception was never retrieved"
    assert parsed(line, form)["exception"] == "ValueError"


@pytest.mark.parametrize("form", FORMS)
def test_set_up_writes_whole_lines_to_standard_error(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("info", form)
    logging.getLogger("cpanel_mail_exporter.x").info("one\ntwo")
    logging.getLogger("cpanel_mail_exporter.x").debug("not shown")
    logging.getLogger("aiohttp.access").warning("not shown")
    logging.getLogger("asyncio").warning("not shown")
    logging.getLogger("asyncio").error("shown")
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.split("\n")
    assert lines.pop() == ""
    assert [parsed(line, form)["msg"] for line in lines] == ["one\ntwo", "shown"]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_the_level_is_the_least_that_is_written(
    level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(level, "json")
    names = ["debug", "info", "warning", "error"]
    for name in names:
        logging.getLogger("cpanel_mail_exporter").log(getattr(logging, name.upper()), name)
    said = [parsed(line, "json")["msg"] for line in capsys.readouterr().err.splitlines()]
    assert said == names[names.index(level) :]


def test_a_second_set_up_takes_the_place_of_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", "logfmt")
    logs.set_up("info", "json")
    logging.getLogger("cpanel_mail_exporter").info("once")
    assert [parsed(line, "json")["msg"] for line in capsys.readouterr().err.splitlines()] == [
        "once"
    ]


@pytest.mark.parametrize("form", FORMS)
def test_half_a_surrogate_does_not_stop_a_line(form: str) -> None:
    """Texts that were no UTF-8 (file names) hold some; standard error couldn't encode them."""
    line = written(form, "%s", "a \udcff b")
    assert line.isprintable()
    assert parsed(line, form)["msg"] == "a \udcff b"
