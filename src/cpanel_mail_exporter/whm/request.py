"""What to ask, as text: pure, so that every query can be tested to the byte."""

from urllib.parse import urlencode

from cpanel_mail_exporter.model.query import DELIVERY_TYPES, SearchQuery

USER_STATS_FUNCTION = "emailtrack_user_stats"
SEARCH_FUNCTION = "emailtrack_search"


def user_stats_query(start_unix: int, end_unix: int) -> str:
    """Query string of emailtrack_user_stats for the window from *start_unix* to *end_unix*.

    >>> user_stats_query(1763600000, 1763686400)
    'api.version=1&starttime=1763600000&endtime=1763686400'
    """
    return urlencode([("api.version", "1"), ("starttime", start_unix), ("endtime", end_unix)])


def search_query(query: SearchQuery) -> str:
    """Query string of emailtrack_search.

    Every switch is sent, since its documented default and reports from the field disagree. The
    slice's ends are written with the two operators of cPanel's own example, `gt` and `lt`, both
    exclusive there; numbers are sorted with method `numeric`, without which the page on sorting
    says that a call fails.
    """
    flags = [(name, int(name in query.types)) for name in DELIVERY_TYPES]
    return urlencode(
        [
            ("api.version", "1"),
            ("api.filter.enable", "1"),
            ("api.filter.a.field", "sendunixtime"),
            ("api.filter.a.arg0", query.span.start - 1),
            ("api.filter.a.type", "gt"),
            ("api.filter.b.field", "sendunixtime"),
            ("api.filter.b.arg0", query.span.end),
            ("api.filter.b.type", "lt"),
            ("api.sort.enable", "1"),
            ("api.sort.a.field", "sendunixtime"),
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
