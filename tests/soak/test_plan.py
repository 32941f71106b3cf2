"""What a run is drawn from: everything comes in its turn, and laws fit the quirks."""

from random import Random

from tests.soak import plan
from tests.soak.laws import CAPPED, EXACT, FAULTS, QUIRKS, REPLACED
from whm_simulator.web.faults import FAULT_NAMES


def test_every_fault_comes_in_its_turn() -> None:
    dealt = plan.faults_in_turn(Random(1), 1)
    assert sorted(dealt) == sorted(FAULTS)
    servers = plan.every_quirk_in_turn()
    always = {name for server in servers for name in server.always}
    assert {*dealt, *always, "none"} == set(FAULT_NAMES)


def test_every_quirk_comes_in_its_turn() -> None:
    names = {quirk.partition("=")[0] for one in plan.every_quirk_in_turn() for quirk in one.quirks}
    assert names == {quirk.partition("=")[0] for quirk in QUIRKS}


def test_each_seed_gives_the_same_servers_and_another_one_others() -> None:
    assert plan.quirks_together(Random("a")) == plan.quirks_together(Random("a"))
    assert plan.quirks_together(Random("a")) != plan.quirks_together(Random("b"))


def test_the_law_of_several_quirks() -> None:
    assert plan.law_of({"cap=100", "ignored=filter"}) == CAPPED
    assert plan.law_of({"cap=100", "cap-comes=before", "retries=replaced"}) == CAPPED
    assert plan.law_of({"retries=replaced", "no-gzip"}) == REPLACED
    assert plan.law_of({"cap=100", "ignored=sort"}) == EXACT
