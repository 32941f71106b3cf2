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
        self._kinds: dict[str, str] = {}

    def note(self, outcomes: Sequence[CollectorOutcome]) -> None:
        """One line for what fails in another way than before, or works again.

        Collectors that fail alike, as all do when a server is down, share a line.
        """
        alike: dict[tuple[str, str, str], list[str]] = {}
        recovered: list[str] = []
        for outcome in outcomes:
            error = outcome.error
            kind = error.kind if error else ""
            if kind == self._kinds.get(outcome.collector, ""):
                continue
            self._kinds[outcome.collector] = kind
            if error is None:
                recovered.append(outcome.collector)
            else:
                is_off = isinstance(error, Unsupported)
                what = f"{outcome.collector} ({error.function})" if is_off else error.function
                alike.setdefault((error.kind, error.detail, error.advice), []).append(what)
        for (kind, detail, advice), parts in alike.items():
            what = ", ".join(dict.fromkeys(parts))
            off = "switched off: " if kind == Unsupported.kind else ""
            logger.warning("%s: %s%s: %s; %s", self._name, off, what, detail, advice)
        if recovered:
            logger.info("%s: works again: %s", self._name, ", ".join(recovered))
