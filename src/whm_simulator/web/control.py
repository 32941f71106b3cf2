"""The control endpoint: what really happened, and what shall go wrong.

It has no login, so it must never listen on anything but loopback.
"""

import asyncio
import functools
import math
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from whm_simulator.mail.rows import FIELDS, Row
from whm_simulator.web.faults import Fault
from whm_simulator.web.server import Clock, Site

_ROWS_PER_PIECE = 1000
_encoder = msgspec.json.Encoder()


class Control:
    """Truth, faults and remembered requests of all *sites*, by server name."""

    def __init__(self, sites: Mapping[str, Site], clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    def application(self) -> web.Application:
        """The web application with all control paths."""
        application = web.Application()
        application.router.add_get("/truth", self._truth)
        application.router.add_get("/truth/totals", self._totals)
        application.router.add_get("/requests", self._requests)
        application.router.add_get("/faults", self._list_faults)
        application.router.add_post("/faults", self._set_fault)
        return application

    async def _truth(self, request: web.Request) -> web.StreamResponse:
        """All rows that exist at ``until``, by send time, as JSON lines.

        With ``since`` only those whose attempt came later than it, which leaves out what is in
        progress.
        """
        rows = await self._rows(request)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for index in range(0, len(rows), _ROWS_PER_PIECE):
            await response.write(_encoder.encode_lines(rows[index : index + _ROWS_PER_PIECE]))
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def _totals(self, request: web.Request) -> web.Response:
        """The same rows, counted by the fields named in ``by``."""
        by = request.query.get("by", "type").split(",")
        for name in by:
            if name not in FIELDS:
                raise _bad(f'There is no field "{name}" to count by.')
        rows = await self._rows(request)
        executor = self._site(request.query.get("server", "")).executor
        totals = await asyncio.get_running_loop().run_in_executor(executor, count_by, rows, by)
        return _json({"by": by, "totals": totals})

    async def _requests(self, request: web.Request) -> web.Response:
        notes = list(self._site(request.query.get("server", "")).requests)
        return web.Response(
            body=_encoder.encode_lines(notes), headers={"Content-Type": "application/x-ndjson"}
        )

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return _json([site.switch.now for site in self._sites.values()])

    async def _set_fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _bad(f"The fault can't be read: {error}.") from None
        if not 0 <= fault.seconds < math.inf:
            raise _bad('"seconds" must be 0 or more.')
        self._site(fault.server).switch.set(fault)
        return _json(fault)

    async def _rows(self, request: web.Request) -> list[Row]:
        site = self._site(request.query.get("server", ""))
        until_unix = _instant(request, "until", self._clock())
        since_unix = _instant(request, "since", -math.inf)
        rows = await asyncio.get_running_loop().run_in_executor(
            site.executor, functools.partial(site.mail.rows, until_unix)
        )
        if since_unix > -math.inf:
            rows = [row for row in rows if (row.actionunixtime or -math.inf) > since_unix]
        return rows

    def _site(self, name: str) -> Site:
        site = self._sites.get(name)
        if site is None:
            known = ", ".join(self._sites)
            raise _refusal(web.HTTPNotFound, f'There is no server "{name}"; there are: {known}.')
        return site


def count_by(rows: list[Row], by: list[str]) -> list[dict[str, Any]]:
    """For each combination of values of the fields *by*: events, messages and their bytes.

    A message with several events in one combination counts once in ``messages`` and ``bytes``.
    """
    events: dict[tuple[Any, ...], int] = {}
    sizes: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in rows:
        values = tuple(getattr(row, name) for name in by)
        events[values] = events.get(values, 0) + 1
        sizes.setdefault(values, {})[row.msgid] = row.size
    return [
        {
            **dict(zip(by, values, strict=True)),
            "events": events[values],
            "messages": len(sizes[values]),
            "bytes": sum(sizes[values].values()),
        }
        for values in sorted(events, key=lambda values: [str(value) for value in values])
    ]


def _instant(request: web.Request, name: str, default: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        instant = float(text)
    except ValueError:
        instant = math.nan
    if not math.isfinite(instant) or abs(instant) >= 2**40:
        raise _bad(f'"{name}" must be an instant in unix seconds, not "{text}".')
    return instant


def _json(value: object) -> web.Response:
    body = _encoder.encode(value) + b"\n"
    return web.Response(body=body, headers={"Content-Type": "application/json"})


def _bad(text: str) -> web.HTTPException:
    return _refusal(web.HTTPBadRequest, text)


def _refusal(kind: type[web.HTTPError], text: str) -> web.HTTPException:
    body = _encoder.encode({"error": text}).decode() + "\n"
    return kind(text=body, content_type="application/json")
