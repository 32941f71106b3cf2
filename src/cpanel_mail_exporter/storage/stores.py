"""Names of servers and a path -> a store for each server, or why there is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.errors import StorageFailed, StorageLocked
from cpanel_mail_exporter.storage.folder import FolderRefused, StorageFolder
from cpanel_mail_exporter.storage.memory import MemoryStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of all servers.

    Attributes:
        by_server: one for each.
        in_memory_because: why all are in memory though files were wanted, a sentence for the
            operator; empty if nothing is amiss.
        close: lets other processes have the files; no store may be in use.
    """

    by_server: Mapping[str, LedgerStore]
    in_memory_because: str = ""
    close: Callable[[], None] = lambda: None


def open_stores(servers: Sequence[str], path: Path | None, *, may_use_memory: bool) -> Stores:
    """The stores of *servers*, each locked against other processes; no file is read or made yet.

    Args:
        servers: names, each once.
        path: folder of the files; None keeps all in memory.
        may_use_memory: keep all in memory too if the folder or a file in it can't be written to.

    Raises:
        StorageLocked: another process has a server's file.
        FolderRefused: the folder can't be made or written to.
        StorageFailed: a server's file can't be locked or written to.
    """
    if path is None:
        return _in_memory(servers)
    try:
        return _in_files(servers, path)
    except StorageLocked:
        # In memory it would count what the other process counts: not what was asked for.
        raise
    except (FolderRefused, StorageFailed) as error:
        if not may_use_memory:
            raise
        return _in_memory(servers, str(error))


def _in_memory(servers: Sequence[str], because: str = "") -> Stores:
    return Stores({name: MemoryStore() for name in servers}, because)


def _in_files(servers: Sequence[str], path: Path) -> Stores:
    folder = StorageFolder(path)
    stores: dict[str, LedgerStore] = {}

    def close() -> None:
        for store in stores.values():
            store.close()
        folder.close()

    try:
        for name in servers:
            stores[name] = folder.open(name)
    except BaseException:
        close()
        raise
    return Stores(stores, close=close)
