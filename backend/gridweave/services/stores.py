"""The two databases of a service, opened for it alone."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.services.settings import PREFIX, Settings, SettingsInvalid
from gridweave.store.database import Database, Kind
from gridweave.store.errors import StoreUnavailable

__all__ = ["Stores"]


@dataclass(frozen=True)
class Stores:
    """The two databases: what is acknowledged, and what can be rebuilt."""

    outbox: Database
    index: Database

    @classmethod
    async def open(cls, settings: Settings) -> Stores:
        """From the settings' URLs, for this process alone to write.

        Raises StoreBusy, StoreUnavailable, SettingsInvalid.
        """
        try:
            stores = cls(Database(Kind.OUTBOX, settings.outbox_url), Database(Kind.INDEX, settings.index_url))
            await stores._claim()
        except OSError as fault:
            message = f"{settings.data_dir} cannot be written ({fault.strerror}): name another folder with --data-dir"
            raise SettingsInvalid(f"GRIDWEAVE_DATA_DIR: {message}") from fault
        return stores

    async def _claim(self) -> None:
        try:
            for kind, store in ((Kind.OUTBOX, self.outbox), (Kind.INDEX, self.index)):
                try:
                    await store.claim()
                except StoreUnavailable as away:
                    raise StoreUnavailable(f"{PREFIX}{kind.upper()}_URL: {away}") from away
        except BaseException:
            await self.close()
            raise

    async def migrate(self) -> None:
        """Brings both to their newest schema."""
        await self.outbox.migrate()
        await self.index.migrate()

    async def close(self) -> None:
        """Closes both."""
        await self.outbox.close()
        await self.index.close()
