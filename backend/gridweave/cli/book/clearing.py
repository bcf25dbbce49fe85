"""A book on the real contracts: a market that fits, an account and a meter per order, placed, cleared, read back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from gridweave.chain import (
    Act,
    Call,
    ChainError,
    Contracts,
    EnergyAuction,
    Fees,
    Receipt,
    Signer,
    SlotClearing,
    decode_logs,
    error_name,
    signed_words,
    topics_of,
)
from gridweave.chain import events as chain_events
from gridweave.cli.book.file import BookFile, Row
from gridweave.cli.book.outcome import BookOutcome
from gridweave.cli.book.wholesale import TransactionFailed, Wholesale
from gridweave.domain import signatures
from gridweave.domain.acts import CreateMarket, Endorsement, KeyKind, MeterRegistration, Possession, Underwrite
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.orders import Order, Side
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms

__all__ = ["OrderNotPlaced", "Stage", "clear_book", "market_terms"]

Report = Callable[[str, int, int], None]
"""What is being done, how much of it is done, of how many."""

_NO_TICK = 0xFFFF
_FAR = 1 << 39
_SLOTS_AHEAD = 4
_PLACE_BATCH = 200
_PLACE_GAS_FIRST, _PLACE_GAS_EACH = 400_000, 80_000
_ENROL_GAS, _REGISTER_GAS, _DEPOSIT_GAS = 420_000, 260_000, 180_000
_METER_CAPACITY_W = (1 << 24) - 1


class OrderNotPlaced(Exception):
    """The contract refused rows; `refusals` maps a row's name to the contract's reason."""

    def __init__(self, refusals: dict[str, str]) -> None:
        self.refusals = refusals
        super().__init__("\n".join(f"{row}: {reason}" for row, reason in refusals.items()))


class Stage(Protocol):
    """A throw-away chain that carries the contracts. `host` holds every role and the gas."""

    @property
    def contracts(self) -> Contracts: ...
    @property
    def host(self) -> Signer: ...
    @property
    def chain_id(self) -> int: ...
    @property
    def slot_length(self) -> int: ...
    @property
    def fees(self) -> Fees: ...

    async def mine(self) -> object: ...
    async def mine_at(self, timestamp: int) -> object: ...


@dataclass(frozen=True)
class Party:
    """One row's own account and the key of its meter's device."""

    row: Row
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    device_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))


def market_terms(book: BookFile, host: str) -> MarketTerms:
    """The market that fits: its grid spans the book, feed-in and retail price stand at the grid's ends."""
    return MarketTerms(
        min_price=book.grid.low,
        tick_size=book.grid.tick,
        tick_count=book.grid.count,
        grid_fee=book.fee,
        feed_in_price=book.grid.low,
        retail_price=book.grid.high,
        min_energy_wh=1,
        utility=host,
        gate_lead=300,
        reading_window=3_600,
        correction_window=7_200,
        operator=host,
        default_wh=0,
        from_slot=0,
    )


async def clear_book(book: BookFile, stage: Stage, report: Report) -> BookOutcome:
    """Clears `book` on the contracts of `stage`. Raises OrderNotPlaced, TransactionFailed, ChainError."""
    return await _Run(book, stage, report).outcome()


class _Run:
    def __init__(self, book: BookFile, stage: Stage, report: Report) -> None:
        self.book = book
        self.stage = stage
        self.report = report
        self.contracts = stage.contracts
        self.terms = market_terms(book, stage.host.address)
        self.parties = [Party(row) for row in book.rows]
        self.sender = Wholesale(self.contracts.vault.node, stage.host, stage.chain_id, stage.fees, stage.mine)
        self._nonces = count(secrets.randbits(64) << 32)

    async def outcome(self) -> BookOutcome:
        market = await self._create_market()
        await self._fund()
        meters = await self._register(market)
        clock = SlotClock(self.stage.slot_length)
        slot = clock.slot_at((await self.sender.node.head()).timestamp) + _SLOTS_AHEAD
        placed = await self._place(market, slot, meters)
        self.report("clearing", 0, 1)
        await self.stage.mine_at(self.terms.gate(slot, clock))
        cleared = await self.sender.one(self.contracts.auction.clear(market, slot))
        fills = await self._fills(slot, meters)
        clearing = await self.contracts.auction.clearing_of(market, slot)
        self.report("clearing", 1, 1)
        return self._outcome(clearing, fills, sum(receipt.gas_used for receipt in placed), cleared.gas_used)

    async def _create_market(self) -> int:
        self.terms.validate(SlotClock(self.stage.slot_length))
        host = self.stage.host.address
        create = CreateMarket(self.terms, next(self._nonces), _FAR)
        underwrite = Underwrite(self.terms, next(self._nonces), _FAR)
        acts = [Act.of(act, host, self._host_signs("EnergyAuction", act)) for act in (create, underwrite)]
        await self.sender.one(self.contracts.auction.create_market(self.terms, *acts))
        return await self.contracts.auction.market_count()

    async def _fund(self) -> None:
        """Gives each account exactly the collateral of its order."""
        amounts = [self._collateral(party.row) for party in self.parties]
        if not amounts:
            return
        vault, currency = self.contracts.vault, self.contracts.currency
        await self.sender.one(currency.mint(self.stage.host.address, sum(amounts)))
        await self.sender.one(currency.approve(vault.address, sum(amounts)))
        deposits = [
            vault.deposit(signatures.address_of(party.key), amount)
            for party, amount in zip(self.parties, amounts, strict=True)
        ]
        await self.sender.run(self._told("funding accounts", deposits), _DEPOSIT_GAS)

    async def _register(self, market: int) -> list[int]:
        """Enrols a device and registers a meter per row; the meters' ids in the order of the rows."""
        if not self.parties:
            return []
        before = await self.sender.node.block_number()
        await self.sender.run(self._told("enrolling devices", [*self._enrolments()]), _ENROL_GAS)
        await self.sender.run(self._told("registering meters", [*self._registrations(market)]), _REGISTER_GAS)
        registered = await self._registered(before)
        by_device = {event.device: event.meter for event in registered}
        devices = [_device_of(party) for party in self.parties]
        if by_device.keys() != set(devices):
            raise TransactionFailed(f"{len(by_device):,} of {len(devices):,} meters were registered")
        return [by_device[device] for device in devices]

    async def _place(self, market: int, slot: int, meters: Sequence[int]) -> list[Receipt]:
        """Every order signed by its own account, placed in batches. Raises OrderNotPlaced."""
        domain = self._domain("EnergyAuction")
        signed = []
        for party, meter in zip(self.parties, meters, strict=True):
            order = self._order(party.row, market, slot, meter)
            signed.append((order, signatures.sign_compact(party.key, digest(domain, order))))
        batches = [signed[start : start + _PLACE_BATCH] for start in range(0, len(signed), _PLACE_BATCH)]
        calls = [
            self.contracts.auction.place(signed_words(batch)).with_gas(_PLACE_GAS_FIRST + _PLACE_GAS_EACH * len(batch))
            for batch in batches
        ]
        receipts = await self.sender.all([*self._told("placing orders", calls)], 0)
        refused = [
            event
            for receipt in receipts
            for event in decode_logs(receipt.logs)
            if isinstance(event, chain_events.OrderRefused)
        ]
        if refused:
            rows = {meter: party.row.name for party, meter in zip(self.parties, meters, strict=True)}
            raise OrderNotPlaced({rows[event.meter]: error_name(event.reason) for event in refused})
        return receipts

    async def _fills(self, slot: int, meters: Sequence[int]) -> list[int]:
        auction = self.contracts.auction
        function = EnergyAuction.abi().functions["positionOf"]
        answers = await self.sender.node.calls([auction.call("positionOf", meter, slot) for meter in meters])
        fills = []
        for answer in answers:
            if isinstance(answer, ChainError):
                raise answer
            fills.append(int(function.decode(answer)[0][4]))
        return fills

    def _outcome(self, clearing: SlotClearing, fills: Sequence[int], place_gas: int, clear_gas: int) -> BookOutcome:
        def price(tick: int) -> int | None:
            return None if tick == _NO_TICK and not clearing.traded else self.terms.tick_price(tick)

        bids = len(self.book.bids)
        return BookOutcome(
            book=self.book,
            volume_wh=clearing.volume_wh,
            price=price(clearing.price_tick) if clearing.traded else None,
            low=price(clearing.low_tick),
            high=price(clearing.high_tick),
            bid_fills=tuple(fills[:bids]),
            ask_fills=tuple(fills[bids:]),
            place_gas=place_gas,
            clear_gas=clear_gas,
        )

    def _enrolments(self) -> Iterator[Call]:
        domain, host = self._domain("DeviceRegistry"), self.stage.host.address
        for party in self.parties:
            x, y = signatures.secp256k1_point(party.device_key)
            device, owner = signatures.device_id(x, y), signatures.address_of(party.key)
            endorsement = Endorsement(device, host, owner, 0, KeyKind.SECP256K1, x, y, next(self._nonces), _FAR)
            proof = signatures.sign_compact(party.device_key, digest(domain, Possession(device, host, owner, _FAR)))
            yield self.contracts.devices.enrol(endorsement, self._host_signs("DeviceRegistry", endorsement), proof)

    def _registrations(self, market: int) -> Iterator[Call]:
        host = self.stage.host.address
        for party in self.parties:
            registration = MeterRegistration(
                device=_device_of(party),
                market=market,
                account=signatures.address_of(party.key),
                import_capacity_w=_METER_CAPACITY_W,
                export_capacity_w=_METER_CAPACITY_W,
                scale_wh=1,
                mandated=False,
                nonce=next(self._nonces),
                deadline=_FAR,
            )
            act = Act.of(registration, host, self._host_signs("DERRegistry", registration))
            yield self.contracts.meters.register_meter(registration, act)

    def _order(self, row: Row, market: int, slot: int, meter: int) -> Order:
        return Order(market, slot, meter, 1, _FAR, row.side, row.energy_wh, self._limit(row))

    def _limit(self, row: Row) -> int:
        return row.net_price + (self.book.fee if row.side is Side.BID else 0)

    def _collateral(self, row: Row) -> int:
        return self.terms.collateral(row.side, self._limit(row), row.energy_wh)

    def _domain(self, contract: str) -> Domain:
        addresses = {
            "EnergyAuction": self.contracts.auction.address,
            "DeviceRegistry": self.contracts.devices.address,
            "DERRegistry": self.contracts.meters.address,
        }
        return Domain.of(contract, self.stage.chain_id, addresses[contract])

    def _host_signs(self, contract: str, message: Message) -> bytes:
        compact = signatures.sign_compact(self.stage.host.secret, digest(self._domain(contract), message))
        return signatures.to_rsv(compact)

    def _told(self, what: str, calls: Sequence[Call]) -> Iterator[Call]:
        for done, call in enumerate(calls):
            if done % 100 == 0:
                self.report(what, done, len(calls))
            yield call
        self.report(what, len(calls), len(calls))

    async def _registered(self, after: int) -> list[chain_events.MeterRegistered]:
        last = await self.sender.node.block_number()
        topics = topics_of(chain_events.MeterRegistered)
        logs = await self.sender.node.logs(after + 1, last, [self.contracts.meters.address], topics)
        return [event for event in decode_logs(logs) if isinstance(event, chain_events.MeterRegistered)]


def _device_of(party: Party) -> str:
    return signatures.device_id(*signatures.secp256k1_point(party.device_key))
