"""``servicestatus``: the daemons of a mail server in good order.

Names are the documented ones that have to do with mail. Assumed: a name that isn't among them gives
an empty list.
"""

from typing import Any, NamedTuple

from whm_simulator.api.answer import Answer
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params
from whm_simulator.api.visit import Visit


class Service(NamedTuple):
    """A daemon: whether the server has it, lets it run, and watches it."""

    name: str
    display_name: str
    is_installed: bool = True
    is_enabled: bool = True
    is_monitored: bool = True


SERVICES: tuple[Service, ...] = (
    Service("clamd", "ClamAV Daemon", is_installed=False, is_enabled=False, is_monitored=False),
    Service("cphulkd", "cPHulk Daemon"),
    Service("exim", "Exim Mail Server"),
    Service(
        "exim-altport", "Exim Mail Server (on another port)", is_enabled=False, is_monitored=False
    ),
    Service("imap", "IMAP Server"),
    Service("lmtp", "LMTP Server"),
    Service("mailman", "Mailman", is_enabled=False, is_monitored=False),
    Service("pop", "POP3 Server"),
    Service("spamd", "Apache SpamAssassin", is_monitored=False),
    Service("tailwatchd", "TailWatch Daemon"),
)


def servicestatus(visit: Visit, params: Params) -> Answer:
    """One record for each service, or for the one that is asked for.

    ``running`` is absent where a service isn't monitored, as documented.
    """
    wanted = params.get("service", "")
    records = []
    for service in SERVICES:
        if wanted not in ("", service.name):
            continue
        record: dict[str, Any] = {
            "display_name": service.display_name,
            "enabled": int(service.is_enabled),
            "installed": int(service.is_installed),
            "monitored": int(service.is_monitored),
            "name": service.name,
        }
        if service.is_monitored:
            record["running"] = 1
        records.append(record)
    metadata: dict[str, Any] = {}
    shown = Output.of(params, visit.quirks).apply(records, metadata)
    return Answer("servicestatus", shown, key="service", metadata=metadata)
