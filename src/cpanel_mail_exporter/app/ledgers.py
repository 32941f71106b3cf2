"""Settings -> one ledger for each server; the only place that knows both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from cpanel_mail_exporter.app.meaning import LiveMeaning, build_meaning
from cpanel_mail_exporter.app.start_warnings import warn_of_memory
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problem
from cpanel_mail_exporter.config.settings import Settings
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.storage.folder import FolderRefused
from cpanel_mail_exporter.storage.stores import open_stores

_LONGEST_BIRTH_DELAY_SECONDS = 60.0
_BIRTH_DELAY_POLLS = 2


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ledgers of all servers.

    Attributes:
        by_server: by the server's name; empty where delivery events aren't counted.
        meaning: by which they say why mail fails, and the queue whose mail waits.
        close: lets other processes have the files; no ledger may be at work any more.
    """

    by_server: Mapping[str, Ledger]
    meaning: LiveMeaning
    close: Callable[[], None] = lambda: None


def open_ledgers(settings: Settings, *, once: bool = False) -> Ledgers:
    """Lock what is stored of every server, without reading it yet.

    Args:
        settings: all of them.
        once: keep everything in memory, and show every series at its value at once.

    Raises:
        ConfigError: the storage path can't be used, or another process uses it; or a file of rules
            or providers is wrong.
    """
    meaning = build_meaning(settings.bounces)
    events, storage = settings.delivery_events, settings.storage
    if not events.is_enabled:
        return Ledgers({}, meaning)
    names = [server.name for server in settings.servers]
    try:
        stores = open_stores(
            names, None if once else storage.path, may_use_memory=storage.given_at is None
        )
    except FolderRefused as error:
        raise ConfigError([Problem(Place(storage.given_at or "storage"), str(error))]) from error
    except StorageFailed as error:
        sentence = f"{error.detail}; {error.advice}"
        raise ConfigError([Problem(Place(storage.given_at or "storage"), sentence)]) from error
    if stores.in_memory_because:
        warn_of_memory(stores.in_memory_because)
    polls_seconds = _BIRTH_DELAY_POLLS * settings.poll_interval_seconds
    terms = LedgerTerms(
        user_limit=events.user_series,
        reply_limit=events.reply_series,
        birth_delay_seconds=None if once else min(_LONGEST_BIRTH_DELAY_SECONDS, polls_seconds),
    )
    ledgers = {
        name: Ledger(name, store, meaning, terms, Lock())
        for name, store in stores.by_server.items()
    }
    return Ledgers(ledgers, meaning, stores.close)
