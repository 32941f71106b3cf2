"""How many series a family can have: stated for every family, and never less than there are."""

from dataclasses import fields, replace

import pytest

from cpanel_mail_exporter.bounces.providers import Providers
from cpanel_mail_exporter.config.bounce_files import package_providers
from cpanel_mail_exporter.config.options import OPTIONS
from cpanel_mail_exporter.exposition.cardinality import count_series
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.bounds import Budgets, bounds, cost, most_of_all
from cpanel_mail_exporter.publishing.board import Board
from tests.golden.test_expositions import counting, file_mode, flag_mode, state

PROVIDERS = len(Providers([package_providers()]).names)
USUAL = Budgets(providers=PROVIDERS)


def most(budgets: Budgets = USUAL) -> dict[str, int | None]:
    return {bound.family.name: bound.most for bound in bounds(budgets)}


def test_every_family_has_a_bound_and_its_setting_is_one() -> None:
    found = bounds(USUAL)
    assert tuple(bound.family for bound in found) == catalogue.FAMILIES
    assert all(bound.most for bound in found)
    keys = {option.key for option in OPTIONS}
    assert {bound.key for bound in found if bound.key} <= keys
    for bound in found:
        # A label with more than one value can't have come without a number that says how many.
        assert bound.factors or not bound.family.labels or bound.most == 1, bound.family.name


@pytest.mark.parametrize("made", [flag_mode, file_mode, counting, state])
def test_no_family_has_more_series_than_its_bound(made: object) -> None:
    board: Board = made()  # type: ignore[operator]
    counted = count_series(board.parts(), catalogue.EMAIL_LOGS)
    limits = most_of_all(bounds(USUAL), len(board.servers), USUAL)
    for one in counted.families:
        limit = limits[one.family.name]
        assert limit is not None
        assert one.series <= limit, one.family.name


@pytest.mark.parametrize("name", [f.name for f in fields(Budgets) if f.name != "providers"])
def test_each_budget_bounds_some_family_and_0_bounds_none(name: str) -> None:
    if name == "email_logs_total":
        return
    smaller, none = most(replace(USUAL, **{name: 1})), most(replace(USUAL, **{name: 0}))
    reduced = {family for family, count in most().items() if smaller[family] != count}
    assert reduced
    assert {family for family, count in none.items() if count is None} == reduced


def test_one_bound_for_the_lines_of_many_servers() -> None:
    found = bounds(USUAL)
    assert most_of_all(found, 3, USUAL)["email_logs"] == 50_000
    assert most_of_all(found, 3, USUAL)["cpanel_mail_accounts"] == 12
    assert most_of_all(found, 3, USUAL)["cpanel_mail_build_info"] == 1
    apart = replace(USUAL, email_logs_total=0)
    assert most_of_all(bounds(apart), 3, apart)["email_logs"] == 150_000
    unbounded = replace(USUAL, email_logs=0)
    assert most_of_all(bounds(unbounded), 3, unbounded)["email_logs"] == 50_000
    both = replace(USUAL, email_logs=0, email_logs_total=0)
    assert most_of_all(bounds(both), 3, both)["email_logs"] is None


def test_cost_is_the_range_that_was_measured() -> None:
    assert cost(100_000) == "1.1-1.5 GB"
    assert cost(1_000) == "11-15 MB"
