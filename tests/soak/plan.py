"""Which servers there are in a round, and what goes wrong when: all from one seed."""

from dataclasses import dataclass
from random import Random

from tests.soak.laws import CAPPED, DOUBLED, EXACT, FAULTS, QUIRKS, REPLACED

FIRST_FAULT_SECONDS, LAST_FAULT_SECONDS = 30, 420
"""How long a fault lasts, in the server's time."""

LAST_COMMIT = 10
"""A process that is to die at a commit dies at one of its first so many."""


@dataclass(frozen=True)
class Server:
    """A simulated server.

    Attributes:
        quirks: what `whm-simulator --quirk` takes.
        law: one of LAWS.
        always: faults that it has from the first to the last.
        sometimes: faults that come and go on it beyond those of every server.
    """

    name: str
    quirks: tuple[str, ...] = ()
    law: str = EXACT
    always: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Death:
    """How a process of the exporter ends.

    Attributes:
        commit: it kills itself at its how many-th commit; None for any instant.
        is_after: just after that commit, else just before it.
        seconds: if it still lives then, it is killed from outside.
    """

    commit: int | None
    is_after: bool
    seconds: float


def every_quirk_in_turn() -> list[Server]:
    """Twelve servers with all quirks between them, each quirk with few others beside it."""
    quirks: tuple[tuple[tuple[str, ...], str], ...] = (
        ((), EXACT),
        (("late=45m", "without-types=everything"), EXACT),
        (("cap=40", "empty=text"), EXACT),
        (("cap=100", "hide-overflow", "numbers=strings"), EXACT),
        (("cap=40", "cap-comes=before"), CAPPED),
        (("time-filters=send", "totals-go-by=action"), EXACT),
        (("range-ends=excluded", "chunk-limit=25", "empty=absent"), EXACT),
        (("ignored=filter,sort", "no-gzip"), EXACT),
        (("ignored=chunk,columns", "clock-offset=-7m"), EXACT),
        (("retries=replaced", "remote-user=empty"), REPLACED),
        (("type-words=more", "remote-user=null", "accepted=Zugestellt"), EXACT),
        (("clock-offset=7m",), EXACT),
    )
    servers = [Server(f"web{n}", *these) for n, these in enumerate(quirks, 1)]
    servers[-1] = Server("web12", *quirks[-1], always=("duplicated_rows",))
    return servers


def quirks_together(rng: Random, count: int = 12) -> list[Server]:
    """*count* servers with up to four quirks each, drawn from all."""
    servers = []
    for number in range(1, count + 1):
        drawn: dict[str, str] = {}
        for text in rng.sample(sorted(QUIRKS), rng.randint(1, 4)):
            drawn.setdefault(text.partition("=")[0], text)
        if drawn.keys() & {"hide-overflow", "cap-comes"}:
            drawn["cap"] = "cap=100"
        if drawn.get("retries") and drawn.get("late"):
            # What is hidden for a while may be replaced before it was ever shown.
            del drawn["late"]
        law, sometimes = law_of(set(drawn.values())), ()
        if law == EXACT and rng.random() < 0.15:
            law, sometimes = DOUBLED, ("duplicated_rows",)
        servers.append(Server(f"web{number}", tuple(sorted(drawn.values())), law, (), sometimes))
    return servers


def law_of(quirks: set[str]) -> str:
    """The law that several quirks come to together."""
    filters_are_blunt = bool(quirks & {"cap-comes=before", "ignored=filter"})
    if filters_are_blunt and any(quirk.startswith("cap=") for quirk in quirks):
        return CAPPED
    return REPLACED if "retries=replaced" in quirks else EXACT


def faults_in_turn(rng: Random, rounds: int) -> list[str]:
    """Every fault *rounds* times, in any order."""
    dealt: list[str] = []
    for _ in range(rounds):
        names = sorted(FAULTS)
        rng.shuffle(names)
        dealt += names
    return dealt


def fault_order(rng: Random, server: Server, name: str) -> dict[str, object]:
    """An order for `POST /faults`; it begins at once and ends by itself, in the server's time."""
    order: dict[str, object] = {"server": server.name, "fault": name, **FAULTS.get(name, {})}
    if name != "restart":
        order["for"] = rng.randint(FIRST_FAULT_SECONDS, LAST_FAULT_SECONDS)
    return order


def death(rng: Random, shortest_seconds: float, longest_seconds: float) -> Death:
    """Half of them at a commit, half at any instant."""
    if rng.random() < 0.5:
        return Death(rng.randint(1, LAST_COMMIT), rng.random() < 0.5, 2 * longest_seconds)
    return Death(None, False, rng.uniform(shortest_seconds, longest_seconds))
