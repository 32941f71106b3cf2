"""Log lines on standard error, as logfmt or JSON, one record a line."""

import json
import logging
import sys
from datetime import UTC, datetime


def set_up(level: str, form: str) -> None:
    """Send the program's log records to standard error.

    Args:
        level: debug, info, warning or error.
        form: logfmt or json.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Logfmt())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What these say below an error is meant for their own developers.
    for library in ("aiohttp", "asyncio"):
        logging.getLogger(library).setLevel(logging.ERROR)


class _Logfmt(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_quoted(value)}" for key, value in _fields(record).items())


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields(record))


def _fields(record: logging.LogRecord) -> dict[str, str]:
    instant = datetime.fromtimestamp(record.created, UTC)
    message = record.getMessage()
    if record.name == "asyncio":
        # What follows its first line shows tasks, and with them the texts of exceptions.
        message = message.partition("\n")[0]
    fields = {
        "time": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "msg": message,
    }
    if record.exc_info and record.exc_info[0] is not None:
        # Where it happened, not its text: that may repeat what a server sent.
        fields["exception"] = record.exc_info[0].__name__
        frame = record.exc_info[2]
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        if frame is not None:
            fields["at"] = f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}"
    return fields


def _quoted(value: str) -> str:
    if value and value.isprintable() and not set(value) & set(' "=\\'):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join([c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted])
