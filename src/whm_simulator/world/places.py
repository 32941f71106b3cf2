"""Where mail goes: receiving sites with their exchangers and their manners.

The exchangers of large receivers are public names; every address and every mailbox is one set aside
for documentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchanger:
    """A host that takes mail, by name and address (IPv4 or IPv6)."""

    host: str
    ip: str


@dataclass(frozen=True, slots=True)
class Place:
    """A receiving site.

    Attributes:
        kind: which replies it gives (a key of ``replies``).
        domains: the mail domains it takes.
        exchangers: where it takes them.
        weight: how much of the outgoing mail goes there.
        refuses: share of recipients refused for other reasons than not existing.
        defers: share of recipients put off at the first attempt.
        is_slow: whether attempts often take a minute.
    """

    kind: str
    domains: tuple[str, ...]
    exchangers: tuple[Exchanger, ...]
    weight: float
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
        weight=0.36,
        refuses=0.012,
        defers=0.025,
    ),
    Place(
        "microsoft",
        ("outlook.example", "hotmail.example"),
        (
            Exchanger("outlook-com.olc.protection.outlook.com", "198.51.100.33"),
            Exchanger("eur.olc.protection.outlook.com", "198.51.100.34"),
        ),
        weight=0.22,
        refuses=0.03,
        defers=0.02,
    ),
    Place(
        "yahoo",
        ("yahoo.example",),
        (
            Exchanger("mta5.am0.yahoodns.net", "203.0.113.91"),
            Exchanger("mta7.am0.yahoodns.net", "203.0.113.92"),
        ),
        weight=0.10,
        defers=0.09,
    ),
    Place(
        "postfix",
        ("example.net", "customer.example.org"),
        (Exchanger("mx1.example.net", "192.0.2.25"), Exchanger("mx2.example.net", "2001:db8::25")),
        weight=0.18,
    ),
    Place(
        "greylist",
        ("university.example.org", "verein.example.net"),
        (Exchanger("grey.example.org", "198.51.100.70"),),
        weight=0.05,
        defers=0.6,
    ),
    Place(
        "exchange",
        ("corp.example.com",),
        (Exchanger("mail.corp.example.com", "203.0.113.45"),),
        weight=0.04,
        refuses=0.05,
    ),
    Place(
        "cyrillic",
        ("почта.example", "пример.example.org"),
        (Exchanger("mx.xn--80a1acny.example", "2001:db8:7::77"),),
        weight=0.02,
        refuses=0.04,
    ),
    Place(
        "cjk",
        ("例え.example", "邮件.example.net"),
        (Exchanger("mx.xn--r8jz45g.example", "203.0.113.120"),),
        weight=0.02,
        refuses=0.04,
    ),
    Place(
        "unreachable",
        ("down.example.net",),
        (
            Exchanger("mx.down.example.net", "192.0.2.250"),
            Exchanger("mx6.down.example.net", "2001:db8:dead::1"),
        ),
        weight=0.01,
        defers=0.7,
        is_slow=True,
    ),
)
