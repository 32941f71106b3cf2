"""Readers of single flags' values: a text in, a value out, or one sentence for who wrote it."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from whm_simulator.web.clock import FACTORS, INSTANTS, is_factor, is_instant
from whm_simulator.web.listener import Address
from whm_simulator.web.login import Login
from whm_simulator.web.orders import FaultMistake, decoded, order_of_text

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_HISTORY_SECONDS = 3650 * 86_400
_MOST_BUILT = 10_000
_VISIBLE = r"[!-9;-~]+"


def address(text: str) -> Address:
    """HOST:PORT, the host of IPv6 in brackets."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*):(\d{1,5})", text, re.ASCII)
    if match is None or int(match[2]) > 65_535:
        raise argparse.ArgumentTypeError(f'write "{text}" as HOST:PORT, such as 127.0.0.1:2087')
    return Address(match[1].strip("[]"), int(match[2]))


def count(text: str) -> int:
    """How many of something that is built at the start: a whole number from 1 to 10,000."""
    if not 1 <= _number(text) <= _MOST_BUILT or "." in text:
        raise argparse.ArgumentTypeError(f'"{text}" must be a whole number from 1 to {_MOST_BUILT}')
    return int(text)


def rows(text: str) -> int:
    """A number of rows."""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f'"{text}" must be a whole number')
    return int(text)


def rate(text: str) -> float:
    """Messages a minute."""
    number = _number(text)
    if not 0 <= number <= 100_000:
        raise argparse.ArgumentTypeError(f'"{text}" must be a number from 0 to 100000')
    return number


def factor(text: str) -> float:
    """How fast time runs."""
    number = _number(text)
    if not is_factor(number):
        raise argparse.ArgumentTypeError(f'"{text}" must be {FACTORS}')
    return number


def instant(text: str) -> float:
    """Unix seconds."""
    number = _number(text)
    if not is_instant(number):
        raise argparse.ArgumentTypeError(f'"{text}" must be {INSTANTS}')
    return number


def history(text: str) -> int:
    """Seconds that mail is kept, from a number with a unit; ten years at most."""
    return _seconds(text, 1)


def age(text: str) -> int:
    """Seconds, 0 included, written in the same way."""
    return _seconds(text, 0)


def _seconds(text: str, least: int) -> int:
    match = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    seconds = int(match[1]) * _UNITS[match[2]] if match else -1
    if not least <= seconds <= _LONGEST_HISTORY_SECONDS:
        raise argparse.ArgumentTypeError(
            f'write "{text}" as a number and s, m, h or d, such as 24h, and at most 3650d'
        )
    return seconds


def word(text: str) -> str:
    """A name or token as it can stand in a header."""
    if not re.fullmatch(_VISIBLE, text):
        raise argparse.ArgumentTypeError("use visible ASCII characters without a colon")
    return text


def login(text: str) -> Login:
    """USER:ACL,ACL or USER=TOKEN:ACL,ACL."""
    match = re.fullmatch(rf"([!-9;<>-~]+)(?:=({_VISIBLE}))?:([a-z-]+(?:,[a-z-]+)*)", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f'write "{text}" as USER:ACL,ACL or USER=TOKEN:ACL,ACL,'
            " such as reseller1:track-email,list-accts"
        )
    return Login(match[1], tuple(match[3].split(",")), match[2] or "")


def zone(text: str) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f'no time zone is called "{text}"; write one such as Europe/Berlin'
        ) from None


def fault(text: str) -> Mapping[str, Any]:
    """An order of a fault, SERVER:FAULT,NAME=VALUE,..."""
    try:
        return order_of_text(text)
    except FaultMistake as mistake:
        raise argparse.ArgumentTypeError(str(mistake)) from None


def fault_file(text: str) -> list[Mapping[str, Any]]:
    """The orders of a file with a JSON list."""
    try:
        orders = decoded(Path(text).read_bytes())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"can't read {text}: {error.strerror}") from None
    except FaultMistake as mistake:
        raise argparse.ArgumentTypeError(f"{text}: {mistake}") from None
    if not isinstance(orders, list):
        raise argparse.ArgumentTypeError(f"{text}: write a JSON list of objects")
    return orders


def _number(text: str) -> float:
    """What *text* says, and something out of any range if it is no plain number."""
    return float(text) if re.fullmatch(r"\d{1,13}(\.\d{1,9})?", text, re.ASCII) else -1.0
