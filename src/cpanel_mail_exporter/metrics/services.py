"""What a server says of itself -> whether its services run, and which version it is."""

from collections.abc import Sequence

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.services import WATCHED_SERVICES, ServerInfo, Service


def services(found: Sequence[Service]) -> list[FamilySamples]:
    """1 or 0 for each of WATCHED_SERVICES, none for those of which it isn't known.

    Args:
        found: records of one or several answers; other services among them are passed over, and
            one that is told twice runs only if both say so.
    """
    running: dict[str, bool] = {}
    for service in found:
        if service.name in WATCHED_SERVICES and service.is_running is not None:
            running[service.name] = service.is_running and running.get(service.name, True)
    return [
        FamilySamples(
            catalogue.SERVICE_RUNNING,
            [((name,), int(running[name])) for name in WATCHED_SERVICES if name in running],
        )
    ]


def server_info(info: ServerInfo) -> list[FamilySamples]:
    """One sample with what is known, an empty label for what isn't; none if nothing is."""
    labels = (info.hostname, info.version)
    return [FamilySamples(catalogue.SERVER_INFO, [(labels, 1)] if any(labels) else [])]
