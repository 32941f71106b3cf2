"""All servers together -> publications, one of everything and one for each server.

Built when a poll brought news or something became stale, never by a scrape.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from types import MappingProxyType

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.publication import (
    Publication,
    Rendered,
    assembling,
    publication,
)
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.shares import shares
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.publishing.ports import Numbers
from cpanel_mail_exporter.publishing.server_board import (
    ServerBoard,
    ServerTerms,
    rendered_families,
)

_ORDER = tuple(family.name for family in catalogue.FAMILIES)
_REST_FOR_WORK = 10.0
_LONGEST_TURN_SECONDS = 0.005
_LONGEST_WAIT_SECONDS = 3_600.0
_NO_LEDGERS: Mapping[str, Numbers] = MappingProxyType({})


class Board:
    """The publications of all servers.

    Args:
        terms: one for each server, in the order their lines stand.
        total_log_lines: the most lines of email_logs over all servers, 0 for no bound.
        own: gives the families about the exporter itself.
        ledgers: counted events by server, for those that have them counted.
    """

    def __init__(
        self,
        terms: Sequence[ServerTerms],
        total_log_lines: int,
        own: Callable[[], Sequence[FamilySamples]],
        clock: Clock,
        ledgers: Mapping[str, Numbers] = _NO_LEDGERS,
    ) -> None:
        self.servers = [ServerBoard(each, self._mark, ledgers.get(each.name)) for each in terms]
        self._total = total_log_lines
        self._own = own
        self._clock = clock
        self._news = asyncio.Event()
        self._built_unix = 0.0
        self._of_server: dict[str, tuple[Rendered, Publication]] = {}
        self._own_rendered = Rendered({})
        self._everything = publication([], (), catalogue.EMAIL_LOGS)
        self.build()

    def everything(self) -> Publication:
        """Own families and those of all servers."""
        return self._everything

    def of_server(self, name: str) -> Publication | None:
        """The families of one server, None if there is no server of that name."""
        known = self._of_server.get(name)
        return known[1] if known else None

    def sizes_bytes(self) -> dict[tuple[str, str], int]:
        """How large the newest answer with everything is, by format and encoding."""
        return {
            (form.name.lower(), encoding): self._everything.body(form, compressed).length
            for form in Format
            for encoding, compressed in (("identity", False), ("gzip", True))
        }

    def parts(self) -> list[tuple[str, Rendered]]:
        """What is published now, by server; the exporter's own families last, under no name."""
        of_servers = [(name, rendered) for name, (rendered, _) in self._of_server.items()]
        return [*of_servers, ("", self._own_rendered)]

    def build(self) -> None:
        """Make the publications anew from what is known at this instant."""
        for _ in self._building():
            pass

    async def run(self) -> None:
        """Build whenever there is news, until cancelled.

        With thousands of servers news never stop: after each building it rests ten times as long
        as that took, so that publishing costs at most a tenth of a core.
        """
        while True:
            await self._wait_for_news()
            self._news.clear()
            seconds = await self._build_in_turns()
            await self._clock.sleep(seconds * _REST_FOR_WORK)

    async def _build_in_turns(self) -> float:
        """Build, and let others have their turn every few milliseconds; gives what it took."""
        seconds, begun = 0.0, self._clock.elapsed()
        for _ in self._building():
            turn = self._clock.elapsed() - begun
            if turn >= _LONGEST_TURN_SECONDS:
                seconds += turn
                await asyncio.sleep(0)
                begun = self._clock.elapsed()
        return seconds + self._clock.elapsed() - begun

    def _building(self) -> Generator[None, None, None]:
        """Make the publications anew, in steps of one server or one family.

        What a poll brings between two steps is news for the next building.
        """
        now = self._built_unix = self._clock.now_unix()
        lines = [server.log_lines(now) for server in self.servers]
        granted = shares(lines, self._total) if self._total else lines
        rendered: list[Rendered] = []
        for server, share in zip(self.servers, granted, strict=True):
            part = server.rendered(now, share)
            rendered.append(part)
            before = self._of_server.get(server.terms.name)
            if before is None or before[0] is not part:
                alone = publication([part], _ORDER, catalogue.EMAIL_LOGS)
                self._of_server[server.terms.name] = part, alone
            yield
        own = self._own_rendered = Rendered(rendered_families(self._own()))
        self._everything = yield from assembling([*rendered, own], _ORDER, catalogue.EMAIL_LOGS)

    async def _wait_for_news(self) -> None:
        # Counted from the last building, not from now: something may have expired meanwhile.
        expiries = [server.next_expiry_unix(self._built_unix) for server in self.servers]
        now = self._clock.now_unix()
        wait = min((end - now for end in expiries if end is not None), default=None)
        timer = asyncio.create_task(
            self._clock.sleep(_LONGEST_WAIT_SECONDS if wait is None else wait)
        )
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait({timer, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            news.cancel()

    def _mark(self) -> None:
        self._news.set()
