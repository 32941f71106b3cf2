"""One row of ``emailtrack_search`` with WHM's own field names, order and kinds of values."""

import msgspec

SUCCESS, DEFER, FAILURE, INPROGRESS = "success", "defer", "failure", "inprogress"
TYPES = (SUCCESS, DEFER, FAILURE, INPROGRESS)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A delivery attempt for one recipient, or a recipient still waiting for its first one.

    Fields are those of ``data.records[]`` as documented, with ``email`` as seen in public clients.
    A waiting (``inprogress``) row has null in everything that only an attempt can tell.
    """

    actiontime: str | None
    actionunixtime: int | None
    deliveredto: str | None
    deliverydomain: str | None
    deliveryuser: str | None
    domain: str
    email: str
    host: str | None
    ip: str | None
    message: str | None
    msgid: str
    recipient: str
    router: str | None
    sender: str
    senderauth: str
    senderhost: str
    senderip: str
    sendunixtime: int
    size: int
    spamscore: int
    transport: str | None
    transport_is_remote: int
    type: str
    user: str


FIELDS: tuple[str, ...] = Row.__struct_fields__
