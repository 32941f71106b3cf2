"""Every switch for what the facts about WHM leave open, stated once, as data.

The parser of ``--quirk``, the command's help and the reference page read this table.
"""

import enum
import textwrap
from typing import NamedTuple


class Kind(enum.Enum):
    """What a quirk's value is: some of its known words, something free, or nothing at all."""

    WORD = enum.auto()
    WORDS = enum.auto()
    NUMBER = enum.auto()
    DURATION = enum.auto()
    TEXT = enum.auto()
    SWITCH = enum.auto()


class QuirkRow(NamedTuple):
    """One quirk.

    Attributes:
        name: as ``--quirk`` takes it.
        field: its field of ``Quirks``.
        kind: what its value is.
        values: the words it may be, the usual one first; for other kinds how a value is written.
        does: what the server does with it.
        is_open: what about WHM nobody has published.
        least: smallest value, for numbers and times.
    """

    name: str
    field: str
    kind: Kind
    values: tuple[str, ...]
    does: str
    is_open: str
    least: int | None = 0

    @property
    def usage(self) -> str:
        """How it is written: ``cap=N``, ``empty=null|absent|text``, ``no-gzip``."""
        if self.kind is Kind.SWITCH:
            return self.name
        joint = "," if self.kind is Kind.WORDS else "|"
        return f"{self.name}={joint.join(self.values)}"


QUIRK_ROWS: tuple[QuirkRow, ...] = (
    QuirkRow(
        "numbers", "numbers", Kind.WORD, ("numbers", "strings"),
        "Every number of an answer, metadata included, is a number or a text.",
        "cPanel documents integers; its older samples and public clients show texts as well.",
    ),
    QuirkRow(
        "empty", "empty", Kind.WORD, ("null", "absent", "text"),
        "A member without a value is null, is left out, or is an empty text.",
        "Which form members of a row take before a delivery, or for outside parties, is unknown.",
    ),
    QuirkRow(
        "cap-comes", "cap_comes", Kind.WORD, ("after", "before"),
        "max_results_by_type cuts after or before api.filter.* has thrown rows out.",
        "That the cap comes after is concluded from one script's success with short windows.",
    ),
    QuirkRow(
        "cap", "cap", Kind.NUMBER, ("N",),
        "No answer of emailtrack_search has more than N rows of one type; 0 for no such bound.",
        "One author never got more than 250 rows of a type, whatever was asked for.",
    ),
    QuirkRow(
        "hide-overflow", "tells_overflow", Kind.SWITCH, (),
        "metadata.overflowed is missing, so that nothing says that a cap cut the answer.",
        "The member is undocumented, and 0 in every public sample.",
    ),
    QuirkRow(
        "time-filters", "time_filters", Kind.WORD, ("any", "send"),
        "With send, a filter on actionunixtime is applied to sendunixtime.",
        "Any return may be a filter field by contract; nobody has shown this one to work.",
    ),
    QuirkRow(
        "totals-go-by", "totals_go_by", Kind.WORD, ("send", "action"),
        "Ranges of totals and unique counts select by send time or by action time (what is in"
        " progress always by send time).",
        "Which time the ranges of emailtrack_stats and the others mean isn't documented.",
    ),
    QuirkRow(
        "range-ends", "range_ends", Kind.WORD, ("included", "excluded"),
        "Totals and unique counts include both ends of their range, or neither.",
        "cPanel's example filters with ends left out; for ranges nothing is said.",
    ),
    QuirkRow(
        "chunk-limit", "chunk_limit", Kind.NUMBER, ("N",),
        "A page has N records at most, whatever api.chunk.size says; 0 for no such bound.",
        "An upper bound of the page size is neither documented nor ruled out.",
    ),
    QuirkRow(
        "ignored", "ignored", Kind.WORDS, ("filter", "sort", "chunk", "columns"),
        "These output options have no effect.",
        "cPanel says that the options work on all functions; for columns nobody has shown it.",
    ),
    QuirkRow(
        "late", "late_seconds", Kind.DURATION, ("TIME",),
        "Each row appears between 0 and TIME (such as 45m) after its action, and the recipient is"
        " in progress until then.",
        "How long the log follower takes to show a delivery isn't known.",
    ),
    QuirkRow(
        "retries", "retries", Kind.WORD, ("kept", "replaced"),
        "A deferral stays when there is a later attempt, or is replaced by it.",
        "Whether retries add rows or overwrite them isn't documented.",
    ),
    QuirkRow(
        "accepted", "accepted", Kind.TEXT, ("TEXT",),
        "The message of a good delivery is TEXT in place of Accepted.",
        "The word may follow the server's language.",
    ),
    QuirkRow(
        "type-words", "type_words", Kind.WORD, ("documented", "more"),
        "With more, some local successes have the type archive or filtered and some failures the"
        " type rejected; the flags success and failure bring them, and no count by type has them.",
        "The web interface shows such icons; whether the API says such words isn't known.",
    ),
    QuirkRow(
        "without-types", "without_types", Kind.WORD, ("nothing", "everything"),
        "What emailtrack_search finds if none of success, defer, failure and inprogress is sent.",
        "The four default to 0 by the specification; field reports disagree.",
    ),
    QuirkRow(
        "clock-offset", "clock_offset_seconds", Kind.DURATION, ("TIME",),
        "The server's clock is ahead by TIME, or behind if it is negative (such as -7m).",
        "Clocks of servers differ from that of the client.",
        None,
    ),
    QuirkRow(
        "no-gzip", "has_gzip", Kind.SWITCH, (),
        "Answers are never compressed.",
        "Whether WHM compresses for clients that take gzip isn't documented.",
    ),
    QuirkRow(
        "lacking-acl", "lacking_acl", Kind.WORD, ("result_0", "403"),
        "A call without its privilege gets result 0 in the usual envelope, or a 403 as after a"
        " bad login.",
        "Both forms have been seen for refusals; which one a lacking privilege gets is unknown.",
    ),
    QuirkRow(
        "version-shape", "version_shape", Kind.WORD, ("api1", "legacy"),
        "version answers in the envelope of WHM API 1, or inside cpanelresult.",
        "One project has captured the older form from a recent server.",
    ),
    QuirkRow(
        "limits", "limits", Kind.WORD, ("text", "number"),
        'A reached limit in emailtrack_user_stats is a text such as "150/150", or 1.',
        "cPanel documents 0 and 1; public samples show the texts.",
    ),
    QuirkRow(
        "bounce-sender", "bounce_sender", Kind.WORD, ("empty", "brackets", "null"),
        "The sender of a bounce in fetch_mail_queue is an empty text, <> or null.",
        "No sample of a bounce in the queue has been published.",
    ),
    QuirkRow(
        "remote-user", "remote_user", Kind.WORD, ("-remote-", "null", "empty"),
        "deliveryuser of mail to other sites is -remote-, null or an empty text.",
        "Samples show -remote- and null for non-local recipients.",
    ),
    QuirkRow(
        "user-rows", "user_rows", Kind.WORD, ("user", "domain"),
        "emailtrack_user_stats has one record of a user, or one of each of its domains.",
        "Samples only show users with a single domain.",
    ),
)  # fmt: skip


def quirk_help(width: int = 100) -> str:
    """All quirks for a help text: how each is written and, indented, what it does.

    Args:
        width: most characters of a line.
    """
    lines = []
    for row in QUIRK_ROWS:
        lines.append(f"  {row.usage}")
        lines += textwrap.wrap(
            row.does, width, initial_indent=" " * 6, subsequent_indent=" " * 6,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines) + "\n"
