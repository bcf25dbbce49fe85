"""Readings: signed by the device, checked early, recorded and paid by the contract in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import (
    DomainError,
    MeterNotInForce,
    MeterUnknown,
    ReadingNotNewer,
    ReadingTooEarly,
    ReadingTooLate,
    SignatureMalformed,
)
from gridweave.domain.ledger import content_fault
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import to_compact
from gridweave.domain.terms import MarketTerms
from gridweave.outbox.kinds import Kind
from gridweave.services.device_rows import key_of
from gridweave.services.errors import GateTooClose, Refused, ServiceError
from gridweave.services.intake import Answer, Candidate, admit, refusal
from gridweave.services.meters import registered
from gridweave.services.world import World
from gridweave.store.meters import is_within_bounds
from gridweave.store.reading import Page, Row
from gridweave.store.records import NewItem

__all__ = ["SignedReading", "readings_of_meter", "submit_readings"]

_THREAD_FROM = 16


@dataclass(frozen=True)
class SignedReading:
    """A reading with its device's signature: r and s, 64 bytes (65 from a secp256k1 key that says v)."""

    reading: Reading
    signature: bytes


@dataclass(frozen=True)
class _Look:
    now: int
    meters: dict[int, Row]
    devices: dict[str, Row]
    terms: dict[tuple[int, int], MarketTerms | None]
    newest: dict[tuple[int, int], int]


async def submit_readings(world: World, readings: Sequence[SignedReading]) -> list[Answer]:
    """Acknowledges readings, or says per reading why not. Raises StoreUnavailable."""
    domain = world.domain("MeterLedger")
    look = await _look(world, [entry.reading for entry in readings])

    def examine() -> list[Candidate]:
        return [_examine(world, look, entry, digest(domain, entry.reading)) for entry in readings]

    candidates = examine() if len(readings) < _THREAD_FROM else await asyncio.to_thread(examine)
    return await admit(world, candidates)


async def readings_of_meter(world: World, meter: int, first: int, last: int, cursor: str | None, limit: int) -> Page:
    """Recorded readings of a meter in slots first..last. Raises CursorInvalid."""
    return await world.reads.meters.readings(meter, first, last, cursor, limit)


async def _look(world: World, readings: Sequence[Reading]) -> _Look:
    meters = await world.books.meters.get({reading.meter for reading in readings})
    names = sorted({row["device"] for row in meters.values()})
    places = sorted({(reading.meter, reading.slot) for reading in readings})
    return _Look(
        now=world.heads.time,
        meters=meters,
        devices=await world.books.devices.get(names),
        terms={(m, slot): await world.terms.at(meters[m]["market"], slot) for m, slot in places if m in meters},
        newest=await world.reads.meters.newest_versions(places),
    )


def _examine(world: World, look: _Look, entry: SignedReading, hash_: bytes) -> Candidate:
    id_ = to_hex(hash_)
    reading = entry.reading
    try:
        meter = look.meters.get(reading.meter)
        terms = look.terms.get((reading.meter, reading.slot))
        if meter is None or terms is None:
            raise MeterUnknown
        closes = _check_time(world, look.now, reading, terms)
        _check_content(world, reading, meter)
        as_of = terms.gate(reading.slot, world.clock) - 1  # the last second in which an order could be taken back
        compact = _check_device(world, look, entry, hash_, meter["device"], as_of)
        if reading.version <= look.newest.get((reading.meter, reading.slot), 0):
            raise ReadingNotNewer
    except (DomainError, ServiceError) as error:
        return Candidate(id_, error=refusal(error), signature=entry.signature)
    return Candidate(id_, item=_item(world, reading, hash_, compact, meter, closes))


def _check_time(world: World, now: int, reading: Reading, terms: MarketTerms) -> int:
    """The chain time from which the reading can no longer be recorded."""
    ends, closes = world.clock.end(reading.slot), terms.correction_end(reading.slot, world.clock)
    if now < ends:
        raise ReadingTooEarly(reading.slot, ends)
    if now >= closes:
        raise ReadingTooLate(reading.slot, closes)
    if now + world.settings.commit_margin >= closes:
        raise GateTooClose(closes, world.settings.commit_margin, now)
    return closes


def _check_content(world: World, reading: Reading, meter: Row) -> None:
    if not is_within_bounds(meter, reading.slot):
        raise MeterNotInForce
    fault = content_fault(reading, registered(meter), world.clock)
    if fault is not None:
        raise fault


def _check_device(world: World, look: _Look, entry: SignedReading, hash_: bytes, device: str, as_of: int) -> bytes:
    """The signature as the contract takes it. What is under way for the device is left to the contract."""
    row = look.devices.get(device)
    if row is None:
        raise Refused("UnknownDevice", {"device": device})
    signature = entry.signature
    if len(signature) == 65 and row["key_kind"] == KeyKind.SECP256K1:
        signature = to_compact(signature)
    if len(signature) != 64:
        raise SignatureMalformed("64 bytes: r, then s")
    if not key_of(row).verifies(hash_, signature):
        raise Refused("DeviceSignatureInvalid", {"device": device})
    _check_standing(world, row, as_of, device)
    return signature


def _check_standing(world: World, row: Row, as_of: int, device: str) -> None:
    if row["status"] == DeviceStatus.ACTIVE or world.lanes.busy([f"device:{device}"]):
        return
    if row["status_since"] <= as_of:
        name = "DeviceSuspended" if row["status"] == DeviceStatus.SUSPENDED else "DeviceRevoked"
        raise Refused(name, {"device": device})


def _item(world: World, reading: Reading, hash_: bytes, compact: bytes, meter: Row, closes: int) -> NewItem:
    payload: dict[str, Any] = {"word": to_hex(reading.pack()), "signature": to_hex(compact)}
    lanes = (f"meter:{reading.meter}", f"device:{meter['device']}", f"slot:{meter['market']}:{reading.slot}")
    item = NewItem(
        id=to_hex(hash_),
        kind=Kind.READING,
        nonce_key=f"reading:{reading.meter}:{reading.slot}:{reading.version}",
        lanes=lanes,
        payload=payload | {"late": "ReadingTooLate"},
        commit_before=closes,
        market=meter["market"],
        slot=reading.slot,
        meter=reading.meter,
        account=meter["account"],
    )
    return world.acknowledge(item, compact)
