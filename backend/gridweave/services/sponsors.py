"""Whose bond answers for this relayer's acknowledgements: whoever has put down most and is not taking it out."""

from __future__ import annotations

from gridweave.store.bonds import BondReads

__all__ = ["Sponsors"]


class Sponsors:
    """The sponsor whom acknowledgements name, kept at hand: it is in each of them and changes once in a long while."""

    def __init__(self, reads: BondReads, relayer: str, compensation: int) -> None:
        self._reads = reads
        self._relayer = relayer
        self._compensation = compensation
        self.current: str | None = None
        """None while nobody has put down enough for one compensation, in millionths."""

    async def refresh(self) -> None:
        """Reads the index again. Raises StoreUnavailable."""
        rows = await self._reads.of_relayer(self._relayer)
        stays = rows[0]["bond"] - rows[0]["leaving"] if rows else 0
        self.current = rows[0]["sponsor"] if rows and stays >= self._compensation else None
