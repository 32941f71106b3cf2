"""When Exim tries a deferred delivery again.

The rule is the one Exim ships with and cPanel keeps: ``* * F,2h,15m; G,16h,1h,1.5; F,4d,6h``.
"""

_MINUTE = 60
_HOUR = 3600


def _offsets() -> tuple[int, ...]:
    offsets = list(range(15 * _MINUTE, 2 * _HOUR + 1, 15 * _MINUTE))
    step = float(_HOUR)
    while offsets[-1] + step <= 16 * _HOUR:
        offsets.append(int(offsets[-1] + step))
        step *= 1.5
    while offsets[-1] + 6 * _HOUR <= 96 * _HOUR:
        offsets.append(offsets[-1] + 6 * _HOUR)
    return tuple(offsets)


RETRY_OFFSETS_SECONDS: tuple[int, ...] = _offsets()
"""Seconds from the first attempt to the second, third and so on; after the last Exim gives up."""

LONGEST_FIRST_SECONDS = 116
"""A first attempt has ended by then, so what ends later after sending is a retry."""

_QUEUE_RUNNER_SECONDS = 90


def attempt_times(first_unix: int, retries: int, bits: int) -> list[int]:
    """When each attempt of a delivery ends: the first and *retries* more, a number from 0 up.

    A queue runner comes by a little after the time to retry; *bits* decide how little.
    """
    return [first_unix] + [
        first_unix + offset + ((bits >> index & 0xFFFF) * _QUEUE_RUNNER_SECONDS >> 16)
        for index, offset in enumerate(RETRY_OFFSETS_SECONDS[:retries])
    ]
