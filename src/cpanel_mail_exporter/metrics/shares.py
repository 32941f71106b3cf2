"""One bound for many servers: even shares, and what one doesn't need is lent to the others."""

from collections.abc import Sequence


def shares(wanted: Sequence[int], total: int) -> list[int]:
    """How many of *total* each gets, none more than it wants.

    Even shares first; what is left goes on in even shares to those that want more. A remainder
    that can't be split goes to the first ones, one each, so that the result is the same each time.

    >>> shares([10, 2, 30], 20)
    [9, 2, 9]
    """
    granted = [0] * len(wanted)
    left = total
    hungry = [place for place, count in enumerate(wanted) if count > 0]
    while left > 0 and hungry:
        even = left // len(hungry) or 1
        for place in hungry[:left]:
            part = min(even, wanted[place] - granted[place])
            granted[place] += part
            left -= part
        hungry = [place for place in hungry if granted[place] < wanted[place]]
    return granted
