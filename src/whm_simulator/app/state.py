"""What a simulator keeps in its folder, so that one that was killed comes back as it was."""

import os
from pathlib import Path
from typing import Any

import msgspec

from whm_simulator.errors import SimulatorError
from whm_simulator.web.clock import Anchor
from whm_simulator.web.faults import Fault
from whm_simulator.web.switch import SetFault

_FILE = "state.json"


class Told(msgspec.Struct, kw_only=True):
    """What the flags said of time and faults; if they say something else now, they win."""

    start_unix: float | None
    speed: float
    faults: list[Fault]


class State(msgspec.Struct, kw_only=True):
    """What is kept.

    Attributes:
        first_start_unix: simulated time at the first start, from which ``+60s`` counts.
        told: what the flags said when this was written.
        clock: how simulated time goes.
        faults: those that are set.
        ports: by server, and that of the control endpoint as ``control``.
    """

    first_start_unix: float
    told: Told
    clock: Anchor
    faults: list[SetFault]
    ports: dict[str, int]


def load(folder: Path) -> State | None:
    """What an earlier run left in *folder*; None if there was none.

    Raises:
        SimulatorError: it can't be read.
    """
    path = folder / _FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SimulatorError(
            f"{path} can't be read ({error}); remove it or choose another folder."
        ) from None


def save(folder: Path, state: State) -> None:
    """Keep *state* in *folder*."""
    write_whole(folder / _FILE, state)


def write_whole(path: Path, content: Any) -> None:
    """Write *content* as JSON, for its owner alone: a reader sees all of it or no file at all."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(content) + b"\n")
    part.replace(path)
