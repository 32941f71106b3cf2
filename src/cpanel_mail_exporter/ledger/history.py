"""What the polls of one server have come to: takes outcomes one by one, gives a frozen state.

Counters only rise; what a failed poll doesn't tell stays as the last good one left it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cpanel_mail_exporter.model.errors import KINDS, PollError, Unsupported
from cpanel_mail_exporter.model.outcome import OPTIONAL, CollectorOutcome, PollOutcome


def _no_failures() -> Mapping[str, int]:
    return MappingProxyType({kind.kind: 0 for kind in KINDS})


@dataclass(frozen=True, slots=True)
class CollectorHistory:
    """The polls of one collector.

    Attributes:
        polls: visits in which it asked something.
        failures: failed visits by kind, every kind named from the start.
        last: its newest outcome, None before the first.
        last_success: its newest outcome without an error.
    """

    polls: int = 0
    failures: Mapping[str, int] = field(default_factory=_no_failures)
    rows_read: int = 0
    rows_rejected: int = 0
    unreadable_flags: int = 0
    repeated_pages: int = 0
    last: CollectorOutcome | None = None
    last_success: CollectorOutcome | None = None

    @property
    def error(self) -> PollError | None:
        """Why the newest visit failed, if it did."""
        return self.last.error if self.last else None

    def after(self, outcome: CollectorOutcome) -> "CollectorHistory":
        """The state once *outcome* is known."""
        failures = self.failures
        if outcome.error is not None:
            kind = outcome.error.kind
            failures = MappingProxyType({**failures, kind: failures[kind] + 1})
        return replace(
            self,
            polls=self.polls + 1,
            failures=failures,
            rows_read=self.rows_read + outcome.rows_read,
            rows_rejected=self.rows_rejected + outcome.rows_rejected,
            unreadable_flags=self.unreadable_flags + outcome.unreadable_flags,
            repeated_pages=self.repeated_pages + outcome.repeated_pages,
            last=outcome,
            last_success=outcome if outcome.error is None else self.last_success,
        )


@dataclass(frozen=True, slots=True)
class ServerHistory:
    """The polls of one server.

    Attributes:
        collectors: history by collector name, one for each that is switched on.
        is_up: the newest poll got at least one good answer; None before the first poll ended.
        clock_skew_seconds: server's clock minus the exporter's, None where never learned.
        login_retry_unix: when a refused login is tried again, None if it wasn't refused.
        last_poll_unix: end of the newest poll, exporter's clock.
    """

    collectors: Mapping[str, CollectorHistory]
    is_up: bool | None = None
    clock_skew_seconds: float | None = None
    login_retry_unix: float | None = None
    last_poll_unix: float | None = None

    @property
    def switched_off(self) -> tuple[str, ...]:
        """Collectors that WHM refuses alone, of those that many tokens lack the privilege for."""
        return tuple(
            name
            for name, past in self.collectors.items()
            if name in OPTIONAL and isinstance(past.error, Unsupported)
        )

    @property
    def errors(self) -> tuple[PollError, ...]:
        """Why newest visits failed; what is switched off is no failure."""
        off = self.switched_off
        return tuple(
            past.error
            for name, past in self.collectors.items()
            if past.error is not None and name not in off
        )

    @classmethod
    def empty(cls, collectors: Iterable[str]) -> "ServerHistory":
        """The state before the first poll."""
        return cls(MappingProxyType({name: CollectorHistory() for name in collectors}))

    def after(self, outcome: PollOutcome) -> "ServerHistory":
        """The state once *outcome* is known."""
        collectors = dict(self.collectors)
        for part in outcome.collectors:
            collectors[part.collector] = collectors[part.collector].after(part)
        skew = outcome.clock_skew_seconds
        return ServerHistory(
            collectors=MappingProxyType(collectors),
            is_up=any(part.error is None for part in outcome.collectors),
            clock_skew_seconds=self.clock_skew_seconds if skew is None else skew,
            login_retry_unix=outcome.login_retry_unix,
            last_poll_unix=outcome.ended_unix,
        )
