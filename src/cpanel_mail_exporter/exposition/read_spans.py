"""Which seconds have been read: spans that don't touch, in order."""

from collections.abc import Sequence

from cpanel_mail_exporter.model.window import Slice


def with_span(spans: Sequence[Slice], new: Slice) -> list[Slice]:
    """*spans* and *new*, as spans that don't touch."""
    if not new.seconds:
        return list(spans)
    start, end = new.start, new.end
    apart: list[Slice] = []
    for span in spans:
        if span.end < start or span.start > end:
            apart.append(span)
        else:
            start, end = min(start, span.start), max(end, span.end)
    return sorted([*apart, Slice(start, end)], key=lambda span: span.start)


def spans_since(spans: Sequence[Slice], start_unix: int) -> list[Slice]:
    """What of them lies from *start_unix* on."""
    return [Slice(max(span.start, start_unix), span.end) for span in spans if span.end > start_unix]
