"""With privacy, what a server says of why it refuses names nobody."""

import pytest

from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    Denied,
    PollError,
    TimedOut,
    Unsupported,
)
from cpanel_mail_exporter.polling.spoken import without_people

SAYS = 'WHM says "no mail of <bob@example.com> from 192.0.2.7 (exporter20241121)"'
MASKED = 'WHM says "no mail of <ADDRESS> from IP (ID)"'


@pytest.mark.parametrize("kind", [ApiRefused, Denied, Unsupported])
def test_a_servers_words_are_masked(kind: type[PollError]) -> None:
    error = without_people(kind("web1", "emailtrack_search", SAYS))
    assert type(error) is kind
    assert (error.server, error.function, error.detail) == ("web1", "emailtrack_search", MASKED)


def test_usual_words_stay() -> None:
    for detail in ("access denied (HTTP 403)", 'WHM says "Permission denied"'):
        assert without_people(Denied("web1", "x", detail)).detail == detail


def test_own_words_stay_the_same_object() -> None:
    error = TimedOut("web1", "emailtrack_search", "no whole answer within 30 s")
    assert without_people(error) is error
