"""Relayers' bonds as they are posted."""

from __future__ import annotations

from gridweave.api.fields import Address, Body, Uint96
from gridweave.api.posted.base import ActIn
from gridweave.domain.acts import PostBond, Unbond

__all__ = ["BondIn", "RedeemIn"]


class BondIn(Body):
    """A sponsor's money for a relayer: to put down, or to take out."""

    relayer: Address
    amount_micro: Uint96
    sponsor: ActIn

    def post(self) -> PostBond:
        return PostBond(*self._said())

    def unbond(self) -> Unbond:
        return Unbond(*self._said())

    def _said(self) -> tuple[str, str, int, int, int]:
        act = self.sponsor
        return act.signer, self.relayer, self.amount_micro, act.nonce, act.deadline


class RedeemIn(Body):
    """Whose bond for whom has left."""

    sponsor: Address
    relayer: Address
