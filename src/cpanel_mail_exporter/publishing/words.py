"""How a server is doing, in words for people."""

from cpanel_mail_exporter.ledger.history import CollectorHistory, ServerHistory
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import Denied, Unsupported


def server_state(history: ServerHistory, now_unix: float) -> str:
    """One sentence on the newest poll; for a failure with what to do about it."""
    if history.last_poll_unix is None:
        return "not polled yet"
    ago = age(now_unix - history.last_poll_unix)
    errors = history.errors
    off = history.switched_off
    if not errors:
        cut = sum(p.last.slices_incomplete for p in history.collectors.values() if p.last)
        refused = f"; switched off, since WHM refuses them: {', '.join(off)}" if off else ""
        if cut:
            return f"last poll {ago} ago lacks rows, slices cut by the server: {cut}{refused}"
        return f"last poll {ago} ago was complete{refused}"
    retry = history.login_retry_unix
    first = errors[0]
    if retry is not None:
        first = next((error for error in errors if isinstance(error, Denied)), first)
        wait = age(max(0.0, retry - now_unix))
        return f"{first.detail}; {first.advice}; next try in {wait}, or when the token changes"
    failed = f"{len(errors)} of {len(history.collectors)} collectors failed"
    what = "last poll failed" if history.is_up is False else failed
    return f"{what} {ago} ago: {first.detail}; {first.advice}"


def collector_state(
    past: CollectorHistory, now_unix: float, deliveries: DeliveriesState | None = None
) -> str:
    """One sentence on the newest visit of one collector.

    Args:
        past: its visits.
        now_unix: exporter's clock.
        deliveries: how far its reading has come, for the collector of delivery events.
    """
    left = "" if deliveries is None else _left_to_read(deliveries.backlog_slices)
    if past.last is None:
        return "not asked yet"
    if past.error is None:
        incomplete = past.last.slices_incomplete
        words = f"{age(now_unix - past.last.ended_unix)} ago, {past.last.rows_read} rows"
        if incomplete:
            return f"incomplete {words}, slices cut by the server: {incomplete}{left}"
        return f"complete {words}{left}"
    good = past.last_success
    before = (
        f"last good {age(now_unix - good.ended_unix)} ago" if good is not None else "never good"
    )
    if isinstance(past.error, Unsupported):
        return f"switched off: {past.error.detail} ({before}), asked again hourly{left}"
    return f"{past.error.kind}: {past.error.detail} ({before}){left}"


def _left_to_read(slices: int) -> str:
    if not slices:
        return ""
    return f"; {slices} {'slice' if slices == 1 else 'slices'} of older mail still to be read"


def age(seconds: float) -> str:
    """A length of time in its two largest units.

    >>> age(0.4), age(75), age(90061)
    ('0 s', '1 min 15 s', '1 d 1 h')
    """
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"
