"""The time of one server, as far as its answers have told it."""

from cpanel_mail_exporter.clock import Clock

_SMALLEST_SKEW_SECONDS = 2.0
_LARGEST_SKEW_SECONDS = 86_400.0


class ServerClock:
    """The server's "now", where its clock is off; its Date is in whole seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._skew = 0.0

    def now_unix(self, skew: float | None = None) -> int:
        """Whole seconds; the exporter's own if the two are so far apart that either may be wrong.

        Args:
            skew: what an answer just told, None to go by what is known.
        """
        if skew is not None:
            is_off = _SMALLEST_SKEW_SECONDS < abs(skew) <= _LARGEST_SKEW_SECONDS
            self._skew = skew if is_off else 0.0
        return int(self._clock.now_unix() + self._skew)
