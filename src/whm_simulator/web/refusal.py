"""A request to the control endpoint that can't be followed, and readers of its query."""

import re

from aiohttp import web

_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,9})?", re.ASCII)


class Refused(Exception):
    """What is wrong with a request, in one sentence, and the status of its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def seconds_of(request: web.BaseRequest, name: str) -> float | None:
    """The query's unix seconds *name*, however far away; None if it isn't there.

    Raises:
        Refused: it is something else.
    """
    text = request.query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Refused(400, f'"{name}" must be an instant in unix seconds, not "{text}".')
    return float(text)
