"""The node client on a real node: blocks, reverts by name, refusals and reorgs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gridweave.chain import BlockNotAvailable, Call, Contracts, Fees, NodeError, Reverted, Role
from gridweave.chain.events import RoleGranted, decode_logs, topics_of
from gridweave.localnet import Clock, localnet

pytestmark = pytest.mark.chain

T0 = 1_600_000_000
STRANGER = "0x" + "77" * 20


@pytest.fixture
async def chain(tmp_path):
    async with localnet(tmp_path / "chain", clock=Clock.MANUAL, genesis_time=T0) as running:
        yield running


async def _signed(chain, call, role="relayer", *, nonce=None, fees=None):
    signer = chain.keys[role]
    head = await chain.node.head()
    return signer.sign(
        call,
        nonce=await chain.node.nonce(signer.address) if nonce is None else nonce,
        gas=call.gas or 21_000,
        fees=fees or chain.profile().fees(head.base_fee),
        chain_id=chain.chain_id,
    )


async def test_blocks__given_a_chain__are_linked_by_parent_hash(chain):
    for _ in range(5):
        await chain.mine()
    head = await chain.node.head()
    blocks = await chain.node.blocks(range(head.number + 2))
    assert blocks[-1] is None
    assert all(child.parent_hash == parent.hash for parent, child in pairwise(blocks[:-1]))
    assert blocks[0].hash == await chain.node.genesis_hash()
    assert blocks[-2] == head


@pytest.mark.parametrize("kind", ["eip1559", "legacy"])
async def test_send_raw__given_either_kind_of_fees__is_mined(chain, kind):
    fees = None if kind == "eip1559" else Fees(2 * 10**9, None)
    signed = await _signed(chain, Call(STRANGER, b"", value=5), fees=fees)
    assert await chain.node.send_raw(signed.raw) == signed.hash
    assert await chain.node.receipt(signed.hash) is None
    block = await chain.mine()
    receipt = await chain.node.receipt(signed.hash)
    assert (receipt.succeeded, receipt.block_hash, receipt.gas_used) == (True, block.hash, 21_000)
    assert await chain.node.balance(STRANGER) == 5
    assert (await chain.node.transaction(signed.hash)).block_number == block.number


async def test_send_raw__given_known_bytes_or_a_used_nonce__says_which(chain):
    signed = await _signed(chain, Call(STRANGER, b""))
    await chain.node.send_raw(signed.raw)
    with pytest.raises(NodeError) as known:
        await chain.node.send_raw(signed.raw)
    await chain.mine()
    other = await _signed(chain, Call(STRANGER, b"", value=1), nonce=0)
    with pytest.raises(NodeError) as used:
        await chain.node.send_raw(other.raw)
    assert known.value.already_known
    assert used.value.nonce_too_low


async def test_send_raw__given_a_poor_sender__says_so(chain):
    await chain.node.request("anvil_setBalance", chain.keys["relayer"].address, "0x0")
    with pytest.raises(NodeError) as raised:
        await chain.node.send_raw((await _signed(chain, Call(STRANGER, b"", value=1))).raw)
    assert raised.value.insufficient_funds


async def test_send_raw__given_more_gas_than_a_transaction_may_have__is_refused(chain):
    with pytest.raises(NodeError):
        await chain.node.send_raw((await _signed(chain, Call(STRANGER, b"", gas=16_777_217))).raw)


async def test_call__given_a_contracts_refusal__names_it(chain):
    contracts: Contracts = (await chain.deploy()).bundle(chain.node)
    call = contracts.currency.mint(STRANGER, 1)
    with pytest.raises(Reverted) as raised:
        await chain.node.call(call, sender=STRANGER)
    assert raised.value.name == "AccessManagedUnauthorized"
    assert dict(raised.value.arguments) == {"caller": STRANGER}
    with pytest.raises(Reverted) as estimated:
        await chain.node.gas(call, sender=STRANGER)
    assert estimated.value.name == "AccessManagedUnauthorized"


async def test_logs__given_a_range_and_a_block_of_it__agree(chain):
    deployment = await chain.deploy()
    authority = deployment.addresses["Authority"]
    head = await chain.node.head()
    ranged = await chain.node.logs(0, head.number, [authority], topics_of(RoleGranted))
    granted = list(decode_logs(ranged))
    last = granted[-1].block_number
    alone = await chain.node.logs(last, last, [authority], topics_of(RoleGranted))
    assert alone == [log for log in ranged if log.block_number == last]
    assert alone
    assert {event.role_id for event in granted} == {role for role in Role if role is not Role.PUBLIC}


async def test_call__given_a_reorg__is_answered_from_the_new_chain(chain):
    await chain.deploy()
    before = await chain.node.head()
    await chain.node.send_raw((await _signed(chain, Call(STRANGER, b"", value=5))).raw)
    dropped = await chain.mine()
    for _ in range(9):
        await chain.mine()
    await chain.node.request("anvil_reorg", 10, [])
    after = await chain.node.head()
    assert after.number == before.number + 10
    assert (await chain.node.block(dropped.number)).hash != dropped.hash
    assert await chain.node.balance(STRANGER) == 0
    assert (await chain.node.block(before.number)).hash == before.hash


async def test_call__given_a_block_that_is_not_there_yet__says_so(chain):
    with pytest.raises(BlockNotAvailable):
        await chain.node.call(Call(STRANGER, b""), block=99)
