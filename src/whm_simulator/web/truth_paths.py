"""The control endpoint's paths below ``/truth``, streamed so that no answer is whole in memory."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from aiohttp import web

from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Queued
from whm_simulator.web import bodies
from whm_simulator.web.clock import INSTANTS, Clock, is_instant
from whm_simulator.web.orders import no_server
from whm_simulator.web.refusal import Refused, seconds_of
from whm_simulator.web.site import Site
from whm_simulator.web.truth import COUNTED_BY, Question, Totals, lines_of, slices_of

LINES = "application/x-ndjson"
_ITEMS_PER_PIECE = 1000
_T = TypeVar("_T")
_encoder = msgspec.json.Encoder()


class TruthPaths:
    """Answers about what really happened on *sites*, by default until *clock* says now."""

    def __init__(self, sites: Mapping[str, Site], clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    async def rows(self, request: web.BaseRequest) -> web.StreamResponse:
        """All rows that exist at ``until``, by send time."""
        site = self.site(request)
        slices = slices_of(site.mail, self._question(request), site.history_seconds)
        return await _stream(request, site, (lines_of(site.mail, rows) for rows in slices))

    async def totals(self, request: web.BaseRequest) -> web.StreamResponse:
        """The same rows, counted by the fields named in ``by``."""
        site = self.site(request)
        by = request.query.get("by", "type").split(",")
        for name in by:
            if name not in COUNTED_BY:
                raise Refused(400, f'There is no field "{name}" to count by.')
        totals = Totals(site.mail, by)
        loop = asyncio.get_running_loop()
        slices = slices_of(site.mail, self._question(request), site.history_seconds)
        adding = bodies.off_loop(site.executor, _counted(totals, slices))
        async for _ in adding:
            pass
        body = await loop.run_in_executor(site.executor, totals.as_json)
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    async def queue(self, request: web.BaseRequest) -> web.StreamResponse:
        """What Exim holds at ``until``, oldest first."""
        site = self.site(request)
        return await _stream(request, site, _queue_lines(site, self._until(request)))

    async def accounts(self, request: web.BaseRequest) -> web.StreamResponse:
        """Accounts of one server, or of all."""
        sites = [self.site(request)] if "server" in request.query else list(self._sites.values())
        return await _stream(request, sites[0], _account_lines(sites, self._until(request)))

    def site(self, request: web.BaseRequest) -> Site:
        """The server that a request names.

        Raises:
            UnknownServer: there is none of this name.
        """
        name = request.query.get("server", "")
        site = self._sites.get(name)
        if site is None:
            raise no_server(name, self._sites)
        return site

    def _question(self, request: web.BaseRequest) -> Question:
        since_unix = seconds_of(request, "since")
        events = request.query.get("events", "0")
        if events not in ("0", "1"):
            raise Refused(400, f'"events" must be 0 or 1, not "{events}".')
        return Question(self._until(request), since_unix, events == "1")

    def _until(self, request: web.BaseRequest) -> float:
        until_unix = seconds_of(request, "until")
        if until_unix is None:
            return self._clock()
        if not is_instant(until_unix):
            raise Refused(400, f'"until" must be {INSTANTS}.')
        return until_unix


def _counted(totals: Totals, slices: Iterator[Sequence[Row]]) -> Iterator[bytes]:
    for rows in slices:
        totals.add(rows)
        yield b""


def _queue_lines(site: Site, until_unix: float) -> Iterator[bytes]:
    for batch in _batches(site.mail.queue(until_unix)):
        yield _encoder.encode_lines([_as_of_whm(queued) for queued in batch])


def _as_of_whm(queued: Queued) -> dict[str, object]:
    """A message of the queue with the field names of ``fetch_mail_queue``."""
    fields = queued._asdict()
    fields["time"], fields["frozen"] = fields.pop("time_unix"), int(fields.pop("is_frozen"))
    return fields


def _account_lines(sites: Sequence[Site], until_unix: float) -> Iterator[bytes]:
    for site in sites:
        for batch in _batches(site.mail.accounts(until_unix)):
            yield _encoder.encode_lines([{"server": site.name, **card._asdict()} for card in batch])


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (
        items[index : index + _ITEMS_PER_PIECE] for index in range(0, len(items), _ITEMS_PER_PIECE)
    )


async def _stream(
    request: web.BaseRequest, site: Site, pieces: Iterator[bytes]
) -> web.StreamResponse:
    """Send JSON lines, each piece made off the event loop."""
    response = web.StreamResponse(headers={"Content-Type": LINES})
    return await bodies.send(request, response, bodies.off_loop(site.executor, pieces))
