"""Headers and Merkle proofs of a real node, and of one that lies."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gridweave.chain.firmware_evidence import proof_nodes
from gridweave.client.firmware import Bundle
from gridweave.client.firmware.refusals import (
    ModelNotOpen,
    ProofInvalid,
    ReleaseNotProved,
)
from gridweave.client.firmware.state import Header, proven_account, proven_word
from gridweave.domain.firmware.slots import slots_of
from tests.e2e.differential.fleet import MODEL
from tests.e2e.firmware.factory import Factory, with_release

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


def test_check__given_a_proof_with_a_node_too_many_or_too_few__refuses(factory: Factory, bundle: Bundle) -> None:
    spare = factory.bundle(6).slots[2][-1]
    for number in range(4):
        proof = bundle.slots[number]
        for changed in (
            proof[:-1],
            (*proof, spare),
            (*proof, proof[-1]),
            (),
            proof[::-1] if len(proof) > 1 else (spare,),
        ):
            slots = tuple(changed if n == number else each for n, each in enumerate(bundle.slots))
            with pytest.raises(ProofInvalid):
                factory.check(replace(bundle, slots=slots))
    with pytest.raises(ProofInvalid, match="account"):
        factory.check(replace(bundle, account=bundle.account[:-1]))


def test_check__given_the_proof_of_another_slot__refuses(factory: Factory, bundle: Bundle) -> None:
    others = factory.bundle(6).slots
    for number in range(2, 4):
        slots = tuple(others[n] if n == number else each for n, each in enumerate(bundle.slots))
        with pytest.raises((ProofInvalid, ReleaseNotProved)):
            factory.check(replace(bundle, slots=slots))


def test_check__given_a_model_that_is_not_open__refuses(factory: Factory, bundle: Bundle) -> None:
    """Its line's word is proved to be empty."""

    async def proof():
        async with factory._node() as node:
            block = await node.block_number()
            return await proof_nodes(node, factory.registry.address, MODEL + 1, 1, block)

    _, slots = asyncio.run(proof())
    made = with_release(factory.bundle(5), model=MODEL + 1, counter=1)
    made = replace(
        made,
        signatures=factory.approvals(made.release, factory.signers[:3]),
        slots=slots,
    )
    with pytest.raises(ModelNotOpen):
        factory.check(made, device=replace(factory.device(5), model=MODEL + 1))


def test_proofs__of_30_releases__agree_with_the_nodes_storage(passing: Factory) -> None:
    """Of words that are there and of words that are not, in a trie that has grown."""
    for counter in range(10, 40):
        passing.release(counter, source=f"v{counter}")
        if counter % 3:
            passing.begin(counter, share=1 + counter)
    header = Header.read(passing.bundle(5).header)
    empty = 0
    for counter in range(10, 40):
        made = passing.bundle(counter)
        root = proven_account(header.state_root, passing.registry.address, made.account)
        for slot, proof in zip(slots_of(MODEL, counter), made.slots, strict=True):
            stored = passing.chain.rpc("eth_getStorageAt", passing.registry.address, "0x" + slot.hex(), "latest")
            assert proven_word(root, slot, proof, "slot") == int(stored, 16)
            empty += not int(stored, 16)
    assert empty == 10
