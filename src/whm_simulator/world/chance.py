"""Seeded draws: the same key gives the same sequence in any process and any version of Python.

Only ``random.Random.random()`` is used, since Python promises that sequence alone to stay as it is.
"""

import math
import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_NORMAL_FROM_MEAN = 30.0


def number_of(*key: object) -> int:
    """A 64-bit number that depends on every part of *key* and on nothing else."""
    text = "\x1f".join(str(part) for part in key)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Dice:
    """A sequence of draws belonging to one key, such as (seed, server, minute)."""

    __slots__ = ("uniform",)

    def __init__(self, *key: object) -> None:
        self.uniform = random.Random(number_of(*key)).random

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
            deviation = sum(self.uniform() for _ in range(12)) - 6
            return max(0, round(mean + math.sqrt(mean) * deviation))
        share, probability, number = self.uniform(), math.exp(-mean), 0
        while share >= probability and number < 10 * _NORMAL_FROM_MEAN:
            share -= probability
            number += 1
            probability *= mean / number
        return number
