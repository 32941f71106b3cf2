"""How far the reading of one server has come, as it is stored: a text and back."""

import json
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.deliveries import ActionFilter, GoesBy
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.learning import Facts
from cpanel_mail_exporter.polling.spans import Spans

CURSOR = "reading"


@dataclass(slots=True)
class ReadingCursor:
    """What has been read of a server, and what was learned on the way.

    Attributes:
        until: the fast loop goes on here; what was sent before has been read, or is unread. None
            before the first reading.
        unread: send times that are still to be read.
        incomplete: slices that could not be read whole, and in how many pieces.
        facts: what is known of the server's filters and totals.
        day_looked_unix, all_looked_unix: when it was last looked for changes of the last day, and
            of all of the look-back; None before it was planned.
    """

    until: int | None = None
    unread: Spans = Spans()
    incomplete: dict[Slice, int] = field(default_factory=dict)
    facts: Facts = Facts()
    day_looked_unix: int | None = None
    all_looked_unix: int | None = None

    def was_read(self, span: Slice, pieces_incomplete: int) -> None:
        """A slice has been read by send time."""
        self.unread = self.unread.without(span)
        for known in [known for known in self.incomplete if _overlap(known, span)]:
            pieces = self.incomplete.pop(known)
            for rest in Spans.of(known).without(span).slices:
                self.incomplete[rest] = pieces
        if pieces_incomplete:
            self.incomplete[span] = pieces_incomplete

    def incomplete_within(self, span: Slice) -> int:
        """How many pieces of a span could not be read whole."""
        return sum(n for known, n in self.incomplete.items() if _overlap(known, span))

    def forget_before(self, instant_unix: int) -> None:
        """Nothing sent before an instant is wanted any more."""
        self.unread = self.unread.without(Slice(0, instant_unix))
        for known in [known for known in self.incomplete if known.end <= instant_unix]:
            del self.incomplete[known]

    def text(self) -> str:
        """To be stored; the same as before if nothing has changed."""
        facts = self.facts
        return json.dumps(
            {
                "until": self.until,
                "unread": self.unread.as_pairs(),
                "incomplete": [
                    [span.start, span.end, pieces]
                    for span, pieces in sorted(self.incomplete.items(), key=_start)
                ],
                "totals": facts.totals.value,
                "action_filter": facts.action_filter.value,
                "ends_belong": facts.ends_belong,
                "learned": facts.learned_unix,
                "day_looked": self.day_looked_unix,
                "all_looked": self.all_looked_unix,
            },
            separators=(",", ":"),
        )

    @classmethod
    def parsed(cls, text: str) -> "ReadingCursor | None":
        """What `text` gave; None for anything else, after which all is read anew."""
        try:
            known = json.loads(text)
            ends = known["ends_belong"]
            return cls(
                until=int(known["until"]),
                unread=Spans.from_pairs(known["unread"]),
                incomplete={
                    Slice(int(start), int(end)): int(n) for start, end, n in known["incomplete"]
                },
                facts=Facts(
                    totals=GoesBy(known["totals"]),
                    action_filter=ActionFilter(known["action_filter"]),
                    ends_belong=None if ends is None else bool(ends),
                    learned_unix=int(known["learned"]),
                ),
                day_looked_unix=_number(known["day_looked"]),
                all_looked_unix=_number(known["all_looked"]),
            )
        except (ValueError, KeyError, TypeError):
            return None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _overlap(one: Slice, other: Slice) -> bool:
    return one.start < other.end and other.start < one.end


def _start(entry: tuple[Slice, int]) -> int:
    return entry[0].start
