"""The relayer's bond as a pure state machine on a MarketBook: what an acknowledgement is worth.

The same calls with the same inputs give the same bonds, notes and payments as RelayerBond. A call that raises has
changed nothing. Amounts are millionths, `now` is chain time in seconds, digests and hashes are 32 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.addresses import ZERO_ADDRESS, address_bytes
from gridweave.domain.errors import (
    AlreadyCompensated,
    BondNotRedeemable,
    BondNotWithdrawable,
    BondTooSmall,
    ClaimTooLate,
    CommitmentNotDue,
    OrderArrived,
    OrderMeterUnknown,
    OrderWasRefused,
    RelayerIsZero,
    SideNotAllowed,
)
from gridweave.domain.market import MarketBook
from gridweave.domain.orders import Order, Side
from gridweave.domain.slots import HORIZON, RING

__all__ = ["Bond", "BondBook", "claims_close_at", "unbonding_time"]

_LEAST_UNBONDING = 7 * 86_400


@dataclass(frozen=True)
class Bond:
    """What a sponsor has put down for a relayer; `leaving` of it can be redeemed from `redeemable_at` on."""

    amount: int = 0
    leaving: int = 0
    redeemable_at: int = 0


def unbonding_time(slot_length: int) -> int:
    """Seconds that what leaves a bond still answers for claims."""
    return max(RING * slot_length, _LEAST_UNBONDING)


def claims_close_at(slot: int, slot_length: int) -> int:
    """The chain time from which an order's place in the auction may be a later slot's."""
    return (slot + RING - HORIZON) * slot_length


class BondBook:
    """Every bond of one RelayerBond, whose pot in the vault is `module`'s; `compensation` is what each order gets."""

    def __init__(self, market: MarketBook, module: str, compensation: int) -> None:
        self.module = module
        self.compensation = compensation
        self.bonds: dict[tuple[str, str], Bond] = {}
        """By sponsor and relayer."""
        self.refused_at: dict[tuple[bytes, bytes, bytes], int] = {}
        """By the order's digest, the digest of what was executed, which is the order or its schedule, and the hash of
        the signature."""
        self.compensated: set[tuple[bytes, str]] = set()
        """Digests, each with the relayer that had acknowledged it."""
        self._market = market

    def bond(self, sponsor: str, relayer: str) -> Bond:
        """The sponsor's bond for the relayer."""
        return self.bonds.get((sponsor, relayer), Bond())

    def post(self, sponsor: str, relayer: str, amount: int, now: int) -> Bond:
        """Puts more down. Raises RelayerIsZero, BondNotWithdrawable, InArrears."""
        if relayer == ZERO_ADDRESS:
            raise RelayerIsZero
        most = self._market.vault.account(sponsor, now).withdrawable
        if amount > most:
            raise BondNotWithdrawable(most, amount)
        self._move(sponsor, amount, _reference(relayer), now)
        bond = self.bond(sponsor, relayer)
        return self._keep(sponsor, relayer, replace(bond, amount=bond.amount + amount))

    def unbond(self, sponsor: str, relayer: str, amount: int, now: int) -> Bond:
        """Begins to take more out. Raises BondTooSmall."""
        bond = self.bond(sponsor, relayer)
        if amount > bond.amount - bond.leaving:
            raise BondTooSmall(bond.amount - bond.leaving, amount)
        at = now + unbonding_time(self._market.clock.length)
        return self._keep(sponsor, relayer, replace(bond, leaving=bond.leaving + amount, redeemable_at=at))

    def redeem(self, sponsor: str, relayer: str, now: int) -> int:
        """Pays out what has left; returns that. Raises BondNotRedeemable."""
        bond = self.bond(sponsor, relayer)
        if not bond.leaving or now < bond.redeemable_at:
            raise BondNotRedeemable(bond.redeemable_at)
        self._keep(sponsor, relayer, replace(bond, amount=bond.amount - bond.leaving, leaving=0))
        self._move(sponsor, -bond.leaving, _reference(relayer), now)
        return bond.leaving

    def prove(self, order: Order, digest: bytes, request: bytes, signature_hash: bytes, now: int) -> bool:
        """Notes that an order, placed just now as part of `request` and not there, is refused; whether that is news."""
        version, _ = self._market.last_version_of(order.meter, order.slot)
        if version >= order.version or not _is_order(order) or not self._is_in_time(order, now):
            return False
        key = digest, request, signature_hash
        if key in self.refused_at:
            return False
        self.refused_at[key] = now
        return True

    def claim(self, order: Order, digest: bytes, promise: Acknowledgement, relayer: str, now: int) -> str:
        """Compensates an order that `relayer` acknowledged and left; returns the account that has it.

        Raises SideNotAllowed, CommitmentNotDue, ClaimTooLate, OrderArrived, OrderWasRefused, AlreadyCompensated,
        BondTooSmall, OrderMeterUnknown.
        """
        if not _is_order(order):
            raise SideNotAllowed
        self._require_broken(order, digest, promise, now)
        if (digest, relayer) in self.compensated:
            raise AlreadyCompensated("0x" + digest.hex(), relayer)
        bond = self.bond(promise.sponsor, relayer)
        left = bond.amount - self.compensation
        if left < 0:
            raise BondTooSmall(bond.amount, self.compensation)
        registered = self._market.meters.get(order.meter)
        if registered is None:
            raise OrderMeterUnknown
        account = registered[0].account
        self.compensated.add((digest, relayer))
        self._keep(promise.sponsor, relayer, replace(bond, amount=left, leaving=min(bond.leaving, left)))
        self._move(account, -self.compensation, order.position(), now)
        return account

    def _require_broken(self, order: Order, digest: bytes, promise: Acknowledgement, now: int) -> None:
        if now < promise.commit_before:
            raise CommitmentNotDue(promise.commit_before)
        closed_at = claims_close_at(order.slot, self._market.clock.length)
        if now >= closed_at:
            raise ClaimTooLate(closed_at)
        version, taken_at = self._market.last_version_of(order.meter, order.slot)
        if version > order.version or (version == order.version and taken_at < promise.commit_before):
            raise OrderArrived(version, taken_at)
        refused = self.refused_at.get((digest, promise.request, promise.signature_hash), 0)
        if refused and refused < promise.commit_before:
            raise OrderWasRefused(refused)

    def _is_in_time(self, order: Order, now: int) -> bool:
        clock = self._market.clock
        slot = clock.slot_at(now)
        if now > order.deadline or not slot < order.slot <= slot + HORIZON:
            return False
        if not 1 <= order.market <= self._market.market_count:
            return False
        return now < self._market.terms_of(order.market, order.slot).gate(order.slot, clock)

    def _keep(self, sponsor: str, relayer: str, bond: Bond) -> Bond:
        self.bonds[sponsor, relayer] = bond
        return bond

    def _move(self, account: str, amount: int, ref: bytes, now: int) -> None:
        self._market.vault.lock(self.module, account, amount, now, ref)


def _is_order(order: Order) -> bool:
    """A word of no side, as the chain may bring it, is none."""
    return order.side in (Side.BID, Side.ASK)


def _reference(relayer: str) -> bytes:
    """Under which the Vault logs what a bond takes from its sponsor or gives back."""
    return address_bytes(relayer).rjust(32, b"\0")
