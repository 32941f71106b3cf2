"""A request to the control endpoint that can't be followed, and readers of its query."""

import math

from aiohttp import web


class Refused(Exception):
    """What is wrong with a request, in one sentence, and the status of its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def instant_of(request: web.BaseRequest, name: str) -> float | None:
    """The query's instant *name* in unix seconds; None if it isn't there.

    Raises:
        Refused: it is something else.
    """
    text = request.query.get(name)
    if text is None:
        return None
    try:
        instant = float(text)
    except ValueError:
        instant = math.nan
    if not math.isfinite(instant) or abs(instant) >= 2**40:
        raise Refused(400, f'"{name}" must be an instant in unix seconds, not "{text}".')
    return instant
