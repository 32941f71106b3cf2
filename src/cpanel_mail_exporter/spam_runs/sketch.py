"""How many different texts there are, in few bits: linear counting.

A sketch is a whole number of which each text sets one bit. Two of them are united by OR, so texts
may come in any order and any number of times. The number of texts is estimated from the bits that
are still clear (K.-Y. Whang, B. Vander-Zanden, H. Taylor: A linear-time probabilistic counting
algorithm for database applications, 1990). The standard error with 1,024 bits is 2 % at 200 texts,
3 % at 1,000 and 5 % at 4,000; with 256 bits 3 % at 20 and 4 % at 200. Up to a handful the count is
nearly always exact.
"""

import math
from collections.abc import Iterable
from zlib import crc32

FEW_BITS = 256
"""For sending addresses and networks; counts up to about 1,400."""
MANY_BITS = 1_024
"""For recipients; counts up to about 7,100."""

_SPREADING = 0x9E37_79B1
_WORD = 0xFFFF_FFFF


def sketch(texts: Iterable[str], bits: int) -> int:
    """The sketch of *texts*; *bits* is a power of two.

    >>> sketch(["a@example.com", "a@example.com"], 256) == sketch(["a@example.com"], 256)
    True
    """
    found = 0
    shift = 32 - (bits.bit_length() - 1)
    for text in texts:
        word = crc32(text.encode("utf-8", "surrogatepass"))
        found |= 1 << ((word * _SPREADING & _WORD) >> shift)
    return found


def distinct(found: int, bits: int) -> int:
    """About how many different texts are in a sketch of *bits* bits; a full one holds at least so.

    >>> distinct(sketch(map(str, range(5)), 256), 256), distinct(0, 256)
    (5, 0)
    """
    clear = max(bits - found.bit_count(), 1)
    return round(bits * math.log(bits / clear))
