"""What each event becomes: a row of history, and rows of the tables that answer questions about the present."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import lru_cache
from typing import Any

from gridweave.chain.errors import error_name
from gridweave.chain.events import (
    EVENTS,
    AccessGranted,
    AssetRegistered,
    AssetStateChanged,
    Balanced,
    BatchAnchored,
    BatchClosed,
    BatchRefused,
    BatchRegistered,
    BondLeaving,
    BondPosted,
    BondRedeemed,
    Cancelled,
    Cleared,
    Compensated,
    DebtChanged,
    DebtPaid,
    DelegationSet,
    Deposited,
    DeviceCompromised,
    DeviceEnrolled,
    DeviceStatusChanged,
    DIDAttributeChanged,
    DIDOwnerChanged,
    EpochBegun,
    Event,
    Locked,
    MarketChanged,
    MarketCreated,
    MeterEnded,
    MeterMoved,
    MeterRegistered,
    OrderRefused,
    Paid,
    Placed,
    ReadingRecorded,
    ReadingRefused,
    RefusalProved,
    Released,
    RotationProposed,
    RotationVetoed,
    Settled,
    SettlementRefused,
    Skimmed,
    SlotClosed,
    StreamOpened,
    TransferOffered,
    Withdrawn,
)
from gridweave.chain.hexes import to_hex
from gridweave.domain.anchors import Span
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.meters import Meter
from gridweave.domain.orders import CANCEL_WORD, ORDER_WORD, Cancel, Order
from gridweave.domain.outcomes import NO_PRICE
from gridweave.domain.readings import READING_WORD, Reading
from gridweave.indexer.firmware_rows import FIRMWARE
from gridweave.indexer.history import History

__all__ = ["PROJECTED", "Row", "project"]

Row = dict[str, Any]
Projection = Callable[[Any], Row]
Rows = Callable[[Any], list[tuple[str, Row]]]

_PLACE = frozenset(field.name for field in fields(Event))
_ORDER, _CANCEL, _READING = (tuple(field.name for field in fields(kind)) for kind in (Order, Cancel, Reading))
_OWN = {kind: tuple(f.name for f in fields(kind) if f.name not in _PLACE) for kind in EVENTS.values()}


def _as_is(event: Event) -> Row:
    """The event's own parameters under their own names."""
    return {name: _plain(getattr(event, name)) for name in _OWN[type(event)]}


def _enrolled(event: DeviceEnrolled) -> Row:
    return _as_is(event) | {"batch": to_hex(event.batch) if any(event.batch) else None}


def _owned(event: DIDOwnerChanged) -> Row:
    return {"device": event.identity, "owner": event.owner}


def _keyed(event: DIDAttributeChanged) -> Row:
    key = DevicePublicKey.of_attribute(event.name, event.value)
    shown = {"key_kind": int(key.kind), "x": to_hex(key.x), "y": to_hex(key.y)}
    return {"device": event.identity, **shown, "counts": event.valid_to > 0}


def _market(event: MarketCreated | MarketChanged) -> Row:
    terms = event.terms
    return {"market": event.market, "version": event.version} | {f.name: getattr(terms, f.name) for f in fields(terms)}


def _meter(event: MeterRegistered) -> Row:
    terms = Meter.unpack(event.terms.to_bytes(32, "big"))
    return {
        "meter": event.meter,
        "device": event.device,
        "account": event.account,
        "market": event.market,
        "import_capacity_w": terms.import_capacity_w,
        "export_capacity_w": terms.export_capacity_w,
        "scale_wh": terms.scale_wh,
        "has_mandate": terms.mandate,
    }


def _delegated(event: DelegationSet) -> list[tuple[str, Row]]:
    """A row for each meter; 0 stands for all without a delegation of their own."""
    row = _as_is(event)
    del row["meters"]
    return [("delegations", row | {"meter": meter}) for meter in event.meters or (0,)]


def _placed(event: Placed) -> Row:
    return {"digest": to_hex(event.digest), **dict(zip(_ORDER, ORDER_WORD.unpack(event.order), strict=True))}


def _cancelled(event: Cancelled) -> Row:
    return {"digest": to_hex(event.digest), **dict(zip(_CANCEL, CANCEL_WORD.unpack(event.cancel), strict=True))}


def _cleared(event: Cleared) -> Row:
    bounds = {name: None if value == NO_PRICE else value for name, value in (("low", event.low), ("high", event.high))}
    return _as_is(event) | bounds | {"price": event.price if event.traded else None}


def _reading(event: ReadingRecorded) -> Row:
    return dict(zip(_READING, READING_WORD.unpack(event.reading), strict=True))


def _deposited(event: Deposited) -> Row:
    return _move("deposit", event.account, event.payer, None, event.amount, event.available)


def _withdrawn(event: Withdrawn) -> Row:
    return _move("withdrawal", event.account, event.to, None, -event.amount, event.available)


def _locked(event: Locked) -> Row:
    kind = "locked" if event.amount >= 0 else "released"
    return _move(kind, event.account, event.module, to_hex(event.ref), -event.amount, event.available)


def _paid(event: Paid) -> Row:
    amount = event.from_pot + event.from_utility
    parts = {"from_pot": event.from_pot, "from_utility": event.from_utility, "hold": event.hold}
    return _move("settled", event.account, event.module, to_hex(event.ref), amount, event.available) | parts


def _move(kind: str, account: str, counterparty: str, ref: str | None, amount: int, available: int) -> Row:
    return {
        "account": account,
        "kind": kind,
        "counterparty": counterparty,
        "ref": ref,
        "amount": amount,
        "available": available,
        "from_pot": None,
        "from_utility": None,
        "hold": None,
    }


def _skimmed(event: Skimmed) -> Row:
    return {"recipient": event.to, "amount": event.amount}


def _one(table: str, projection: Projection = _as_is) -> Rows:
    return lambda event: [(table, projection(event))]


def _balanced(event: Balanced) -> list[tuple[str, Row]]:
    """What the settlement moved besides its legs, and how it left the utility and the operator."""
    to_operator = event.to_operator + event.pot_to_operator
    if event.utility == event.operator:
        amount = event.pot_to_utility + event.pot_to_operator
        both = [_book_move(event.operator, event.utility, amount, event.operator_available)]
    else:
        amount = event.pot_to_utility - event.to_operator
        both = [
            _book_move(event.utility, event.operator, amount, event.utility_available),
            _book_move(event.operator, event.utility, to_operator, event.operator_available),
        ]
    return [("balances", _as_is(event)), *(("moves", move) for move in both)]


def _book_move(account: str, other: str, amount: int, available: int) -> Row:
    return _move("balanced", account, other, None, amount, available)


def _debt_paid(event: DebtPaid) -> list[tuple[str, Row]]:
    paid = _move("debt", event.debtor, event.creditor, None, -event.amount, event.debtor_available)
    received = _move("debt", event.creditor, event.debtor, None, event.amount, event.creditor_available)
    return [("payments", _as_is(event)), ("moves", paid), ("moves", received)]


def _bond(kind: str) -> Rows:
    """What the event leaves of a bond."""
    return lambda event: [("bonds", _bond_row(kind, event))]


def _bond_row(kind: str, event: BondPosted | BondLeaving | BondRedeemed | Compensated) -> Row:
    return {
        "sponsor": event.sponsor,
        "relayer": event.relayer,
        "kind": kind,
        "bond": event.bond,
        "leaving": getattr(event, "leaving", 0),
        "redeemable_at": getattr(event, "redeemable_at", None),
    }


def _compensated(event: Compensated) -> list[tuple[str, Row]]:
    order = Order.unpack(event.order)
    row = _as_is(event) | {"meter": order.meter, "slot": order.slot}
    for name in ("order", "bond", "leaving"):
        del row[name]
    return [("compensations", row), ("bonds", _bond_row("compensated", event))]


def _epoch(event: EpochBegun) -> Row:
    return _as_is(event) | {"tip": _word(event.tip)}


def _anchored(event: BatchAnchored) -> Row:
    return _as_is(event) | {"span": _word(event.span), "number": Span.unpack(event.span.to_bytes(32, "big")).number}


def _batch_refused(event: BatchRefused) -> Row:
    return _as_is(event) | {"span": _word(event.span), "reason": error_name(event.reason[:4])}


def _granted(event: AccessGranted) -> Row:
    row = _as_is(event)
    del row["sealed_"]
    return row | {"sealed": to_hex(event.sealed_)}


def _word(number: int) -> str:
    return to_hex(number.to_bytes(32, "big"))


PROJECTED: dict[type[Event], Rows] = {
    BatchRegistered: _one("device_batches"),
    BatchClosed: _one("device_batch_closings"),
    DeviceEnrolled: _one("devices", _enrolled),
    DIDOwnerChanged: _one("device_owners", _owned),
    DIDAttributeChanged: _one("device_keys", _keyed),
    RotationProposed: _one("device_proposals"),
    RotationVetoed: _one("device_vetoes"),
    DeviceStatusChanged: _one("device_statuses"),
    DeviceCompromised: _one("device_doubts"),
    TransferOffered: _one("device_offers"),
    MeterRegistered: _one("meters", _meter),
    AssetRegistered: _one("assets"),
    AssetStateChanged: _one("asset_states"),
    MeterEnded: _one("meter_ends"),
    MeterMoved: _one("meter_moves"),
    **FIRMWARE,
    MarketCreated: _one("markets", _market),
    MarketChanged: _one("markets", _market),
    DelegationSet: _delegated,
    Placed: _one("placements", _placed),
    Cancelled: _one("cancellations", _cancelled),
    OrderRefused: _one("refusals"),
    Cleared: _one("clearings", _cleared),
    ReadingRecorded: _one("readings", _reading),
    ReadingRefused: _one("reading_refusals"),
    Settled: _one("settlements"),
    SettlementRefused: _one("settlement_refusals"),
    Released: _one("releases"),
    SlotClosed: _one("closes"),
    Deposited: _one("moves", _deposited),
    Withdrawn: _one("moves", _withdrawn),
    Locked: _one("moves", _locked),
    Paid: _one("moves", _paid),
    Balanced: _balanced,
    DebtPaid: _debt_paid,
    DebtChanged: _one("debts"),
    Skimmed: _one("skims", _skimmed),
    BondPosted: _bond("posted"),
    BondLeaving: _bond("leaving"),
    BondRedeemed: _bond("redeemed"),
    Compensated: _compensated,
    RefusalProved: _one("refusal_proofs"),
    StreamOpened: _one("streams"),
    EpochBegun: _one("stream_epochs", _epoch),
    BatchAnchored: _one("stream_batches", _anchored),
    BatchRefused: _one("stream_refusals", _batch_refused),
    AccessGranted: _one("stream_grants", _granted),
}
"""The rows of every event that leaves some besides its history, as (table, row)."""


def project(events: Iterable[Event]) -> dict[str, list[Row]]:
    """Rows by table for all events of some blocks, each keyed by where its event stands."""
    rows: dict[str, list[Row]] = defaultdict(list)
    history = History()
    for event in events:
        key = _key(event)
        history.add(event, key)
        rows_of = PROJECTED.get(type(event))
        if rows_of is not None:
            for table, row in rows_of(event):
                rows[table].append(key | row)
    return {**history.rows(), **rows}


_hash_text = lru_cache(maxsize=1_024)(to_hex)
"""Of transactions: events of one follow each other."""


def _key(event: Event) -> Row:
    return {
        "block_number": event.block_number,
        "log_index": event.log_index,
        "tx_hash": _hash_text(event.transaction_hash),
    }


def _plain(value: Any) -> Any:
    """Reasons by name, other bytes as hex."""
    if isinstance(value, bytes):
        return error_name(value) if len(value) == 4 else to_hex(value)
    return value
