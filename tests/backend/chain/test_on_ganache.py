"""The node client on Ganache, whose words and error codes are its own: the outbox lives by telling them apart."""

from __future__ import annotations

import pytest

from gridweave.chain import BlockNotAvailable, Call, Fees, NodeError, Reverted
from tests.support.ganache import ganache

pytestmark = pytest.mark.chain

T0 = 1_800_000_000
STRANGER = "0x" + "77" * 20


@pytest.fixture
async def chain(tmp_path):
    async with ganache(tmp_path / "chain", T0) as running:
        yield running


async def _signed(chain, call, *, nonce=None, fees=None):
    signer = chain.keys["relayer"]
    head = await chain.node.head()
    return signer.sign(
        call,
        nonce=await chain.node.nonce(signer.address) if nonce is None else nonce,
        gas=21_000,
        fees=fees or chain.profile().fees(head.base_fee),
        chain_id=chain.chain_id,
    )


async def _refusal(chain, signed):
    with pytest.raises(NodeError) as raised:
        await chain.node.send_raw(signed.raw)
    return raised.value


@pytest.mark.parametrize("kind", ["eip1559", "legacy"])
async def test_send_raw__given_either_kind_of_fees__waits_for_a_block(chain, kind):
    signed = await _signed(
        chain, Call(STRANGER, b"", value=5), fees=None if kind == "eip1559" else Fees(2 * 10**9, None)
    )
    assert await chain.node.send_raw(signed.raw) == signed.hash
    assert await chain.node.receipt(signed.hash) is None
    block = await chain.mine(T0 + 900)
    receipt = await chain.node.receipt(signed.hash)
    assert (receipt.succeeded, receipt.block_hash, block.timestamp) == (True, block.hash, T0 + 900)


async def test_send_raw__given_bytes_that_it_holds__takes_them_once(chain):
    """It says underpriced where others say known: the outbox only tells of it, and goes on."""
    signed = await _signed(chain, Call(STRANGER, b"", value=1))
    await chain.node.send_raw(signed.raw)
    assert (await _refusal(chain, signed)).underpriced
    await chain.mine()
    assert await chain.node.balance(STRANGER) == 1


async def test_send_raw__given_a_used_nonce__says_so(chain):
    await chain.node.send_raw((await _signed(chain, Call(STRANGER, b"", value=1))).raw)
    await chain.mine()
    other = await _signed(chain, Call(STRANGER, b"", value=2), nonce=1)
    assert (await _refusal(chain, other)).nonce_too_low


async def test_send_raw__given_a_replacement_that_offers_no_more__says_so_and_takes_one_that_does(chain):
    fees = Fees(3 * 10**9, 10**9)
    await chain.node.send_raw((await _signed(chain, Call(STRANGER, b"", value=1), fees=fees)).raw)
    cheap = await _signed(chain, Call(STRANGER, b"", value=2), nonce=1, fees=fees)
    assert (await _refusal(chain, cheap)).underpriced
    dear = await _signed(chain, Call(STRANGER, b"", value=3), nonce=1, fees=fees.outbid())
    await chain.node.send_raw(dear.raw)
    await chain.mine()
    assert await chain.node.balance(STRANGER) == 3


async def test_send_raw__given_a_poor_sender__says_so(chain):
    assert (await _refusal(chain, await _signed(chain, Call(STRANGER, b"", value=10**30)))).insufficient_funds


async def test_call__given_a_contracts_refusal__names_it(chain):
    contracts = (await chain.deploy()).bundle(chain.node)
    call = contracts.currency.mint(STRANGER, 1)
    for asking in (chain.node.call(call, sender=STRANGER), chain.node.gas(call, sender=STRANGER)):
        with pytest.raises(Reverted) as raised:
            await asking
        assert (raised.value.name, dict(raised.value.arguments)) == ("AccessManagedUnauthorized", {"caller": STRANGER})


async def test_call__given_a_block_that_is_not_there_yet__says_so(chain):
    with pytest.raises(BlockNotAvailable):
        await chain.node.call(Call(STRANGER, b""), block=99)
