"""Orders of faults, as JSON objects or as text of a flag, checked into `Fault` or one sentence."""

import math
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec

from whm_simulator.web.faults import CERTIFICATE, KINDS, OPTIONS, PORT, WHOLE_SERVER, Fault

EVERY_SERVER = "*"
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_FUNCTION = re.compile(r"\w{1,64}", re.ASCII)


class FaultMistake(Exception):
    """An order that can't be followed; the text says what is wrong, in one sentence."""


class UnknownServer(FaultMistake):
    """An order for a server that there isn't."""


class _Bounds(NamedTuple):
    smallest: float
    largest: float
    said: str


_BOUNDS = {
    "after": _Bounds(0, 1e9, "0 or more"),
    "for": _Bounds(1e-6, 1e9, "more than 0"),
    "share": _Bounds(1e-6, 1, "more than 0 and at most 1"),
    "seconds": _Bounds(0, 1e9, "0 or more"),
    "bytes_per_second": _Bounds(1, 1e9, "1 or more"),
    "megabytes": _Bounds(1, 65_536, "from 1 to 65536"),
    "rows": _Bounds(0, 1, "from 0 to 1"),
}


def faults_of_json(text: bytes, servers: Collection[str], *, has_tls: bool) -> list[Fault]:
    """The faults of a JSON list of objects.

    Raises:
        FaultMistake: it is something else, or an object is no good order.
    """
    orders = decoded(text)
    if not isinstance(orders, list):
        raise FaultMistake("The faults can't be read: write a JSON list of objects.")
    return [fault for order in orders for fault in faults_of(order, servers, has_tls=has_tls)]


def decoded(text: bytes) -> Any:
    """What a JSON text says.

    Raises:
        FaultMistake: it is no JSON.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FaultMistake(f"The fault can't be read: {error}.") from None


def order_of_text(text: str) -> dict[str, Any]:
    """The order that a flag's text writes as ``SERVER:FAULT,NAME=VALUE,...``.

    Raises:
        FaultMistake: it has another form.

    >>> order_of_text("web1:latency,seconds=20,after=60s")
    {'server': 'web1', 'fault': 'latency', 'seconds': '20', 'after': '60s'}
    """
    server, colon, rest = text.partition(":")
    fault, *pairs = rest.split(",")
    if not server or not colon or not fault:
        raise FaultMistake(f'Write the fault "{text}" as SERVER:FAULT, such as web1:hang.')
    order: dict[str, Any] = {"server": server, "fault": fault}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise FaultMistake(f'Write "{pair}" of the fault "{text}" as NAME=VALUE.')
        if name in order:
            raise FaultMistake(f'The fault "{text}" says "{name}" twice.')
        order[name] = value
    return order


def faults_of(order: object, servers: Collection[str], *, has_tls: bool) -> list[Fault]:
    """The fault that *order* means, once for each server that it names.

    Args:
        order: an object of JSON; numbers may be text, and times may have a unit (``5m``).
        servers: names of all servers.
        has_tls: whether they speak TLS.

    Raises:
        UnknownServer: it names a server that there isn't.
        FaultMistake: anything else is wrong with it.
    """
    if not isinstance(order, Mapping):
        raise FaultMistake("The fault can't be read: write a JSON object.")
    server, name = _text(order, "server"), _text(order, "fault")
    kind = KINDS.get(name)
    if kind is None:
        raise FaultMistake(
            f'The fault can\'t be read: there is no fault "{name}"; there are: {", ".join(KINDS)}.'
        )
    amount = kind.takes[0] if kind.takes else None
    values: dict[str, Any] = dict([kind.takes]) if kind.takes else {}
    for key, value in order.items():
        if key in ("server", "fault"):
            continue
        if key not in OPTIONS and key not in _BOUNDS:
            known = ", ".join(["server", "fault", *OPTIONS, *([amount] if amount else [])])
            raise FaultMistake(
                f'The fault can\'t be read: "{name}" has no "{key}"; it has: {known}.'
            )
        if value is None:
            continue
        if key == "function":
            values[key] = _function(value)
        else:
            values["lasts" if key == "for" else key] = _number(key, value)
    _check(name, values, amount, has_tls=has_tls)
    if server != EVERY_SERVER and server not in servers:
        raise no_server(server, servers)
    named = servers if server == EVERY_SERVER else [server]
    return [Fault(server=one, fault=name, **values) for one in named]


def _check(name: str, values: dict[str, Any], amount: str | None, *, has_tls: bool) -> None:
    stage = KINDS[name].stage
    for key in values:
        if key in _BOUNDS and key not in OPTIONS and key != amount:
            raise FaultMistake(f'"{key}" means nothing to the fault "{name}".')
    if stage in WHOLE_SERVER and ("function" in values or values.get("share", 1) != 1):
        raise FaultMistake(f'The fault "{name}" hits the whole server, not some of its calls.')
    if stage == PORT and amount and "lasts" in values:
        raise FaultMistake(f'The fault "{name}" lasts for its "seconds"; leave out "for".')
    if stage == CERTIFICATE and not has_tls:
        raise FaultMistake(f'The fault "{name}" needs servers that speak TLS (--tls).')


def _text(order: Mapping[str, Any], key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str) or not value:
        raise FaultMistake(f'The fault can\'t be read: it needs a text as its "{key}".')
    return value


def _function(value: object) -> str:
    if not isinstance(value, str) or not _FUNCTION.fullmatch(value):
        raise FaultMistake('"function" must be the name of a function.')
    return value


def _number(key: str, value: object) -> float:
    bounds = _BOUNDS[key]
    number: float = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str):
        if key in ("after", "for", "seconds") and (match := _DURATION.fullmatch(value)):
            number = float(match[1]) * _UNIT_SECONDS[match[2]]
        elif _NUMBER.fullmatch(value):
            number = float(value)
    if not bounds.smallest <= number <= bounds.largest:
        raise FaultMistake(f'"{key}" must be {bounds.said}.')
    return float(number)


def no_server(name: str, servers: Collection[str]) -> UnknownServer:
    """What to say where *name* is none of *servers*."""
    names = list(servers)
    some = ", ".join(names) if len(names) <= 10 else f"{names[0]} to {names[-1]}"
    return UnknownServer(f'There is no server "{name}"; there are: {some}.')
