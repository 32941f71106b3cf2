"""The newest message of each bucket of the histograms, kept in memory to be shown as an example.

There is one for each bucket at most, and directions and providers are few, so their number is
bounded. What is kept ends with the process.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from operator import itemgetter

from cpanel_mail_exporter.ledger.counters import BOUNDS, Labels
from cpanel_mail_exporter.model.family import LONGEST_EXEMPLAR_ID, Exemplar

_DAY_SECONDS = 86_400
# Exim's ids have letters, digits and dashes. Not every reader of OpenMetrics gets through an escape
# in an exemplar, and none would forgive it for the rest of the page.
_PLAIN_ID = re.compile(rf"[0-9A-Za-z._+=/:-]{{1,{LONGEST_EXEMPLAR_ID}}}")

Observation = tuple[str, Labels, int]
"""Histogram, its labels, and the value that was observed."""
Latest = dict[Observation, tuple[int, str]]
"""When the newest of equal observations happened, and the id of its message."""
Observed = tuple[int, int, str]
"""A value that a histogram observed, when, and the id of the message."""
BucketExemplars = tuple[Exemplar | None, ...]
"""One for each bucket of a histogram, None where nothing was observed yet."""


def latest_of(observed: Iterable[Observed]) -> dict[int, tuple[int, str]]:
    """Of each value, when the newest message had it, and its id; of two at once the last one."""
    in_order = sorted(observed, key=itemgetter(1))
    return {value: (when, message_id) for value, when, message_id in in_order}


class Exemplars:
    """Takes what was observed, gives the newest of each bucket.

    Time goes forward only, bucket by bucket: Prometheus takes no exemplar that is older than the
    one before. One thread may note while another reads.

    Args:
        lock: keeps them apart.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._kept: dict[tuple[str, Labels], BucketExemplars] = {}

    def note(self, latest: Latest, now_unix: int) -> None:
        """Take observations; odd ids, and those too long to be shown whole, are passed over.

        Args:
            latest: those of one answer.
            now_unix: server's time; what claims to happen more than a day later would stand for
                ever, and is passed over.
        """
        by_bucket: dict[tuple[str, Labels, int], list[tuple[int, str, int]]] = {}
        for (name, labels, value), (when, message_id) in latest.items():
            bucket = name, labels, bisect_left(BOUNDS[name], value)
            by_bucket.setdefault(bucket, []).append((when, message_id, value))
        with self._lock:
            for (name, labels, place), seen in by_bucket.items():
                newest = _newest(seen, now_unix + _DAY_SECONDS)
                kept = self._kept.get((name, labels)) or (None,) * (len(BOUNDS[name]) + 1)
                before = kept[place]
                if newest and (before is None or before.observed_unix <= newest.observed_unix):
                    self._kept[name, labels] = (*kept[:place], newest, *kept[place + 1 :])

    def by_histogram(self) -> Mapping[tuple[str, Labels], BucketExemplars]:
        """Those that are kept, by name and labels of the histogram."""
        with self._lock:
            return dict(self._kept)


def _newest(seen: list[tuple[int, str, int]], until_unix: int) -> Exemplar | None:
    """The newest that can be shown of what a bucket has *seen*; each when, message, value."""
    # Turned round afterwards, so that of two at once the last one comes first.
    seen.sort(key=itemgetter(0))
    for when, message_id, value in reversed(seen):
        if when <= until_unix and _PLAIN_ID.fullmatch(message_id):
            return Exemplar(message_id, value, when)
    return None
