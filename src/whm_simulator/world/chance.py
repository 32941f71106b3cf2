"""Seeded draws: the same key gives the same sequence in any process and any version of Python.

Only ``random.Random.random()`` is used, since Python promises that sequence alone to stay as it is,
and fractions are added up by ``math.fsum``, since ``sum`` rounds otherwise from Python 3.12 on.
One draw has 53 bits, enough for all that an ordinary delivery has to decide; where something rare
needs more, ``Dice.of_bits`` goes on from them with whole-number arithmetic. So what becomes of one
message never depends on how many draws another one took.
"""

import math
import random
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Self, TypeVar

T = TypeVar("T")

BITS_IN_ALL = float(1 << 53)
"""``int(uniform() * BITS_IN_ALL)`` makes a draw a whole number of 53 bits."""

_NORMAL_FROM_MEAN = 30.0
_MULTIPLIER, _INCREMENT, _MASK = 6364136223846793005, 1442695040888963407, (1 << 64) - 1


def number_of(*key: object) -> int:
    """A 64-bit number that depends on every part of *key* and on nothing else."""
    text = "\x1f".join(str(part) for part in key)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Dice:
    """A sequence of draws belonging to one key, such as (seed, server, minute)."""

    __slots__ = ("uniform",)

    uniform: Callable[[], float]

    def __init__(self, *key: object) -> None:
        self.uniform = random.Random(number_of(*key)).random

    @classmethod
    def of_bits(cls, bits: int) -> Self:
        """Further draws for whatever *bits* were drawn for; cheaper to begin than a key."""
        dice = cls.__new__(cls)
        dice.uniform = _going_on(bits)
        return dice

    def bits(self) -> int:
        """53 random bits."""
        return int(self.uniform() * BITS_IN_ALL)

    def chance(self, probability: float) -> bool:
        """True with *probability* (0 to 1)."""
        return self.uniform() < probability

    def below(self, limit: int) -> int:
        """A whole number from 0 to *limit* - 1."""
        return int(self.uniform() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number from *low* to *high*, both possible."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of *items*, each as likely."""
        return items[int(self.uniform() * len(items))]

    def skewed(self, low: int, high: int) -> int:
        """A whole number from *low* to *high*; most are near *low*, as sizes of mail are."""
        share = self.uniform()
        return low + int((high - low) * share * share * share * share * share)

    def count(self, mean: float) -> int:
        """How often something happens that happens *mean* times on average (Poisson).

        Large means use a sum of twelve draws in place of the exact distribution.
        """
        if mean <= 0:
            return 0
        if mean >= _NORMAL_FROM_MEAN:
            deviation = math.fsum(self.uniform() for _ in range(12)) - 6
            return max(0, round(mean + math.sqrt(mean) * deviation))
        share, probability, number = self.uniform(), math.exp(-mean), 0
        while share >= probability and number < 10 * _NORMAL_FROM_MEAN:
            share -= probability
            number += 1
            probability *= mean / number
        return number


def _going_on(state: int) -> Callable[[], float]:
    """A linear congruential sequence of 64 bits, of which the upper 53 are given."""

    def uniform() -> float:
        nonlocal state
        state = (state * _MULTIPLIER + _INCREMENT) & _MASK
        return (state >> 11) / BITS_IN_ALL

    uniform()  # neighbouring bits part ways
    return uniform
