"""Server figures -> a table that fits the width: the least important columns go first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.demo.figures import ServerFigures
from cpanel_mail_exporter.demo.styled import Line, Piece, Style
from cpanel_mail_exporter.publishing.words import age

UNKNOWN = "-"
_GAPS = (3, 2)


@dataclass(frozen=True, slots=True)
class _Column:
    """One column.

    Attributes:
        rank: columns of the highest rank are left out first where the width is short.
        least: width to begin with, so that growing figures don't move the others.
        cell: text of a server's cell.
        total: text of the last line's cell.
    """

    title: str
    rank: int
    least: int
    cell: Callable[[ServerFigures], Piece]
    total: Callable[[Sequence[ServerFigures]], str] = lambda _: ""
    is_text: bool = False


def table(
    shown: Sequence[ServerFigures], every: Sequence[ServerFigures], now_unix: float, columns: int
) -> tuple[Line, list[Line], Line]:
    """The head, a line for each server of *shown*, and the totals of *every* server.

    Args:
        shown: the servers there is room for.
        every: all of them.
        now_unix: wall clock.
        columns: width of the terminal.
    """
    chosen = _columns(now_unix)
    while True:
        cells = [[column.cell(server) for column in chosen] for server in shown]
        totals = [Piece(column.total(every), Style.HEAD) for column in chosen]
        widths = [
            max(column.least, len(column.title), *(len(row[at].text) for row in [*cells, totals]))
            for at, column in enumerate(chosen)
        ]
        for gap in _GAPS:
            if 1 + sum(widths) + gap * (len(widths) - 1) < columns or len(chosen) == 1:
                break
        else:
            chosen.remove(max(chosen, key=lambda column: column.rank))
            continue
        head = [Piece(column.title, Style.QUIET) for column in chosen]
        lines = [_aligned(row, chosen, widths, gap) for row in (head, *cells, totals)]
        return lines[0], lines[1:-1], lines[-1]


def state_of(server: ServerFigures) -> Piece:
    """How a server fares, in one word."""
    if server.is_up is None:
        return Piece("waiting", Style.WAITING)
    if not server.is_up:
        return Piece("down", Style.BAD)
    if server.failing_collectors:
        return Piece("partly", Style.WAITING)
    return Piece("up", Style.GOOD)


def total_of(values: Sequence[int | None]) -> str:
    """Their sum; `>=` before it where some aren't known, `-` where none is.

    >>> total_of([1000, 234]), total_of([7, None]), total_of([None])
    ('1,234', '>=7', '-')
    """
    known = [value for value in values if value is not None]
    if not known:
        return UNKNOWN
    return f"{'>=' if len(known) < len(values) else ''}{sum(known):,}"


def size(count_bytes: float) -> str:
    """Bytes in the unit that leaves one to four digits.

    >>> size(999), size(12_345), size(20_100_000)
    ('999 B', '12.3 kB', '20.1 MB')
    """
    for unit in ("B", "kB", "MB"):
        if count_bytes < 1000:
            return f"{count_bytes:.0f} B" if unit == "B" else f"{count_bytes:.1f} {unit}"
        count_bytes /= 1000
    return f"{count_bytes:,.1f} GB"


def _columns(now_unix: float) -> list[_Column]:
    def ago(server: ServerFigures) -> Piece:
        if server.last_success_unix is None:
            return Piece(UNKNOWN)
        # Its largest unit alone: the column keeps its width.
        number, unit = age(now_unix - server.last_success_unix).split()[:2]
        return Piece(f"{number} {unit} ago")

    def poll(server: ServerFigures) -> Piece:
        seconds = server.poll_seconds
        return Piece(UNKNOWN if seconds is None else f"{seconds:.2f} s")

    def logs(server: ServerFigures) -> Piece:
        kept, wanted = server.log_series, server.log_series_wanted
        is_cut = kept is not None and wanted is not None and wanted > kept
        return Piece(f"{kept:,} of {wanted:,}" if is_cut else _count(kept))

    def volume(server: ServerFigures) -> Piece:
        known = server.volume_bytes
        return Piece(UNKNOWN if known is None else size(known))

    return [
        _Column("Server", 0, 7, lambda s: Piece(s.name), lambda _: "Total", is_text=True),
        _Column("Region", 7, 6, lambda s: Piece(s.region), is_text=True),
        _Column("State", 1, 7, state_of, _up_of, is_text=True),
        _Column("Success", 2, 9, lambda s: Piece(_count(s.success)), _sum_of("success")),
        _Column("Failure", 3, 8, lambda s: Piece(_count(s.failure)), _sum_of("failure")),
        _Column("Deferral", 4, 8, lambda s: Piece(_count(s.deferral)), _sum_of("deferral")),
        _Column("Volume", 8, 9, volume),
        _Column("email_logs", 6, 10, logs, _sum_of("log_series")),
        _Column("Poll", 9, 7, poll),
        _Column("Last success", 5, 12, ago),
    ]


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _sum_of(name: str) -> Callable[[Sequence[ServerFigures]], str]:
    return lambda servers: total_of([getattr(server, name) for server in servers])


def _up_of(servers: Sequence[ServerFigures]) -> str:
    return f"{sum(bool(server.is_up) for server in servers)} of {len(servers)}"


def _aligned(
    pieces: Sequence[Piece], chosen: Sequence[_Column], widths: Sequence[int], gap: int
) -> Line:
    line = [Piece(" ")]
    for at, (piece, column, width) in enumerate(zip(pieces, chosen, widths, strict=True)):
        blank = Piece(" " * (width - len(piece.text)))
        line += [Piece(" " * gap)] if at else []
        line += [piece, blank] if column.is_text else [blank, piece]
    return tuple(line)
