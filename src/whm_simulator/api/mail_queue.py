"""``fetch_mail_queue``: what Exim still holds, whole, oldest first."""

from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params
from whm_simulator.api.visit import Visit

_BOUNCE_SENDERS = {"empty": "", "brackets": "<>", "null": None}


def fetch_mail_queue(visit: Visit, params: Params) -> Answer:
    """One record for each message that waits for at least one recipient."""
    bounce_sender = _BOUNCE_SENDERS[visit.quirks.bounce_sender]
    records = [
        {
            "frozen": int(message.is_frozen),
            "msgid": message.msgid,
            "recipients": list(message.recipients),
            "sender": message.sender or bounce_sender,
            "size": message.size,
            "time": message.time_unix,
            "user": message.user,
        }
        for message in visit.mail.queue(visit.now_unix)
    ]
    metadata: dict[str, Any] = {}
    shown = Output.of(params, visit.quirks).apply(records, metadata)
    return Answer("fetch_mail_queue", shown, metadata=metadata)
