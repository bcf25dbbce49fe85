"""Solidity finds each device in the tree that the domain built, at any size of batch, and nobody else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gridweave.chain import Reverted
from gridweave.domain.maker_tree import Batch
from tests.support.acts import Acts, Party
from tests.support.town import DeviceKeyPair, Town, draw_home, founded

pytestmark = pytest.mark.chain

SIZES = (1, 2, 3, 7, 64, 65, 300)


async def said(town: Town, acts: Acts, key: DeviceKeyPair, root: bytes, proof: tuple[bytes, ...]) -> str:
    """The name of the error that a claim meets, or ``."""
    call = acts.claim(key, town.keys["utility"].address, root, proof).call
    assert call is not None
    try:
        await town.chain.node.call(call, sender=town.keys["admin"].address)
    except Reverted as reverted:
        return reverted.name
    return ""


async def test_claim__from_batches_of_any_size__is_taken_by_its_own_proof_only(
    tmp_path: Path, rng: random.Random
) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        acts, maker = Acts(town), Party("maker", town.keys["maker"].secret)
        for size in SIZES:
            keys = [draw_home(rng.randrange(10**9))[1] for _ in range(size)]
            batch = Batch(tuple((key.device, key.kind) for key in keys))
            registered = acts.batch(batch.root, maker, size).call
            assert registered is not None
            await town.send([registered])
            some = {keys[0].device: keys[0], keys[-1].device: keys[-1], keys[size // 2].device: keys[size // 2]}
            for key in some.values():
                proof = batch.proof(key.device)
                call = acts.claim(key, town.keys["utility"].address, batch.root, proof).call
                assert call is not None
                await town.send([call])
                device = await town.contracts.devices.device_of(key.device)
                assert device is not None
                assert (device.key, device.key_kind, device.maker) == (key.device, key.kind, maker.account)
            if size > len(some):
                (unclaimed, *_) = [key for key in keys if key.device not in some]
                proof = batch.proof(unclaimed.device)
                assert await said(town, acts, unclaimed, batch.root, proof) == ""
                assert await said(town, acts, unclaimed, batch.root, proof[:-1]) == "NotInBatch"
                assert await said(town, acts, unclaimed, batch.root, batch.proof(keys[0].device)) == "NotInBatch"
            stranger = draw_home(rng.randrange(10**9))[1]
            assert await said(town, acts, stranger, batch.root, batch.proof(keys[0].device)) == "NotInBatch"
