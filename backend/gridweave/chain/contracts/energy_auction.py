"""Markets, ladders, clearing and settlement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar

from gridweave.chain.contracts.acts import Act, SignedWord
from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call
from gridweave.domain.addresses import checksum_address
from gridweave.domain.delegations import Delegation
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.domain.terms import MarketTerms

__all__ = ["EnergyAuction", "PositionState", "SlotClearing", "SlotState"]

NO_TICK = 0xFFFF
"""`low_tick` or `high_tick` where there is no best bid or ask."""


@dataclass(frozen=True)
class SlotClearing:
    """A slot's outcome in ticks, as stored: the struct Clearing. `long_side` 0: nothing is rationed."""

    cleared: bool
    closed: bool
    traded: bool
    long_side: int
    price_tick: int
    low_tick: int
    high_tick: int
    volume_wh: int
    shared_wh: int
    long_wh: int


@dataclass(frozen=True)
class SlotState:
    """A slot's money and energy not yet settled."""

    pot: int
    open_bid_wh: int
    open_ask_wh: int
    bought_wh: int
    sold_wh: int


@dataclass(frozen=True)
class PositionState:
    """A meter's order in a slot; `energy_wh` 0 is cancelled, `filled_wh` counts once the slot is cleared."""

    side: Side
    version: int
    tick: int
    energy_wh: int
    filled_wh: int
    released: bool
    settled_by_default: bool


class EnergyAuction(Contract):
    """A uniform-price call auction per market and slot. At most MAX_BATCH items a call."""

    NAME: ClassVar[str] = "EnergyAuction"
    MAX_BATCH: ClassVar[int] = 256

    async def market_count(self, block: int | None = None) -> int:
        """Markets are numbered from 1."""
        return int(await self._result("marketCount", block=block))

    async def terms_of(self, market: int, slot: int, block: int | None = None) -> MarketTerms:
        """The terms in force in the slot. Reverted(UnknownMarket) if there is no such market."""
        fields = list(await self._result("termsOf", market, slot, block=block))
        return terms_from(fields)

    async def clearing_of(self, market: int, slot: int, block: int | None = None) -> SlotClearing:
        return SlotClearing(*await self._result("clearingOf", market, slot, block=block))

    async def slot_state_of(self, market: int, slot: int, block: int | None = None) -> SlotState:
        return SlotState(*await self._result("slotStateOf", market, slot, block=block))

    async def position_of(self, meter: int, slot: int, block: int | None = None) -> PositionState | None:
        """None if the meter never placed an order in the slot."""
        side, *rest = await self._result("positionOf", meter, slot, block=block)
        return PositionState(Side(side), *rest) if side else None

    async def depth_of(self, market: int, slot: int, side: Side, block: int | None = None) -> list[int]:
        """Live energy at each tick, Wh."""
        return list(await self._result("depthOf", market, slot, side, block=block))

    async def delegation_of(self, account: str, delegate: str, meter: int, block: int | None = None) -> bytes:
        """The word of the scope (`Scope.pack`), zero for none; meter 0: of all without one of their own."""
        word = int(await self._result("delegationOf", account, delegate, meter, block=block))
        return word.to_bytes(32)

    async def last_version_of(self, meter: int, slot: int, block: int | None = None) -> tuple[int, int]:
        """(version, when it was taken) of the newest order or cancel there; zeros for none."""
        version, taken_at = await self._results("lastVersionOf", meter, slot, block=block)
        return int(version), int(taken_at)

    async def digest_of_schedule(self, schedule: Schedule, block: int | None = None) -> bytes:
        words = [order.pack() for order in schedule.orders]
        return bytes(await self._result("digestOfSchedule", schedule.account, words, block=block))

    async def digest_of_cancel_schedule(self, schedule: CancelSchedule, block: int | None = None) -> bytes:
        words = [cancel.pack() for cancel in schedule.cancels]
        return bytes(await self._result("digestOfCancelSchedule", schedule.account, words, block=block))

    async def digest_of_order(self, order: Order, block: int | None = None) -> bytes:
        return bytes(await self._result("digestOfOrder", order.pack(), block=block))

    async def digest_of_cancel(self, cancel: Cancel, block: int | None = None) -> bytes:
        return bytes(await self._result("digestOfCancel", cancel.pack(), block=block))

    async def is_nonce_used(self, signer: str, nonce: int, block: int | None = None) -> bool:
        return bool(await self._result("isNonceUsed", signer, nonce, block=block))

    def create_market(self, terms: MarketTerms, operator: Act, utility: Act) -> Call:
        """`operator` signs CreateMarket, the utility Underwrite. Anyone may send it."""
        return self.call("createMarket", astuple(terms), operator.abi(), utility.abi())

    def change_market(self, market: int, terms: MarketTerms, operator: Act, utility: Act) -> Call:
        """`operator` signs ChangeMarket, the utility UnderwriteChange. Anyone may send it."""
        return self.call("changeMarket", market, astuple(terms), operator.abi(), utility.abi())

    def place(self, orders: Sequence[SignedWord]) -> Call:
        """Orders with their signatures (`signed_words`). Each ends in Placed or OrderRefused."""
        return self._call_with_words("place", (), orders)

    def cancel(self, cancels: Sequence[SignedWord]) -> Call:
        """Each ends in Cancelled or OrderRefused."""
        return self._call_with_words("cancel", (), cancels)

    def place_schedule(self, account: str, orders: Sequence[bytes], signature: bytes) -> Call:
        """Order words of one account under its signature of the Schedule. Each ends in Placed or OrderRefused."""
        return self.call("placeSchedule", account, list(orders), signature)

    def cancel_schedule(self, account: str, cancels: Sequence[bytes], signature: bytes) -> Call:
        """Cancel words of one account under its signature of the CancelSchedule."""
        return self.call("cancelSchedule", account, list(cancels), signature)

    def set_delegation(self, delegation: Delegation, act: Act) -> Call:
        """The account signs `delegation`. Anyone may send it."""
        fields = (
            delegation.account,
            delegation.delegate,
            delegation.market,
            list(delegation.meters),
            delegation.max_energy_wh,
            delegation.lowest_ask,
            delegation.highest_bid,
            delegation.until,
        )
        return self.call("setDelegation", fields, act.abi())

    def clear(self, market: int, slot: int) -> Call:
        """From the gate on, once."""
        return self.call("clear", market, slot)

    def settle(self, market: int, slot: int, readings: Sequence[SignedWord]) -> Call:
        """Each ends in Settled or ReadingRefused."""
        return self._call_with_words("settle", (market, slot), readings)

    def _call_with_words(self, function: str, numbers: tuple[int, ...], signed: Sequence[SignedWord]) -> Call:
        """The call whose last argument are signed words: 96 bytes each, which need no general encoder."""
        words = b"".join(part for entry in signed for part in entry)
        if len(words) != 96 * len(signed):
            raise ValueError("a signed word is three words of 32 bytes")
        head = (*numbers, 32 * (len(numbers) + 1), len(signed))
        encoded = b"".join(number.to_bytes(32, "big") for number in head)
        return Call(self.address, self.selector(function) + encoded + words)

    def settle_by_default(self, market: int, slot: int, meters: Sequence[int]) -> Call:
        """From the reading deadline on. Each ends in Settled or SettlementRefused."""
        return self.call("settleByDefault", market, slot, list(meters))

    def release(self, market: int, slot: int, meters: Sequence[int]) -> Call:
        """Collateral of what was not filled. Each ends in Released or SettlementRefused."""
        return self.call("release", market, slot, list(meters))

    def collect(self, market: int, creditor: str) -> Call:
        """What the market's utility owes `creditor`, as far as it can pay."""
        return self.call("collect", market, creditor)


def terms_from(fields: Sequence[int | str]) -> MarketTerms:
    """MarketTerms from the struct's values in order, addresses checksummed."""
    return MarketTerms(*(checksum_address(field) if isinstance(field, str) else field for field in fields))  # type: ignore[arg-type]
