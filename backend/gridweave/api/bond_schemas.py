"""What is posted about relayers' bonds."""

from __future__ import annotations

from gridweave.api.fields import Address, Body, Uint96
from gridweave.api.schemas import ActIn
from gridweave.domain.acts import PostBond, Unbond

__all__ = ["BondIn", "RedeemIn"]


class BondIn(Body):
    """A sponsor's money for a relayer: to put down, or to take out."""

    relayer: Address
    amount_micro: Uint96
    sponsor: ActIn

    def post(self) -> PostBond:
        return PostBond(self.relayer, self.amount_micro, self.sponsor.nonce, self.sponsor.deadline)

    def unbond(self) -> Unbond:
        return Unbond(self.relayer, self.amount_micro, self.sponsor.nonce, self.sponsor.deadline)


class RedeemIn(Body):
    """Whose bond for whom has left."""

    sponsor: Address
    relayer: Address
