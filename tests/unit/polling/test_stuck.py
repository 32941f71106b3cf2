"""A slice that can't be read must not keep all others waiting."""

from cpanel_mail_exporter.model.errors import TimedOut
from cpanel_mail_exporter.model.query import AnswerEnd, SearchQuery
from tests.unit.polling.test_deliveries import DAYS, NOW, event, history, visits_of
from tests.unit.polling.visits import Visits


def always_too_slow(visits: Visits, second: int) -> None:
    """Whatever is asked about that second never comes in time."""
    search = visits.server.search

    async def answer(query: SearchQuery, receive: object) -> AnswerEnd:
        if query.span.start <= second < query.span.end:
            raise TimedOut("web1", "emailtrack_search", "no whole answer within 30 s")
        return await search(query, receive)  # type: ignore[arg-type]

    visits.server.search = answer  # type: ignore[assignment,method-assign]


async def test_the_rest_of_the_backlog_is_read_meanwhile() -> None:
    visits = visits_of(history(200))
    always_too_slow(visits, NOW - 2 * DAYS)
    await visits.poll_times(100)
    assert visits.last.state.backlog_slices == 1
    assert visits.last.later_error is not None


async def test_changes_elsewhere_are_found_meanwhile() -> None:
    late = event(NOW - 2 * DAYS, acted=NOW + 6_100)
    other = event(NOW - 4 * DAYS, acted=NOW + 6_100)
    visits = visits_of([*history(200), late, other], quirks={"acts_by_send": True})
    await visits.poll_times(100)
    always_too_slow(visits, NOW - 2 * DAYS)
    await visits.poll_times(40)
    assert visits.events() == 1
