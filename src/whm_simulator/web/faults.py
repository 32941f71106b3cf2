"""What can be wrong with a server: every kind of fault said once, and what an order of one holds.

The help, the pages for users and the checks of orders are all made from `KINDS`.
"""

from typing import NamedTuple

import msgspec

HANGING, DROPPING, FIXED, LATE = "hanging", "dropping", "fixed", "late"
CALL, BODY, MAIL, PORT, CERTIFICATE, NOTHING = (
    "call",
    "body",
    "mail",
    "port",
    "certificate",
    "nothing",
)


class Kind(NamedTuple):
    """A kind of fault.

    Attributes:
        stage: what it acts on; those of the port and the certificate hit the server as a whole.
        does: what happens to each call, as the end of a sentence that begins with "it".
        takes: the amount it can be given, and how much if nothing is said.
    """

    stage: str
    does: str
    takes: tuple[str, float] | None = None


KINDS: dict[str, Kind] = {
    "none": Kind(NOTHING, "is answered well again"),
    "latency": Kind(LATE, "is answered after `seconds`", ("seconds", 1.0)),
    "hang": Kind(HANGING, "is never answered"),
    "drop": Kind(DROPPING, "ends with the connection cut before any answer"),
    "drop_midway": Kind(BODY, "ends with the connection cut in the middle of the body"),
    "slow_drip": Kind(BODY, "gets its body at `bytes_per_second`", ("bytes_per_second", 100.0)),
    "endless_body": Kind(BODY, "gets a body of rows that never ends"),
    "gzip_bomb": Kind(
        BODY, "gets a small gzip body that unpacks to `megabytes`", ("megabytes", 1024.0)
    ),
    "truncated_json": Kind(BODY, "gets the first half of its answer as if it were all"),
    "403": Kind(FIXED, "is refused as with a bad token"),
    "401_html": Kind(FIXED, "gets an HTML page with status 401"),
    "500": Kind(FIXED, "gets an HTML page with status 500"),
    "502": Kind(FIXED, "gets an HTML page with status 502"),
    "503": Kind(FIXED, "gets an HTML page with status 503"),
    "504": Kind(FIXED, "gets an HTML page with status 504"),
    "html_200": Kind(FIXED, "gets the login page with status 200"),
    "redirect": Kind(FIXED, "is redirected (307) to a session's address"),
    "empty_body": Kind(FIXED, "gets status 200 and nothing"),
    "empty_object": Kind(FIXED, "gets `{}`"),
    "list": Kind(FIXED, "gets `[]`"),
    "result_0": Kind(CALL, "gets `metadata.result` 0 and a reason"),
    "ignore_filters": Kind(CALL, "is answered as if it had no `api.filter.*`"),
    "ignore_chunks": Kind(CALL, "is answered as if it had no `api.chunk.*`"),
    "duplicated_rows": Kind(MAIL, "sees the share `rows` of all rows twice", ("rows", 0.1)),
    "missing_rows": Kind(
        MAIL, "misses the share `rows` of all rows, which come back after it", ("rows", 0.1)
    ),
    "purge": Kind(MAIL, "sees no mail sent more than `seconds` ago", ("seconds", 3600.0)),
    "eximstats_off": Kind(MAIL, "finds no rows and no totals, while the queue goes on"),
    "refuse": Kind(PORT, "finds the port closed and open connections cut"),
    "restart": Kind(
        PORT,
        "finds the port closed for `seconds`, once; then the server is back with its state",
        ("seconds", 5.0),
    ),
    "certificate_authority": Kind(CERTIFICATE, "meets a certificate by another authority"),
    "certificate_expired": Kind(CERTIFICATE, "meets a certificate that expired yesterday"),
    "certificate_name": Kind(CERTIFICATE, "meets a certificate for another name"),
}
FAULT_NAMES: tuple[str, ...] = tuple(KINDS)
WHOLE_SERVER = frozenset({PORT, CERTIFICATE})
"""Stages that can't be kept to some calls."""

OPTIONS: dict[str, str] = {
    "function": "only calls of this function suffer",
    "after": "begins so long after it is set (60s, or a number of seconds)",
    "for": "ends so long after its beginning",
    "share": "hits this part of the calls, spread evenly and always alike: with 0.25 every 4th",
}
"""What every fault can be given, and what that means."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault of one server as it was ordered; amounts that its kind doesn't take are None.

    Attributes:
        server: the server's name.
        fault: which kind.
        function: only calls of this function suffer; None for all.
        after: seconds of simulated time from the order to its beginning.
        lasts: seconds of simulated time that it lasts; None until it is replaced.
        share: part of the calls that it hits.
        seconds: of latency, of a restart, or of age.
        bytes_per_second: of a slow body.
        megabytes: of an unpacked body.
        rows: share of rows.
    """

    server: str
    fault: str
    function: str | None = None
    after: float = 0.0
    lasts: float | None = msgspec.field(default=None, name="for")
    share: float = 1.0
    seconds: float | None = None
    bytes_per_second: float | None = None
    megabytes: float | None = None
    rows: float | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be suffered, such as a fault that a newer version has kept.

        Raises:
            ValueError: there is no such kind, or its amount is missing.
        """
        kind = KINDS.get(self.fault)
        if kind is None or (kind.takes and getattr(self, kind.takes[0]) is None):
            raise ValueError(f"there is no fault {self.fault} of this kind")

    @property
    def kind(self) -> Kind:
        """What its name stands for."""
        return KINDS[self.fault]

    @property
    def amount(self) -> float:
        """The one amount that its kind takes, 0 if it takes none."""
        return 0.0 if self.kind.takes is None else float(getattr(self, self.kind.takes[0]))


def fault_table() -> str:
    """All faults as a table in Markdown, for the pages for users."""
    rows = []
    for name, kind in KINDS.items():
        takes = f"`{kind.takes[0]}` ({kind.takes[1]:g})" if kind.takes else ""
        rows.append(f"| `{name}` | {takes} | {kind.does} |\n")
    return "| fault | takes (default) | each call |\n|---|---|---|\n" + "".join(rows)
