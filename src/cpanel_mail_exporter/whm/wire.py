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
    Their kinds are those that WHM sends; `OddDelivery` takes the others, and the labels' names.
    """

    actionunixtime: Usual = None
    deliveredto: str | None = None
    deliverydomain: str | None = None
    deliveryuser: str | None = None
    domain: str | None = None
    host: str | None = None
    ip: str | None = None
    message: str | None = None
    msgid: str | None = None
    recipient: str | None = None
    router: str | None = None
    sender: str | None = None
    senderauth: str | None = None
    senderhost: str | None = None
    senderip: str | None = None
    sendunixtime: Usual = None
    size: Usual = None
    actiontime: str | None = None
    transport: str | None = None
    transport_is_remote: Usual = None
    type: str | None = None
    user: str | None = None
    delivered_to: None = None
    delivery_domain: None = None
    delivery_user: None = None
    msg_id: None = None
    sender_auth: None = None
    sender_host: None = None
    sender_ip: None = None
    time: None = None


OddDelivery = msgspec.defstruct(
    "OddDelivery",
    [(name, Scalar, None) for name in WireDelivery.__struct_fields__],
    module=__name__,
    gc=False,
)
"""The same row where a field is of another kind, or stands under its label's name."""


class WireAccount(msgspec.Struct, gc=False):
    """One account of listaccts: its members that have to do with sending mail."""

    user: Scalar = None
    domain: Scalar = None
    owner: Scalar = None
    max_email_per_hour: Scalar = None
    max_defer_fail_percentage: Scalar = None
    outgoing_mail_suspended: Scalar = None
    outgoing_mail_hold: Scalar = None
    suspended: Scalar = None


class WireUniqueRecipients(msgspec.Struct, gc=False):
    """One record of get_unique_sender_recipient_count_per_user."""

    user: Scalar = None
    unique_sender_recipient_count: Scalar = None


class WireService(msgspec.Struct, gc=False):
    """One service of servicestatus; `running` is absent where the service isn't monitored."""

    name: Scalar = None
    installed: Scalar = None
    enabled: Scalar = None
    running: Scalar = None


class WireQueued(msgspec.Struct, gc=False):
    """One message of fetch_mail_queue, as far as it is looked at; `OddQueued` takes other kinds."""

    sender: str | None = None
    recipients: list[str] | None = None
    size: Usual = None
    time: Usual = None
    frozen: Usual = None
    user: str | None = None


class OddQueued(msgspec.Struct, gc=False):
    """The same message where a field is of another kind."""

    sender: Scalar = None
    recipients: list[Scalar] | Scalar = None
    size: Scalar = None
    time: Scalar = None
    frozen: Scalar = None
    user: Scalar = None


class WireMetadata(msgspec.Struct):
    """`metadata` of WHM API 1; `overflowed` is undocumented and seen as 0 or "0"."""

    result: Scalar = None
    reason: Scalar = None
    overflowed: Scalar = None


class WireLegacy(msgspec.Struct):
    """`cpanelresult`, the envelope of refused logins and, once seen, of `version`."""

    error: Scalar = None
    data: msgspec.Raw = msgspec.Raw()


class WireEnvelope(msgspec.Struct):
    """The whole answer, its members not looked into yet."""

    data: msgspec.Raw = msgspec.Raw()
    metadata: msgspec.Raw = msgspec.Raw()
    cpanelresult: msgspec.Raw = msgspec.Raw()
