"""Figures and places -> what the demo shows: a screen of lines, or one plain sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.demo.figures import Figures, Scrape, ServerFigures
from cpanel_mail_exporter.demo.styled import Line, Piece, Style, clipped, rows
from cpanel_mail_exporter.demo.table import size, state_of, table, total_of
from cpanel_mail_exporter.publishing.words import age

_HINT = " Ctrl-C ends it all. Messages are of today. Fault none mends what 500 broke."
_LEAST_SERVERS = 3
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, from first to last: what is there, and its address, command or path."""

    entries: tuple[tuple[str, str], ...]

    def lines(self) -> list[Line]:
        """A line for each."""
        width = max(len(label) for label, _ in self.entries)
        return [
            (Piece(f" {label:<{width}}  ", Style.QUIET), Piece(text))
            for label, text in self.entries
        ]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known at one instant.

    Attributes:
        now_unix: wall clock.
        running_seconds: since the demo began to show.
        figures: of the newest good scrape, None before the first.
        trouble: why there is no newer one, a sentence without its end; empty if all is well.
    """

    now_unix: float
    running_seconds: float
    figures: Figures | None
    trouble: str = ""


def screen(places: Places, moment: Moment, columns: int, height: int) -> list[Line]:
    """Lines that take at most *height* rows of *columns* characters.

    Where there is little room the servers that are well are left out first, down to 3, then blank
    lines, then where to look.
    """
    servers = moment.figures.servers if moment.figures else ()
    least = min(len(servers), _LEAST_SERVERS)
    title = _title(moment, columns)
    hint = (Piece(_HINT, Style.QUIET),)
    below = [clipped(line, columns) for line in (_scrape_line(moment), hint)]
    blank: Line = ()
    lines: list[Line] = []
    for with_places, blanks in ((True, [blank]), (True, []), (False, [blank]), (False, [])):
        above = [title, *blanks]
        if with_places:
            above += [*places.lines(), *blanks]
        # The head and the totals take two more.
        room = height - rows([*above, *blanks, *below], columns) - 2
        lines = [*above, *_table_lines(servers, moment.now_unix, columns, room), *blanks, *below]
        if room >= least + (len(servers) > least):
            break
    while rows(lines, columns) > height:
        lines.pop()
    return lines


def sentence(figures: Figures, now_unix: float) -> str:
    """The same in one line without styles."""
    servers = figures.servers
    messages = (
        f"messages today: {total_of([s.success for s in servers])} success, "
        f"{total_of([s.failure for s in servers])} failure, "
        f"{total_of([s.deferral for s in servers])} deferral"
    )
    successes = [s.last_success_unix for s in servers if s.last_success_unix is not None]
    parts = [
        f"{sum(bool(s.is_up) for s in servers)} of {len(servers)} servers up{_not_up(servers)}",
        messages,
        f"email_logs: {total_of([s.log_series for s in servers])} series",
        f"last success {age(now_unix - max(successes))} ago" if successes else "no success yet",
        _cost(figures.scrape),
    ]
    return "; ".join(parts)


def _title(moment: Moment, columns: int) -> Line:
    name, running = " cpanel-mail-exporter demo", age(moment.running_seconds)
    blank = max(2, columns - len(name) - len(running) - 1)
    return clipped(
        (Piece(name, Style.HEAD), Piece(" " * blank), Piece(running, Style.QUIET)), columns
    )


def _scrape_line(moment: Moment) -> Line:
    if moment.trouble:
        return (Piece(f" {moment.trouble}.", Style.BAD),)
    if moment.figures is None:
        return (Piece(" Waiting for the exporter's first answer.", Style.QUIET),)
    return (Piece(f" {_cost(moment.figures.scrape)}", Style.QUIET),)


def _cost(scrape: Scrape) -> str:
    return (
        f"/metrics: {scrape.series:,} series, {size(scrape.body_bytes)}, "
        f"{size(scrape.sent_bytes)} as gzip in {scrape.seconds * 1000:.0f} ms"
    )


def _not_up(servers: Sequence[ServerFigures]) -> str:
    named = [f"{s.name} {state_of(s).text}" for s in servers if state_of(s).style is not Style.GOOD]
    if not named:
        return ""
    more = [f"{len(named) - _MOST_NAMES} more"] if len(named) > _MOST_NAMES else []
    return f" ({', '.join(named[:_MOST_NAMES] + more)})"


def _table_lines(
    servers: Sequence[ServerFigures], now_unix: float, columns: int, room: int
) -> list[Line]:
    if not servers:
        return []
    shown = list(servers)
    left_out: list[Line] = []
    if len(shown) > room:
        # Those that aren't well first, else in their order, and a row says how many are left out.
        shown.sort(key=lambda server: state_of(server).style is Style.GOOD)
        rest = shown[max(0, room - 1) :]
        del shown[max(0, room - 1) :]
        well = all(state_of(server).style is Style.GOOD for server in rest)
        told = f" and {len(rest)} more{', all up' if well else ''}"
        left_out = [clipped((Piece(told, Style.QUIET),), columns)]
    head, body, totals = table(shown, servers, now_unix, columns)
    return [clipped(line, columns) for line in (head, *body, *left_out, totals)]
