"""A maker's tree is OpenZeppelin's standard one: same roots, same proofs, for batches of any size."""

from __future__ import annotations

import random

import pytest

from gridweave.domain.acts import KeyKind
from gridweave.domain.addresses import checksum_address
from gridweave.domain.errors import DeviceNotInBatch
from gridweave.domain.maker_tree import Batch, leaf_of, root_of
from tests.support.javascript import require_package, run_node

MOST = 300
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 299, MOST)
BATCHES = 40
_KINDS = (KeyKind.SECP256K1, KeyKind.P256)


def drawn(rng: random.Random, size: int) -> Batch:
    devices = [(checksum_address("0x" + rng.randbytes(20).hex()), rng.choice(_KINDS)) for _ in range(size)]
    return Batch(tuple(devices))


def test_proof__of_a_device_that_is_not_listed__is_refused_by_name(rng: random.Random) -> None:
    batch, stranger = drawn(rng, 5), drawn(rng, 1).devices[0][0]
    with pytest.raises(DeviceNotInBatch) as refusal:
        batch.proof(stranger)
    assert refusal.value.values == {"device": stranger}


def test_root__of_no_devices__is_refused() -> None:
    with pytest.raises(ValueError, match="a device at least"):
        _ = Batch(()).root


def test_root_of__the_other_kind_of_key_or_anything_changed__leads_elsewhere(rng: random.Random) -> None:
    batch = drawn(rng, 20)
    device, kind = batch.devices[7]
    proof = batch.proof(device)
    other = _KINDS[kind is KeyKind.SECP256K1]
    assert root_of(leaf_of(device, other), proof) != batch.root
    assert root_of(leaf_of(batch.devices[8][0], batch.devices[8][1]), proof) != batch.root
    assert root_of(leaf_of(device, kind), proof[:-1]) != batch.root
    assert root_of(leaf_of(device, kind), proof[::-1]) != batch.root
    for at in range(len(proof)):
        changed = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        assert root_of(leaf_of(device, kind), (*proof[:at], changed, *proof[at + 1 :])) != batch.root


def test_batch__in_any_order_and_any_spelling__has_one_root(rng: random.Random) -> None:
    batch = drawn(rng, 30)
    shuffled = Batch(tuple(rng.sample(batch.devices, len(batch.devices))))
    lower = Batch(tuple((device.lower(), kind) for device, kind in batch.devices))
    assert batch.root == shuffled.root == lower.root
    for device, _ in batch.devices:
        assert batch.proof(device) == shuffled.proof(device) == lower.proof(device.lower())


def test_batch__of_one__is_its_leaf(rng: random.Random) -> None:
    batch = drawn(rng, 1)
    assert batch.root == leaf_of(*batch.devices[0])
    assert batch.proof(batch.devices[0][0]) == ()


def test_batch__of_any_size__is_the_tree_of_openzeppelin_s_package(rng: random.Random) -> None:
    require_package("@openzeppelin/merkle-tree")
    sizes = [*SIZES, *(rng.randint(1, MOST) for _ in range(BATCHES - len(SIZES)))]
    batches = [drawn(rng, size) for size in sizes]
    theirs = run_node("standard_tree.mjs", [batch.devices for batch in batches])
    assert len(theirs) == BATCHES
    for batch, tree in zip(batches, theirs, strict=True):
        assert "0x" + batch.root.hex() == tree["root"]
        for (device, kind), proof in zip(batch.devices, tree["proofs"], strict=True):
            ours = batch.proof(device)
            assert ["0x" + sibling.hex() for sibling in ours] == proof
            assert root_of(leaf_of(device, kind), ours) == batch.root
