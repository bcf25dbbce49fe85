"""Relayers' bonds: what answers for acknowledgements, and what was paid out of it."""

from __future__ import annotations

from sqlalchemy import select

from gridweave.store.index_tables import bonds, compensations
from gridweave.store.reading import Page, Reader, Row

__all__ = ["BondReads"]


class BondReads(Reader):
    """What the chain's events say of bonds."""

    async def of_relayer(self, relayer: str) -> list[Row]:
        """The newest row of each sponsor's bond for the relayer, the largest that stays first."""
        newest = (bonds.c.block_number, bonds.c.log_index)
        rows = await self._rows(select(bonds).where(bonds.c.relayer == relayer).order_by(*newest))
        by_sponsor: dict[str, Row] = {}
        for row in rows:
            earlier = by_sponsor.get(row["sponsor"], row)  # only what begins to leave says from when on
            at = row["redeemable_at"] or earlier["redeemable_at"]
            by_sponsor[row["sponsor"]] = row | {"redeemable_at": at}
        return sorted(by_sponsor.values(), key=lambda row: (row["leaving"] - row["bond"], row["sponsor"]))

    async def total_of(self, sponsor: str) -> int:
        """What the sponsor has put down for all relayers, what is leaving included, micro."""
        newest = (bonds.c.block_number, bonds.c.log_index)
        rows = await self._rows(select(bonds).where(bonds.c.sponsor == sponsor).order_by(*newest))
        return sum({row["relayer"]: int(row["bond"]) for row in rows}.values())

    async def compensations(self, relayer: str, cursor: str | None, limit: int) -> Page:
        """What was paid for orders that the relayer had acknowledged, in chain order. Raises CursorInvalid."""
        return await self._page(compensations, cursor, limit, compensations.c.relayer == relayer)
