"""Where mail goes: receiving sites with their exchangers and their manners.

The exchangers of large receivers are public names; every address and every mailbox is one set aside
for documentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchanger:
    """A host that takes or sends mail, by name and address (IPv4 or IPv6)."""

    host: str
    ip: str


@dataclass(frozen=True, slots=True)
class Place:
    """A receiving site.

    Attributes:
        kind: which replies it gives (a key of ``replies``).
        domains: the mail domains it takes.
        exchangers: where it takes them.
        senders: where the mail of its own people comes from; empty for the same hosts.
        weight: how much of the outgoing mail goes there; they add up to 1.
        refuses: share of recipients refused for other reasons than not existing.
        defers: share of recipients put off at the first attempt.
        is_slow: whether attempts often take a minute.
    """

    kind: str
    domains: tuple[str, ...]
    exchangers: tuple[Exchanger, ...]
    weight: float
    senders: tuple[Exchanger, ...] = ()
    refuses: float = 0.01
    defers: float = 0.02
    is_slow: bool = False


PLACES: tuple[Place, ...] = (
    Place(
        "google",
        ("gmail.example", "workspace.example.com"),
        (
            Exchanger("gmail-smtp-in.l.google.com", "192.0.2.26"),
            Exchanger("alt1.gmail-smtp-in.l.google.com", "2001:db8:400c::1a"),
            Exchanger("alt3.gmail-smtp-in.l.google.com", "192.0.2.27"),
        ),
        weight=0.33,
        senders=(
            Exchanger("mail-ej1-f41.google.com", "192.0.2.41"),
            Exchanger("mail-wr1-x42f.google.com", "2001:db8:4864::42f"),
        ),
        refuses=0.012,
        defers=0.02,
    ),
    Place(
        "microsoft",
        ("outlook.example", "hotmail.example"),
        (
            Exchanger("outlook-com.olc.protection.outlook.com", "198.51.100.33"),
            Exchanger("eur.olc.protection.outlook.com", "198.51.100.34"),
        ),
        weight=0.22,
        senders=(
            Exchanger("mail-db5eur01on2042.outbound.protection.outlook.com", "198.51.100.42"),
            Exchanger("mail-vi1eur05on2091.outbound.protection.outlook.com", "198.51.100.91"),
        ),
        refuses=0.025,
        defers=0.02,
    ),
    Place(
        "yahoo",
        ("yahoo.example", "aol.example"),
        (
            Exchanger("mta5.am0.yahoodns.net", "203.0.113.91"),
            Exchanger("mta7.am0.yahoodns.net", "203.0.113.92"),
        ),
        weight=0.08,
        senders=(Exchanger("sonic301-21.consmr.mail.ir2.yahoo.com", "203.0.113.21"),),
        defers=0.07,
    ),
    Place(
        "apple",
        ("icloud.example", "me.example"),
        (
            Exchanger("mx01.mail.icloud.com", "192.0.2.151"),
            Exchanger("mx02.mail.icloud.com", "192.0.2.152"),
        ),
        weight=0.06,
        senders=(Exchanger("st43p00im-ztdg10071801.me.com", "192.0.2.163"),),
        defers=0.01,
    ),
    Place(
        "gmx",
        ("gmx.example", "web.example.net"),
        (
            Exchanger("mx00.emig.gmx.net", "198.51.100.8"),
            Exchanger("mx-ha.web.de", "198.51.100.17"),
        ),
        weight=0.07,
        senders=(Exchanger("mout.gmx.net", "198.51.100.18"),),
        refuses=0.02,
    ),
    Place(
        "mailru",
        ("mailru.example",),
        (Exchanger("mxs.mail.ru", "203.0.113.31"),),
        weight=0.01,
        refuses=0.05,
        defers=0.04,
    ),
    Place(
        "qq",
        ("qq.example",),
        (Exchanger("mx3.qq.com", "203.0.113.30"),),
        weight=0.01,
        refuses=0.06,
        defers=0.04,
    ),
    Place(
        "mimecast",
        ("lawfirm.example.com",),
        (Exchanger("eu-smtp-inbound-1.mimecast.com", "198.51.100.221"),),
        weight=0.02,
        refuses=0.03,
        defers=0.12,
    ),
    Place(
        "proofpoint",
        ("bank.example.com",),
        (Exchanger("mx0a-00112233.pphosted.com", "198.51.100.228"),),
        weight=0.02,
        refuses=0.04,
    ),
    Place(
        "postfix",
        ("example.net", "customer.example.org"),
        (Exchanger("mx1.example.net", "192.0.2.25"), Exchanger("mx2.example.net", "2001:db8::25")),
        weight=0.11,
        senders=(
            Exchanger("out1.example.net", "2001:db8:9::11"),
            Exchanger("mail.example.org", "203.0.113.9"),
        ),
    ),
    Place(
        "greylist",
        ("university.example.org", "verein.example.net"),
        (Exchanger("grey.example.org", "198.51.100.70"),),
        weight=0.02,
        defers=0.5,
    ),
    Place(
        "exchange",
        ("corp.example.com",),
        (Exchanger("mail.corp.example.com", "203.0.113.45"),),
        weight=0.02,
        refuses=0.05,
    ),
    Place(
        "cyrillic",
        ("почта.example", "пример.example.org"),
        (Exchanger("mx.xn--80a1acny.example", "2001:db8:7::77"),),
        weight=0.01,
        refuses=0.04,
    ),
    Place(
        "cjk",
        ("例え.example", "邮件.example.net"),
        (Exchanger("mx.xn--r8jz45g.example", "203.0.113.120"),),
        weight=0.01,
        refuses=0.04,
    ),
    Place(
        "unreachable",
        ("down.example.net", "expired.example"),
        (
            Exchanger("mx.down.example.net", "192.0.2.250"),
            Exchanger("mx6.down.example.net", "2001:db8:dead::1"),
        ),
        weight=0.01,
        defers=0.5,
        is_slow=True,
    ),
)

PLACE_OF: dict[str, Place] = {place.kind: place for place in PLACES}
"""Places by their kind."""
