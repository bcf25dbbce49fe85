"""Readings paid a second: from the POST to the transaction that records, verifies and settles them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmark.figures import Figure
from benchmark.speed.scene import Scene, in_batches
from gridweave.chain.events import Settled
from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import digest
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import verify_p256, verify_secp256k1
from tests.support.town import TestHome

__all__ = ["measure_readings"]

HANDS = 8
_BLOCKS = 0.1
_BATCH_GAS = 9_000_000
_UNIT = "readings/s"
_WITHIN = 120.0

Signed = tuple[TestHome, dict[str, Any]]


async def measure_readings(scene: Scene) -> dict[str, Figure]:
    """Half of the read slots through the service, half of them by transactions made beforehand."""
    await scene.travel(scene.town.clock.start(scene.first + scene.size.read_slots))
    half = scene.size.read_slots // 2
    own = [_readings(scene, scene.first + at) for at in range(half)]
    others = [_readings(scene, scene.first + half + at) for at in range(half)]
    async with scene.blocks(_BLOCKS):
        paid = await _through_service(scene, own)
    limits = {
        "the node alone, given the same as transactions made beforehand": await _straight(scene, others),
        "checking their signatures, nothing else": _verified(scene, own),
    }
    settled = await scene.events(Settled)
    count = sum(map(len, own))
    if settled != 2 * count:
        raise RuntimeError(f"{2 * count} readings were sent, {settled} settled")
    what = min(limits, key=lambda name: limits[name])
    note = f"{count} readings in POSTs of 100, half by P-256 keys, to the last one's payment; limit: {what}"
    return {"readings.paid_per_s": Figure.beside(paid, _UNIT, limits[what], note)}


def _readings(scene: Scene, slot: int) -> list[Signed]:
    rng = scene.rng
    return [(home, scene.town.reading(home, slot, rng.randrange(600), rng.randrange(600))) for home in scene.town.homes]


async def _through_service(scene: Scene, slots: Sequence[Sequence[Signed]]) -> float:
    bodies = [batch for slot in slots for batch in in_batches([body for _, body in slot])]
    started = time.perf_counter()
    await scene.post("readings", bodies, HANDS)
    await scene.until_done()
    return sum(map(len, slots)) / (time.perf_counter() - started)


async def _straight(scene: Scene, slots: Sequence[Sequence[Signed]]) -> float:
    """The same calls signed beforehand: sent, mined, and every receipt read."""
    town, node, admin = scene.town, scene.town.chain.node, scene.town.keys["admin"]
    batches = [batch for slot in slots for batch in in_batches(slot)]
    calls = [
        town.contracts.auction.settle(town.market, batch[0][1]["slot"], [_word(body) for _, body in batch])
        for batch in batches
    ]
    nonce = await node.nonce(admin.address)
    fees = town.chain.profile().fees((await node.head()).base_fee)
    signed = [
        admin.sign(call, nonce=nonce + at, fees=fees, chain_id=town.chain.chain_id, gas=_BATCH_GAS)
        for at, call in enumerate(calls)
    ]
    started = time.perf_counter()
    await node.send_raws([entry.raw for entry in signed])
    async with asyncio.timeout(_WITHIN):
        while await node.nonce(admin.address) < nonce + len(signed):
            await town.chain.mine()
    receipts = await node.receipts([entry.hash for entry in signed])
    seconds = time.perf_counter() - started
    if not all(receipt is not None and receipt.succeeded for receipt in receipts):
        raise RuntimeError("a settlement failed on the node")
    return sum(map(len, slots)) / seconds


def _word(body: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    signature = bytes.fromhex(body["signature"][2:])
    return _reading(body).pack(), signature[:32], signature[32:]


def _reading(body: dict[str, Any]) -> Reading:
    return Reading(body["meter"], body["slot"], body["version"], body["importWh"], body["exportWh"])


def _verified(scene: Scene, slots: Sequence[Sequence[Signed]]) -> float:
    """Signatures checked a second."""
    work = [_check(scene, home, body) for slot in slots for home, body in slot]
    started = time.perf_counter()
    if not all(check() for check in work):
        raise RuntimeError("a signature is wrong")
    return len(work) / (time.perf_counter() - started)


def _check(scene: Scene, home: TestHome, body: dict[str, Any]) -> Callable[[], bool]:
    hash_ = digest(scene.town.domain("MeterLedger"), _reading(body))
    signature = bytes.fromhex(body["signature"][2:])
    x, y = home.key.point
    if home.key.kind is KeyKind.P256:
        return lambda: verify_p256(x, y, hash_, signature)
    return lambda: verify_secp256k1(x, y, hash_, signature)
