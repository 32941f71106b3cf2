"""What to ask, as text: pure, so that every query can be tested to the byte."""

from collections.abc import Iterable
from string import ascii_lowercase
from urllib.parse import urlencode

from cpanel_mail_exporter.model.query import DELIVERY_TYPES, Instant, SearchQuery
from cpanel_mail_exporter.model.window import Slice

USER_STATS_FUNCTION = "emailtrack_user_stats"
TOTALS_FUNCTION = "emailtrack_stats"
SEARCH_FUNCTION = "emailtrack_search"
MAIL_QUEUE_FUNCTION = "fetch_mail_queue"
ACCOUNTS_FUNCTION = "listaccts"
UNIQUE_RECIPIENTS_FUNCTION = "get_unique_sender_recipient_count_per_user"
SERVICES_FUNCTION = "servicestatus"
VERSION_FUNCTION = "version"
HOSTNAME_FUNCTION = "gethostname"

_WANTED_OF_ACCOUNTS = (
    "user",
    "domain",
    "owner",
    "max_email_per_hour",
    "max_defer_fail_percentage",
    "outgoing_mail_suspended",
    "outgoing_mail_hold",
    "suspended",
)

_Filter = tuple[str, str | int, str]


def user_stats_query(start_unix: int, end_unix: int) -> str:
    """Query string of emailtrack_user_stats for the window from *start_unix* to *end_unix*.

    >>> user_stats_query(1763600000, 1763686400)
    'api.version=1&starttime=1763600000&endtime=1763686400'
    """
    return urlencode([("api.version", "1"), ("starttime", start_unix), ("endtime", end_unix)])


def totals_query(start_unix: int, end_unix: int) -> str:
    """Query string of emailtrack_stats for the range from *start_unix* to *end_unix*.

    >>> totals_query(1763600000, 1763686400)
    'api.version=1&starttime=1763600000&endtime=1763686400&deliverytype=all&nosize=0&nosuccess=0'
    """
    return urlencode(
        [
            ("api.version", "1"),
            ("starttime", start_unix),
            ("endtime", end_unix),
            ("deliverytype", "all"),
            ("nosize", "0"),
            ("nosuccess", "0"),
        ]
    )


def accounts_query() -> str:
    """Query string of listaccts for the members that have to do with sending mail.

    `want` is documented as the returns to include, without a word on how to name several; public
    clients separate them by commas. An answer with all members is as good, only longer.

    >>> accounts_query()[:33]
    'api.version=1&want=user%2Cdomain%'
    """
    return urlencode([("api.version", "1"), ("want", ",".join(_WANTED_OF_ACCOUNTS))])


def unique_recipients_query(start_unix: int, end_unix: int) -> str:
    """Query string of get_unique_sender_recipient_count_per_user for a window.

    Its two parameters are spelled with an underscore, unlike those of the other functions. As far
    as public code shows, the call fails if *end_unix* is later than the server's own clock, or not
    later than *start_unix*.

    >>> unique_recipients_query(1763600000, 1763603600)
    'api.version=1&start_time=1763600000&end_time=1763603600'
    """
    return urlencode([("api.version", "1"), ("start_time", start_unix), ("end_time", end_unix)])


def service_query(name: str) -> str:
    """Query string of servicestatus for one service.

    Without a name WHM looks at each service it knows, some thirty, for the two that matter.

    >>> service_query("exim")
    'api.version=1&service=exim'
    """
    return urlencode([("api.version", "1"), ("service", name)])


def plain_query() -> str:
    """Query string of a function that takes no parameters.

    >>> plain_query()
    'api.version=1'
    """
    return urlencode([("api.version", "1")])


def search_query(query: SearchQuery) -> str:
    """Query string of emailtrack_search.

    Every switch is sent, since its documented default and reports from the field disagree. The
    slice's ends are written with the two operators of cPanel's own example, `gt` and `lt`, both
    exclusive there; numbers are sorted with method `numeric`, without which the page on sorting
    says that a call fails.
    """
    flags = [(name, int(name in query.types)) for name in DELIVERY_TYPES]
    by = query.by.value
    other = (Instant.ACTED if query.by is Instant.SENT else Instant.SENT).value
    filters = _within(by, query.span)
    if query.also is not None:
        filters += _within(other, query.also)
    if query.recipient_begins:
        filters.append(("recipient", query.recipient_begins, "begins"))
    return urlencode(
        [
            ("api.version", "1"),
            ("api.filter.enable", "1"),
            *_numbered("api.filter", ("field", "arg0", "type"), filters),
            ("api.sort.enable", "1"),
            ("api.sort.a.field", by),
            ("api.sort.a.method", "numeric"),
            ("api.sort.a.reverse", "0"),
            *flags,
            ("deliverytype", "all"),
            ("max_results_by_type", "0"),
            ("api.chunk.enable", "1"),
            ("api.chunk.start", query.first_row),
            ("api.chunk.size", query.page_rows),
        ]
    )


def _within(field: str, span: Slice) -> list[_Filter]:
    return [(field, span.start - 1, "gt"), (field, span.end, "lt")]


def _numbered(
    prefix: str, members: tuple[str, ...], rows: Iterable[_Filter]
) -> list[tuple[str, str | int]]:
    """Members of several filters, under the names a, b, c..."""
    return [
        (f"{prefix}.{letter}.{member}", value)
        for letter, row in zip(ascii_lowercase, rows, strict=False)
        for member, value in zip(members, row, strict=True)
    ]
