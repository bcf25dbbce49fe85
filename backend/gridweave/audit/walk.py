"""From a payment back to the maker of the device that measured it, each step with its proof.

payment -> price -> orders -> reading -> device key -> maker, from a node and the addresses alone. Every step says where
it stands on the chain, and `holds` says whether it comes out the same when computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.audit.addresses import AddressBook
from gridweave.audit.calls import Placing, Settling
from gridweave.audit.differences import Place
from gridweave.audit.lookup import Lookup
from gridweave.audit.proofs import Proofs
from gridweave.audit.provenance import Provenance, WalkedDevice, WalkedMaker
from gridweave.audit.stream import place_of
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.chain.node import Node
from gridweave.domain.clearing import NO_TICK, Clearing, fill
from gridweave.domain.delegations import DelegationBook, Scope
from gridweave.domain.ladder import Book
from gridweave.domain.meters import Meter
from gridweave.domain.orders import Cancel, Order, Schedule, Side
from gridweave.domain.outcomes import NO_PRICE
from gridweave.domain.readings import Reading
from gridweave.domain.settlement import Cash, default_reading, settle_meter
from gridweave.domain.terms import MarketTerms

__all__ = [
    "NothingPaid",
    "Walk",
    "WalkedDevice",
    "WalkedMaker",
    "WalkedOrder",
    "WalkedPayment",
    "WalkedPrice",
    "WalkedReading",
    "WalkedSettlement",
    "walk",
    "walk_on",
]


class NothingPaid(LookupError):
    """The meter was not settled in that slot."""


@dataclass(frozen=True)
class WalkedPayment:
    """One `Paid` of the Vault: micro out of the slot's pot and from the utility (negative: to it), and the balance."""

    account: str
    from_pot: int
    from_utility: int
    hold: int
    available: int
    place: Place


@dataclass(frozen=True)
class WalkedSettlement:
    """The newest settlement: Wh bought and sold, and the cash with its parts (thousandths of a micro: T, F, V)."""

    bought_wh: int
    sold_wh: int
    import_wh: int
    export_wh: int
    cash: int
    trade: int
    fee: int
    deviation: int
    by_default: bool
    place: Place
    holds: bool


@dataclass(frozen=True)
class WalkedPrice:
    """The slot's price and its equilibrium interval, micro per kWh, None without a trade; volume in Wh."""

    price: int | None
    low: int | None
    high: int | None
    volume_wh: int
    place: Place
    holds: bool


@dataclass(frozen=True)
class WalkedOrder:
    """A live order at clearing: who signed it, for how much and at what limit, and what it got."""

    meter: int
    account: str
    side: Side
    energy_wh: int
    limit_price: int
    filled_wh: int
    signer: str | None
    digest: bytes
    own: bool
    place: Place
    holds: bool


@dataclass(frozen=True)
class WalkedReading:
    """The newest reading in Wh, with what its device signed. `signature` None: the contract alone saw it."""

    import_wh: int
    export_wh: int
    version: int
    digest: bytes
    signature: bytes | None
    place: Place
    holds: bool


@dataclass(frozen=True)
class Walk:
    """A payment of one meter and slot, walked back. `reading` None: settled without one."""

    market: int
    slot: int
    meter: int
    payments: tuple[WalkedPayment, ...]
    settlement: WalkedSettlement
    price: WalkedPrice
    orders: tuple[WalkedOrder, ...]
    reading: WalkedReading | None
    device: WalkedDevice
    maker: WalkedMaker

    @property
    def holds(self) -> bool:
        """Whether every step holds."""
        held = [self.settlement.holds, self.price.holds, self.maker.holds, *(order.holds for order in self.orders)]
        return all(held) and (self.reading is None or self.reading.holds)


async def walk(node: Node, book: AddressBook, meter: int, slot: int, *, last: int | None = None) -> Walk:
    """Walks the payment of a meter in a slot, as of block `last` (None: the newest).

    Raises NothingPaid, WrongChain, NodeUnavailable, NodeError.
    """
    await book.require(node)
    last = await node.block_number() if last is None else last
    return await walk_on(Lookup(node, book, last), Proofs(book.chain_id, dict(book.addresses)), meter, slot)


async def walk_on(lookup: Lookup, proofs: Proofs, meter: int, slot: int) -> Walk:
    """The same where node and addresses belong together. Raises NothingPaid, NodeUnavailable, NodeError."""
    return await _Walker(lookup, proofs, meter, slot).walk()


class _Walker:
    def __init__(self, lookup: Lookup, proofs: Proofs, meter: int, slot: int) -> None:
        self._lookup, self._proofs = lookup, proofs
        self._meter, self._slot = meter, slot

    async def walk(self) -> Walk:
        find = self._lookup.events
        settled = await find("EnergyAuction", chain.Settled, meter=self._meter, slot=self._slot)
        registered = await find("DERRegistry", chain.MeterRegistered, meter=self._meter)
        if not settled or not registered:
            raise NothingPaid(f"meter {self._meter} was not settled in slot {self._slot}")
        self._word = Meter.unpack(registered[0].terms.to_bytes(32, "big"))
        self._terms = await self._lookup.terms_at(self._word.market, self._slot)
        provenance = Provenance(self._lookup, self._proofs, registered[0].device)
        read = await find("MeterLedger", chain.ReadingRecorded, meter=self._meter, slot=self._slot)
        device = await provenance.device_at(read[-1] if read else settled[-1])
        reading = await self._walk_reading(read[-1], device) if read else None
        cleared = (await find("EnergyAuction", chain.Cleared, market=self._word.market, slot=self._slot))[0]
        books = await self._book_until(cleared)
        price, clearing = self._walk_price(cleared, books)
        orders = [await self._walk_order(event, clearing) for event in books.live.values()]
        return Walk(
            self._word.market,
            self._slot,
            self._meter,
            tuple(await self._walk_payments()),
            self._walk_settlement(settled[-1], clearing, books, reading),
            price,
            tuple(sorted(orders, key=lambda order: (order.side, order.meter))),
            reading,
            device,
            await provenance.maker(),
        )

    # money

    async def _walk_payments(self) -> list[WalkedPayment]:
        mine = (await self._lookup.payments(self._word.account)).get((self._slot, self._meter), [])
        return [
            WalkedPayment(
                event.account, event.from_pot, event.from_utility, event.hold, event.available, place_of(event)
            )
            for event in mine
        ]

    def _walk_settlement(
        self, event: chain.Settled, clearing: Clearing, books: _Books, reading: WalkedReading | None
    ) -> WalkedSettlement:
        line = books.book.lines.get(self._meter)
        filled = fill(clearing, line.side, line.tick, line.energy_wh) if line and line.side else 0
        bought = filled if line and line.side == Side.BID else 0
        sold = filled if line and line.side == Side.ASK else 0
        measured = (reading.import_wh, reading.export_wh) if reading else default_reading(self._terms, bought)
        price = self._terms.tick_price(clearing.price_tick) if clearing.traded else 0
        cash = settle_meter(self._terms, price, bought, sold, *measured)
        holds = (event.bought_wh, event.sold_wh, event.cash) == (bought, sold, cash.account)
        return _settlement(event, measured, cash, holds)

    # price and orders

    async def _book_until(self, cleared: chain.Cleared) -> _Books:
        """The slot's book as it stood when it was cleared, from the orders and cancels before that."""
        events: list[Event] = []
        events += await self._lookup.events("EnergyAuction", chain.Placed, slot=self._slot)
        events += await self._lookup.events("EnergyAuction", chain.Cancelled, slot=self._slot)
        books = _Books(Book(), {})
        for event in sorted(events, key=_position):
            if _position(event) < _position(cleared):
                books.take(event, self._word.market, self._terms)
        return books

    def _walk_price(self, event: chain.Cleared, books: _Books) -> tuple[WalkedPrice, Clearing]:
        clearing = books.book.clear()
        price = self._terms.tick_price(clearing.price_tick) if clearing.traded else 0
        said = (event.traded, event.price, event.volume_wh, event.low, event.high)
        bounds = (self._price_at(tick) for tick in (clearing.low_tick, clearing.high_tick))
        holds = said == (clearing.traded, price, clearing.volume_wh, *bounds)
        low, high = (event.low, event.high) if event.traded else (None, None)
        shown = event.price if event.traded else None
        return WalkedPrice(shown, low, high, event.volume_wh, place_of(event), holds), clearing

    def _price_at(self, tick: int) -> int:
        return NO_PRICE if tick == NO_TICK else self._terms.tick_price(tick)

    async def _walk_order(self, event: chain.Placed, clearing: Clearing) -> WalkedOrder:
        order = Order.unpack(event.order)
        registered = await self._lookup.events("DERRegistry", chain.MeterRegistered, meter=order.meter)
        account = registered[0].account if registered else ""
        digest = self._proofs.digest("EnergyAuction", order)
        signer = self._signer_of(order, event.order, account, await self._lookup.calls_behind(event))
        speaks = signer is None or await self._speaks(signer, account, order, event)
        if not speaks and await self._lookup.is_wallet(account):
            signer, speaks = None, True
        filled = fill(clearing, order.side, self._terms.tick(order.side, order.limit_price), order.energy_wh)
        return WalkedOrder(
            order.meter,
            account,
            order.side,
            order.energy_wh,
            order.limit_price,
            filled,
            signer,
            digest,
            order.meter == self._meter,
            place_of(event),
            digest == event.digest and speaks,
        )

    def _signer_of(self, order: Order, word: bytes, account: str, calls: Sequence[object]) -> str | None:
        """Whose key signed the order, alone or in a schedule, the account's if it did; None: the contract alone saw."""
        for call in calls:
            if not isinstance(call, Placing) or word not in (item.word for item in call.items):
                continue
            if call.shared is None:
                signers = [self._proofs.signer_of(order, each) for each in _signatures_of([call], word)]
                return account if account in signers else next(iter(signers), None)
            lines = tuple(Order.unpack(item.word) for item in call.items)
            return self._proofs.signer_of(Schedule(call.shared.account, lines), call.shared.signature)
        return None

    async def _speaks(self, signer: str, account: str, order: Order, event: chain.Placed) -> bool:
        """Whether the signer was the account or a delegate of it when the order was placed."""
        if signer == account:
            return True
        book = DelegationBook()
        said = await self._lookup.events("EnergyAuction", chain.DelegationSet, account=account, delegate=signer)
        for each in said:
            if _position(each) < _position(event):
                scope = Scope(each.market, each.max_energy_wh, each.lowest_ask, each.highest_bid, each.until)
                book.set(account, signer, tuple(each.meters), scope)
        return book.covers(account, signer, order, await self._lookup.time_of(event))

    # reading

    async def _walk_reading(self, event: chain.ReadingRecorded, device: WalkedDevice) -> WalkedReading:
        reading = Reading.unpack(event.reading)
        signatures = _signatures_of(await self._lookup.calls_behind(event), event.reading)
        good = [each for each in signatures if self._proofs.is_reading_of(reading, each, device.key)]
        signature = next(iter([*good, *signatures]), None)
        signed = bool(good) or signature is None
        digest = self._proofs.digest("MeterLedger", reading)
        return WalkedReading(
            reading.import_wh, reading.export_wh, reading.version, digest, signature, place_of(event), signed
        )


@dataclass
class _Books:
    """A slot's book and, by meter, the event of each live order."""

    book: Book
    live: dict[int, chain.Placed]

    def take(self, event: Event, market: int, terms: MarketTerms) -> None:
        if isinstance(event, chain.Placed):
            order = Order.unpack(event.order)
            if order.market == market:
                tick = terms.tick(order.side, order.limit_price)
                self.book.place(order.meter, order.version, order.side, tick, order.energy_wh)
                self.live[order.meter] = event
        elif isinstance(event, chain.Cancelled):
            cancel = Cancel.unpack(event.cancel)
            if cancel.market == market:
                self.book.cancel(cancel.meter, cancel.version)
                self.live.pop(cancel.meter, None)


def _settlement(event: chain.Settled, measured: tuple[int, int], cash: Cash, holds: bool) -> WalkedSettlement:
    return WalkedSettlement(
        event.bought_wh,
        event.sold_wh,
        *measured,
        event.cash,
        cash.trade,
        cash.fee,
        cash.deviation,
        event.reading_version == 0,
        place_of(event),
        holds,
    )


def _signatures_of(calls: Sequence[object], word: bytes) -> list[bytes]:
    """Those that came with a word, which may stand in a batch twice, once forged; none of a contract's call."""
    batches = [call for call in calls if isinstance(call, Placing | Settling)]
    found = (item.signature for call in batches for item in call.items if item.word == word)
    return [signature for signature in found if signature is not None]


def _position(event: Event) -> tuple[int, int]:
    return event.block_number, event.log_index
