"""Asks a server about one real row, and learns what its filters and totals go by."""

from dataclasses import replace

from cpanel_mail_exporter.ledger.identity import event_identity
from cpanel_mail_exporter.model.deliveries import ActionFilter
from cpanel_mail_exporter.model.query import Instant
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import learning
from cpanel_mail_exporter.polling.intake import Intake
from cpanel_mail_exporter.polling.learning import Facts


async def facts_after(row: DeliveryRecord, facts: Facts, intake: Intake, now_unix: int) -> Facts:
    """The facts once the answers about *row*, whose two instants differ, are known.

    Five small questions, of which totals may be refused: then only the filter is learned.

    Raises:
        PollError: the server can't be asked.
    """
    sent, acted = row.send_unix, row.action_unix
    if sent is None or acted is None:
        return facts
    by_action = await intake.rows(Slice(acted - 1, acted + 2), Instant.ACTED)
    by_send = await intake.rows(Slice(sent - 1, sent + 2), Instant.SENT)
    works = learning.action_filter(row, by_action)
    around_sent = await intake.totals(sent - 1, sent + 1)
    around_acted = await intake.totals(acted - 1, acted + 1)
    at_sent = await intake.totals(sent, sent)
    if around_sent is None or around_acted is None or at_sent is None:
        return replace(facts, action_filter=works)
    fits_action: bool | None = None
    if works is ActionFilter.WORKS:
        fits_action = learning.fits(around_acted, acted, by_action, learning.acted)
    evidence = learning.Evidence(
        by_send=learning.fits(around_sent, sent, by_send, learning.sent),
        by_action=fits_action,
        ends_belong=learning.ends_belong(at_sent, sent, by_send),
    )
    return facts.after(works, evidence, now_unix, event_identity(row))
