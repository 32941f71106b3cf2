"""What is only known after a while: how many attempts a final outcome took; and forgetting.

A deferral's row may come later than that of the outcome it led to, so attempts are observed only
when the outcome's action lies `settle_seconds` behind. A deferral that comes even later is counted
as an event, but not among the attempts.
"""

from collections.abc import Sequence

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.change import Change, Known, Pending
from cpanel_mail_exporter.ledger.histograms import Histograms
from cpanel_mail_exporter.model.window import Slice

DEFAULT_SETTLE_SECONDS = 3_900
"""An hour, which rows may be late by, and five minutes in which a late row is found."""


def settle(pending: Sequence[Pending], known: Known, held: Sequence[Slice] = ()) -> Change:
    """Observe the attempts of final outcomes whose earlier deferrals are all known.

    Args:
        pending: outcomes that lie far enough behind.
        known: at least the deferrals of their seconds.
        held: send times that are not read whole yet; their outcomes stay pending.
    """
    histograms = Histograms()
    settled: list[Pending] = []
    for outcome in pending:
        if any(outcome.second in span for span in held):
            continue
        times = known.deferrals.get(outcome.recipient, {})
        earlier = sum(n for acted, n in times.items() if acted <= outcome.action_unix)
        direction = names.DIRECTIONS[outcome.direction]
        histograms.observe(names.ATTEMPTS, (direction,), earlier + 1, outcome.copies)
        settled.append(outcome)
    return Change(settled=settled, counters=histograms.counters())


def forget(known: Known, before_unix: int) -> Change:
    """Delete what was sent before *before_unix*, all of which is *known* and nothing pending."""
    open_recipients = len(known.deferrals.keys() - known.final)
    change = Change(forget_before_unix=before_unix)
    if open_recipients:
        change.counters[names.DEFERRED_RECIPIENTS, ()] = -open_recipients
    return change
