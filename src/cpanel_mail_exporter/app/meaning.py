"""Fills the ledger's port: why events failed and who takes their mail, as rules and tables say."""

from cpanel_mail_exporter.config.bounce_files import BounceKnowledge, read_bounce_files
from cpanel_mail_exporter.config.settings import BouncesSettings
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord


class LiveMeaning(Meaning):
    """Answers from caches; what it knows can be read again while it is asked.

    The ledgers of all servers ask from several threads at once: what is known is replaced whole,
    so each answer is by the old files or by the new.

    Args:
        named: the operator's own files.

    Raises:
        ConfigError: with every mistake in them.
    """

    def __init__(self, named: BouncesSettings) -> None:
        self._named = named
        self._known = read_bounce_files(named)

    def reason(self, record: DeliveryRecord) -> Reason:
        """Why *record*, a failure or a deferral, isn't a success."""
        return self._known.classifier.classify(
            record.message, record.router, record.type, record.recipient
        ).reason

    def provider(self, host: str, domain: str) -> str:
        """The mailbox provider behind an exchanger or a recipient's domain."""
        return self._known.providers.of(host, domain)

    def provider_count(self) -> int:
        """How many values `provider` can give now."""
        return len(self._known.providers.names)

    def read_again(self) -> BounceKnowledge:
        """Read the files again and go by them; blocks for a tenth of a second.

        Raises:
            ConfigError: with every mistake; what was known stays.
        """
        self._known = read_bounce_files(self._named)
        return self._known


def build_meaning(named: BouncesSettings | None = None) -> LiveMeaning:
    """What is known at start, by the package's own files alone if none are *named*.

    Raises:
        ConfigError: with every mistake in the operator's files.
    """
    return LiveMeaning(named or BouncesSettings())
