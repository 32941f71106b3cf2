"""Rows of servicestatus -> services."""

import msgspec

from cpanel_mail_exporter.model.services import Service
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import flag, text
from cpanel_mail_exporter.whm.wire import WireService

SERVICES_MEMBER = "service"
"""Name of the list in an answer of servicestatus."""

_all = msgspec.json.Decoder(list[WireService])
_one = msgspec.json.Decoder(WireService)


def service_rows(array: bytes) -> Rows[Service]:
    """Decode a JSON array of servicestatus rows; one without a name is rejected.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(array, _all.decode, _service, _one.decode, _service)


def _service(row: WireService) -> Service:
    name = text(row.name)
    if not name:
        raise UnexpectedShape("no row of servicestatus")
    return Service(name, _is_running(row))


def _is_running(row: WireService) -> bool | None:
    """What `running` says, which is documented to be absent where a service isn't monitored.

    A service that is switched off or not installed is taken as not running.
    """
    is_running = flag(row.running)
    if is_running is None and False in {flag(row.enabled), flag(row.installed)}:
        return False
    return is_running
