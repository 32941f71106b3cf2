"""The control endpoint's paths below ``/truth``, streamed so that no answer is whole in memory.

With ``shown=1`` rows and totals are those that the server shows: as its own clock, its quirks of
rows and its faults of the data have it.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from aiohttp import web

from whm_simulator.api.quirky_mail import with_row_quirks
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Mail, Queued
from whm_simulator.web import bodies
from whm_simulator.web.clock import INSTANTS, Clock, is_instant
from whm_simulator.web.disturbed_mail import disturbed
from whm_simulator.web.orders import no_server
from whm_simulator.web.refusal import Refused, seconds_of
from whm_simulator.web.site import Site
from whm_simulator.web.truth import COUNTED_BY, Question, Totals, lines_of, slices_of

LINES = "application/x-ndjson"
_SEARCH = "emailtrack_search"
_ITEMS_PER_PIECE = 1000
_T = TypeVar("_T")
_encoder = msgspec.json.Encoder()


class _Asked(NamedTuple):
    """Whose rows, and which."""

    site: Site
    mail: Mail
    question: Question

    def slices(self) -> Iterator[list[Row]]:
        """The rows in question."""
        return slices_of(self.mail, self.question, self.site.history_seconds)


class TruthPaths:
    """Answers about what really happened on *sites*, by default until *clock* says now."""

    def __init__(self, sites: Mapping[str, Site], clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    async def rows(self, request: web.BaseRequest) -> web.StreamResponse:
        """All rows that exist at ``until``, by send time."""
        asked = self._asked(request)
        pieces = (lines_of(asked.mail, rows) for rows in asked.slices())
        return await _stream(request, asked.site, pieces)

    async def totals(self, request: web.BaseRequest) -> web.StreamResponse:
        """The same rows, counted by the fields named in ``by``."""
        asked = self._asked(request)
        site = asked.site
        by = request.query.get("by", "type").split(",")
        for name in by:
            if name not in COUNTED_BY:
                raise Refused(400, f'There is no field "{name}" to count by.')
        totals = Totals(asked.mail, by)
        loop = asyncio.get_running_loop()
        adding = bodies.off_loop(site.executor, _counted(totals, asked.slices()))
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

    def _asked(self, request: web.BaseRequest) -> _Asked:
        site = self.site(request)
        since_unix, events = seconds_of(request, "since"), _is_chosen(request, "events")
        if not _is_chosen(request, "shown"):
            return _Asked(site, site.mail, Question(self._until(request), since_unix, events))
        until_unix = self._until(request) if "until" in request.query else site.now_unix()
        faults = site.switch.of_mail(_SEARCH, self._clock())
        mail = with_row_quirks(disturbed(site.mail, faults), site.quirks)
        return _Asked(site, mail, Question(until_unix, since_unix, events))

    def _until(self, request: web.BaseRequest) -> float:
        until_unix = seconds_of(request, "until")
        if until_unix is None:
            return self._clock()
        if not is_instant(until_unix):
            raise Refused(400, f'"until" must be {INSTANTS}.')
        return until_unix


def _is_chosen(request: web.BaseRequest, name: str) -> bool:
    value = request.query.get(name, "0")
    if value not in ("0", "1"):
        raise Refused(400, f'"{name}" must be 0 or 1, not "{value}".')
    return value == "1"


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
