"""What is asked of WHM, byte for byte."""

import pytest

from cpanel_mail_exporter.model.query import DELIVERY_TYPES, Instant, SearchQuery
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.whm.request import (
    accounts_query,
    plain_query,
    search_query,
    service_query,
    totals_query,
    unique_recipients_query,
    user_stats_query,
)


def test_user_stats_are_asked_with_nothing_but_version_and_window() -> None:
    asked = user_stats_query(1763600000, 1763686400)
    assert asked == "api.version=1&starttime=1763600000&endtime=1763686400"


def test_totals_are_asked_whole() -> None:
    assert totals_query(1763600000, 1763686400) == (
        "api.version=1&starttime=1763600000&endtime=1763686400"
        "&deliverytype=all&nosize=0&nosuccess=0"
    )


def test_a_search_by_action_time_is_sorted_by_it_and_can_be_narrowed() -> None:
    query = SearchQuery(
        Slice(50, 60),
        ("defer",),
        10,
        by=Instant.ACTED,
        also=Slice(40, 42),
        recipient_begins="a&b",
    )
    assert search_query(query) == (
        "api.version=1&api.filter.enable=1"
        "&api.filter.a.field=actionunixtime&api.filter.a.arg0=49&api.filter.a.type=gt"
        "&api.filter.b.field=actionunixtime&api.filter.b.arg0=60&api.filter.b.type=lt"
        "&api.filter.c.field=sendunixtime&api.filter.c.arg0=39&api.filter.c.type=gt"
        "&api.filter.d.field=sendunixtime&api.filter.d.arg0=42&api.filter.d.type=lt"
        "&api.filter.e.field=recipient&api.filter.e.arg0=a%26b&api.filter.e.type=begins"
        "&api.sort.enable=1&api.sort.a.field=actionunixtime"
        "&api.sort.a.method=numeric&api.sort.a.reverse=0"
        "&success=0&defer=1&failure=0&inprogress=0"
        "&deliverytype=all&max_results_by_type=0"
        "&api.chunk.enable=1&api.chunk.start=1&api.chunk.size=10"
    )


def test_a_search_names_every_switch_and_both_ends_of_its_slice() -> None:
    query = SearchQuery(Slice(1763600000, 1763686400), ("success", "failure", "defer"), 5000, 5001)
    assert search_query(query) == (
        "api.version=1&api.filter.enable=1"
        "&api.filter.a.field=sendunixtime&api.filter.a.arg0=1763599999&api.filter.a.type=gt"
        "&api.filter.b.field=sendunixtime&api.filter.b.arg0=1763686400&api.filter.b.type=lt"
        "&api.sort.enable=1&api.sort.a.field=sendunixtime"
        "&api.sort.a.method=numeric&api.sort.a.reverse=0"
        "&success=1&defer=1&failure=1&inprogress=0"
        "&deliverytype=all&max_results_by_type=0"
        "&api.chunk.enable=1&api.chunk.start=5001&api.chunk.size=5000"
    )


@pytest.mark.parametrize("wanted", DELIVERY_TYPES)
def test_each_type_is_asked_for_by_a_flag_of_its_own(wanted: str) -> None:
    asked = search_query(SearchQuery(Slice(1, 2), (wanted,), 10)).split("&")
    flags = {part for part in asked if part.split("=")[0] in DELIVERY_TYPES}
    assert flags == {f"{name}={int(name == wanted)}" for name in DELIVERY_TYPES}


def test_of_accounts_only_what_concerns_mail_is_asked() -> None:
    assert accounts_query() == (
        "api.version=1&want=user%2Cdomain%2Cowner%2Cmax_email_per_hour"
        "%2Cmax_defer_fail_percentage%2Coutgoing_mail_suspended%2Coutgoing_mail_hold%2Csuspended"
    )


def test_unique_recipients_are_asked_with_both_ends_of_the_window() -> None:
    asked = unique_recipients_query(1763600000, 1763603600)
    assert asked == "api.version=1&start_time=1763600000&end_time=1763603600"


def test_a_service_is_asked_by_name_and_what_takes_no_parameters_gets_none() -> None:
    assert service_query("exim-altport") == "api.version=1&service=exim-altport"
    assert plain_query() == "api.version=1"
