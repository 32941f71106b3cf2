"""WHM's answers as they are sent: loose structs that take a number where text is documented.

Any delivery-side field may be null or absent and every integer may come as text
(documented types disagree with what public clients decode), so each is any JSON scalar.
"""

import msgspec

Scalar = str | int | float | bool | None
Usual = str | int | None


class WireDelivery(msgspec.Struct, gc=False):
    """One row of emailtrack_search.

    The first 22 fields stand in the order of the labels of `email_logs`, under WHM's names; the
    last 8 take the same facts under the labels' names, where a server or proxy uses those.
    Their kinds are those that have been seen; `OddDelivery` takes the others.
    """

    actionunixtime: Usual = None
    deliveredto: Usual = None
    deliverydomain: Usual = None
    deliveryuser: Usual = None
    domain: Usual = None
    host: Usual = None
    ip: Usual = None
    message: Usual = None
    msgid: Usual = None
    recipient: Usual = None
    router: Usual = None
    sender: Usual = None
    senderauth: Usual = None
    senderhost: Usual = None
    senderip: Usual = None
    sendunixtime: Usual = None
    size: Usual = None
    actiontime: Usual = None
    transport: Usual = None
    transport_is_remote: Usual = None
    type: Usual = None
    user: Usual = None
    delivered_to: Usual = None
    delivery_domain: Usual = None
    delivery_user: Usual = None
    msg_id: Usual = None
    sender_auth: Usual = None
    sender_host: Usual = None
    sender_ip: Usual = None
    time: Usual = None


OddDelivery = msgspec.defstruct(
    "OddDelivery",
    [(name, Scalar, None) for name in WireDelivery.__struct_fields__],
    module=__name__,
    gc=False,
)
"""The same row where a field is a fraction, true or false."""


class WireMetadata(msgspec.Struct):
    """`metadata` of WHM API 1; `overflowed` is undocumented and seen as 0 or "0"."""

    result: Scalar = None
    reason: Scalar = None
    overflowed: Scalar = None


class WireLegacy(msgspec.Struct):
    """`cpanelresult`, the envelope of refused logins."""

    error: Scalar = None


class WireRecords(msgspec.Struct):
    """`data` of a function that answers records."""

    records: list[msgspec.Raw]


class WireEnvelope(msgspec.Struct):
    """The whole answer, its members not looked into yet."""

    data: msgspec.Raw = msgspec.Raw()
    metadata: msgspec.Raw = msgspec.Raw()
    cpanelresult: msgspec.Raw = msgspec.Raw()
