"""What is logged of one server's polls: changes alone."""

import logging
from collections.abc import Sequence

from cpanel_mail_exporter.model.errors import Unsupported
from cpanel_mail_exporter.model.outcome import CollectorOutcome

logger = logging.getLogger(__name__)


class Said:
    """Remembers what was said of each collector last.

    Args:
        name: of the server.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing: dict[str, tuple[str, str, str]] = {}

    def note(self, outcomes: Sequence[CollectorOutcome]) -> None:
        """One line for what fails in another way than before, or works again.

        Collectors that fail alike, as all do when a server is down, share a line: also those that
        are asked only after it was said.
        """
        is_down = all(outcome.error is not None for outcome in outcomes)
        said = frozenset(self._failing.values())
        alike: dict[tuple[str, str, str], list[str]] = {}
        recovered: list[str] = []
        for outcome in outcomes:
            error, before = outcome.error, self._failing.get(outcome.collector)
            if error is None:
                if before is not None:
                    recovered.append(outcome.collector)
                    del self._failing[outcome.collector]
                continue
            if before is not None and before[0] == error.kind:
                continue
            words = (error.kind, error.detail, error.advice)
            self._failing[outcome.collector] = words
            if is_down and words in said:
                continue
            is_off = isinstance(error, Unsupported)
            what = f"{outcome.collector} ({error.function})" if is_off else error.function
            alike.setdefault(words, []).append(what)
        for (kind, detail, advice), parts in alike.items():
            what = ", ".join(dict.fromkeys(parts))
            off = "switched off: " if kind == Unsupported.kind else ""
            logger.warning("%s: %s%s: %s; %s", self._name, off, what, detail, advice)
        if recovered:
            logger.info("%s: works again: %s", self._name, ", ".join(recovered))
