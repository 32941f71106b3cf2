"""Exim's message ids, 23 characters since Exim 4.97 and 16 before."""

from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
_PAIR = len(_PAIRS)
_PROCESS_IDS, _OLD_PROCESS_IDS = 1 << 22, 1 << 15
_FRACTIONS, _OLD_FRACTIONS = 1_000_000, 2_000
_STREAMS = 10
_FRACTIONS_OF = tuple(
    tuple(
        _PAIRS[fraction // _PAIR] + _PAIRS[fraction % _PAIR]
        for fraction in range(stream, _FRACTIONS, _FRACTIONS // _PAIR // _STREAMS * _STREAMS)
    )
    for stream in range(_STREAMS)
)
"""Parts of a second in millionths for each stream, at least as many as there are pairs."""


def exim_id(send_unix: int, ordinal: int, begin: int, stream: int, is_old_form: bool) -> str:
    """The id of a message: its second, its process and a fraction of the second.

    Args:
        send_unix: when the server accepted the message.
        ordinal: its number in its stream of messages; the ids of one stream and second differ as
            long as their ordinals lie within a million of each other.
        begin: where the stream's numbers begin, any whole number from 0.
        stream: from 0 to 9; ids of different streams differ.
        is_old_form: whether to write 16 characters.

    >>> exim_id(1_795_252_447, 0, 0, 0, False)
    '1xUhAd-00000000000-0000'
    """
    second = _five_digits(send_unix // 62) + _DIGITS[send_unix % 62]
    number = begin + 7 * ordinal
    if is_old_form:
        process = number % _OLD_PROCESS_IDS
        spread = (ordinal * 97 + ordinal // _OLD_PROCESS_IDS) % (_OLD_FRACTIONS // _STREAMS)
        return (
            f"{second}-000{_DIGITS[process // _PAIR]}{_PAIRS[process % _PAIR]}-"
            f"{_PAIRS[spread * _STREAMS + stream]}"
        )
    process = number % _PROCESS_IDS
    fraction = _FRACTIONS_OF[stream][(number * 31 + ordinal) % _PAIR]
    return f"{second}-0000000{_PAIRS[process // _PAIR]}{_PAIRS[process % _PAIR]}-{fraction}"


@lru_cache(maxsize=4096)
def _five_digits(number: int) -> str:
    """The same for 62 seconds."""
    return _PAIRS[number // _PAIR // 62] + _PAIRS[number // 62 % _PAIR] + _DIGITS[number % 62]
