"""Where a test's databases are: files in its folder or, with `--store postgres`, databases of a real server."""

from __future__ import annotations

from pathlib import Path

from gridweave.store.database import Database, Kind
from tests.support.postgres import PostgresServer

KINDS = ("sqlite", "postgres")


class TestStores:
    """A database for each folder that asks for one, the same whenever it asks again."""

    __test__ = False

    def __init__(self, server: PostgresServer | None = None) -> None:
        self.server = server
        self._urls: dict[Path, str] = {}

    def url(self, kind: Kind, folder: Path) -> str:
        """Of the outbox or the index of a service whose data would lie in `folder`."""
        if self.server is None:
            return f"sqlite:///{folder}/{kind.value}.db"
        if folder not in self._urls:
            self._urls[folder] = self.server.database()
        return self._urls[folder]


_CHOSEN = [TestStores()]


def use(stores: TestStores) -> None:
    """From now on tests work with these."""
    _CHOSEN[0] = stores


def server() -> PostgresServer | None:
    """The server that tests work with, None where they work with files."""
    return _CHOSEN[0].server


def urls(folder: Path) -> dict[str, str]:
    """Settings of a service whose data would lie in `folder`."""
    return {f"{kind.value}_url": _CHOSEN[0].url(kind, folder) for kind in Kind}


def database(kind: Kind, folder: Path) -> Database:
    """The outbox or the index there, not migrated yet."""
    return Database(kind, _CHOSEN[0].url(kind, folder))
