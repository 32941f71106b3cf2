"""What the simulated WHM answers, byte for byte: of each function, plain and with quirks.

A difference means that every figure recorded with the simulator so far was about another world.
"""

from collections.abc import Callable

from whm_simulator.api.functions import FUNCTIONS, call
from whm_simulator.api.quirks import parse_quirks
from whm_simulator.api.visit import Caller, Visit
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

Compare = Callable[[str, bytes], None]

NOW_UNIX = 1_795_252_447
SETTINGS = WorldSettings(seed="golden", accounts=9, rate_per_minute=6, history_seconds=1800)
ODD = ("numbers=strings", "empty=absent", "accepted=Angenommen", "type-words=more", "limits=number")
RESELLER = Caller("reseller1", frozenset({"track-email", "list-accts"}))
SLICE = {
    "success": "1", "defer": "1", "failure": "1", "inprogress": "1", "deliverytype": "all",
    "max_results_by_type": "0",
    "api.filter.enable": "1",
    "api.filter.a.field": "sendunixtime", "api.filter.a.type": "gt_equal",
    "api.filter.a.arg0": str(NOW_UNIX - 240),
    "api.sort.enable": "1", "api.sort.a.field": "sendunixtime", "api.sort.a.method": "numeric",
    "api.chunk.enable": "1", "api.chunk.size": "100", "api.chunk.verbose": "1",
}  # fmt: skip
HOUR = {"start_time": str(NOW_UNIX - 3600), "end_time": str(NOW_UNIX)}
PARAMS: dict[str, dict[str, str]] = {
    "emailtrack_search": SLICE,
    "emailtrack_user_stats": {"starttime": str(NOW_UNIX - 3600), "endtime": str(NOW_UNIX)},
    "emailtrack_stats": {"starttime": str(NOW_UNIX - 3600), "endtime": str(NOW_UNIX)},
    "get_unique_sender_recipient_count_per_user": HOUR,
    "get_unique_recipient_count_per_sender_for_user": {**HOUR, "user": "shop1"},
}


def answers(visit: Visit) -> bytes:
    """Every function's whole body below a line that says which."""
    lines = []
    for name in sorted(FUNCTIONS):
        answer = call(visit, name, {"api.version": "1", **PARAMS.get(name, {})})
        lines += [f"# {name}".encode(), b"".join(answer.pieces())]
    return b"\n".join([*lines, b""])


def world() -> World:
    return World(SETTINGS, "web1", 1, BlockCache(100_000))


def test_what_root_is_answered(golden: Compare) -> None:
    golden("whm_for_root.txt", answers(Visit(world(), NOW_UNIX)))


def test_what_root_is_answered_by_an_odd_server(golden: Compare) -> None:
    quirks = parse_quirks(list(ODD), ["web1"])["web1"]
    golden("whm_with_quirks.txt", answers(Visit(world(), NOW_UNIX, quirks=quirks)))


def test_what_a_reseller_is_answered(golden: Compare) -> None:
    golden("whm_for_a_reseller.txt", answers(Visit(world(), NOW_UNIX, RESELLER)))
