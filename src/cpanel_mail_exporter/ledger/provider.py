"""Who takes the mail: a record's destination -> a mailbox provider."""

from collections.abc import Iterable
from operator import itemgetter

from cpanel_mail_exporter.ledger.counters import INBOUND, INTERNAL, LOCAL_PROVIDER
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.model.records import DeliveryRecord

_places = itemgetter(
    *map(DeliveryRecord._fields.index, ("host", "delivered_to", "recipient")),
)
_STAYS_HERE = frozenset((INBOUND, INTERNAL))


def provider(record: DeliveryRecord, direction: str, meaning: Meaning) -> str:
    """`local` for mail that stays on the server, else what *meaning* says of where it went."""
    return providers((record,), (direction,), meaning)[0]


def providers(
    records: Iterable[DeliveryRecord], directions: Iterable[str], meaning: Meaning
) -> list[str]:
    """The same of each of *records* and *directions*; *meaning* is asked once for each place.

    The exchanger that was spoken to also finds domains of customers. The final address goes before
    the one that was written, unless it is a file or a program.
    """
    known: dict[tuple[str, str], str] = {}
    found: list[str] = []
    for (host, final, written), way in zip(map(_places, records), directions, strict=True):
        if way in _STAYS_HERE:
            found.append(LOCAL_PROVIDER)
            continue
        address = final if "@" in final else written
        place = host, address.rpartition("@")[2]
        taker = known.get(place)
        if taker is None:
            taker = known[place] = meaning.provider(*place)
        found.append(taker)
    return found
