"""What a server does where the facts about WHM leave it open: a switch for each unknown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirks:
    """The choices of one server; the defaults are what is thought most likely.

    Attributes:
        numbers: ``numbers``, or ``strings`` for every number of an answer as text.
        empty: null members as ``null``, left out (``absent``) or as empty text (``text``).
        cap_comes: whether a cap cuts ``after`` or ``before`` the filters.
        cap: most rows of one type in any answer; 0 for no bound beyond what was asked for.
        tells_overflow: whether ``metadata.overflowed`` says that a cap cut the answer.
        time_filters: ``any`` time field, or ``send`` where a filter on the action time is applied
            to the send time.
        totals_go_by: ``send`` or ``action`` time.
        range_ends: whether totals include both ends of a range (``included``) or none
            (``excluded``).
        chunk_limit: most rows of one page whatever was asked for; 0 for no bound.
        ignored: output options without effect, of filter, sort, chunk and columns.
        late_seconds: rows appear up to this long after their time.
        retries: deferrals are ``kept``, or ``replaced`` by the next attempt.
        accepted: what WHM writes in place of "Accepted".
        type_words: ``documented``, or ``more`` for filtered, archive and rejected rows as well.
        without_types: what a search without any type flag finds: ``nothing`` or ``everything``.
        clock_offset_seconds: how far the server's clock is ahead.
        has_gzip: whether answers are compressed for who takes it.
        lacking_acl: ``result_0`` or ``403``.
        version_shape: ``api1`` or ``legacy``.
        limits: REACHED_* as ``text`` ("150/150") or ``number`` (1).
        bounce_sender: of a bounce in the queue: ``empty``, ``brackets`` or ``null``.
        remote_user: ``deliveryuser`` of other sites' mail: ``-remote-``, ``null`` or ``empty``.
        user_rows: one record of a user (``user``), or one of each of its domains (``domain``).
    """

    numbers: str = "numbers"
    empty: str = "null"
    cap_comes: str = "after"
    cap: int = 0
    tells_overflow: bool = True
    time_filters: str = "any"
    totals_go_by: str = "send"
    range_ends: str = "included"
    chunk_limit: int = 0
    ignored: frozenset[str] = frozenset()
    late_seconds: int = 0
    retries: str = "kept"
    accepted: str = "Accepted"
    type_words: str = "documented"
    without_types: str = "nothing"
    clock_offset_seconds: int = 0
    has_gzip: bool = True
    lacking_acl: str = "result_0"
    version_shape: str = "api1"
    limits: str = "text"
    bounce_sender: str = "empty"
    remote_user: str = "-remote-"
    user_rows: str = "user"


PLAIN = Quirks()
"""A server without quirks."""
