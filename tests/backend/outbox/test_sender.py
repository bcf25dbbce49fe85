"""The sender on a real node: nothing is lost between signing and finality."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import Block, Fees, NodeError, Signer
from gridweave.store.errors import StoreUnavailable
from gridweave.store.records import MINED, Batch, Draft
from tests.support.service import Service, served
from tests.support.town import founded

pytestmark = pytest.mark.chain


async def nonce_of(service: Service) -> int:
    return await service.town.chain.node.nonce(service.runtime.world.relayer.address)


async def test_sender__pool_dropped_before_mining__sends_the_same_bytes_again(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        (id_,) = await service.accept("orders", town.bid(town.homes[0], await town.open_slot()))

        async def in_pool() -> list[str]:
            pool = await town.chain.node.request("txpool_content")
            return [tx["hash"] for txs in pool["pending"].values() for tx in txs.values()]

        (first,) = await service.until(in_pool)
        await town.chain.node.request("anvil_dropAllTransactions")
        assert await in_pool() == []
        (again,) = await service.until(in_pool)
        assert again == first
        (state,) = await service.done(id_)
        assert (state["status"], state["transaction"]) == ("committed", first)


async def test_sender__nonce_taken_by_a_foreign_transaction__sends_the_items_under_another(tmp_path: Path) -> None:
    """Somebody else used the relayer's key: once that is final, the items get a new nonce."""
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        relayer: Signer = service.runtime.world.relayer
        (id_,) = await service.accept("orders", town.bid(town.homes[0], await town.open_slot()))

        async def signed() -> bool:
            return await service.runtime.world.outbox.last_nonce() == 0

        await service.until(signed)
        await town.chain.node.request("anvil_dropAllTransactions")
        call = town.contracts.vault.withdraw(relayer.address, 1).with_gas(200_000)
        fees = Fees(10**11, 10**9)
        await town.chain.node.send_raw(relayer.sign(call, nonce=0, fees=fees, chain_id=town.chain.chain_id).raw)
        (state,) = await service.done(id_)
        assert state["status"] == "committed"
        assert await nonce_of(service) == 2


async def test_sender__a_commit_whose_answer_is_lost__goes_on_behind_its_nonce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has the batch, and its connection broke before it could say so."""
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        outbox = service.runtime.world.outbox
        add, slot = outbox.add_batches, await town.open_slot()

        async def lost(drafts: Sequence[Draft]) -> list[Batch]:
            monkeypatch.setattr(outbox, "add_batches", add)
            await add(drafts)
            raise StoreUnavailable("the connection was closed")

        monkeypatch.setattr(outbox, "add_batches", lost)
        (first,) = await service.accept("orders", town.bid(town.homes[0], slot))
        assert (await service.done(first))[0]["status"] == "committed"
        (second,) = await service.accept("orders", town.bid(town.homes[1], slot))
        assert (await service.done(second))[0]["status"] == "committed"


async def test_sender__told_of_a_fork_between_two_blocks_of_the_chain__does_not_take_it_for_final(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As two nodes behind one address: one says that the batch is mined, the other has never had its block."""
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        node, forked_at = service.runtime.world.node, await town.chain.node.head()
        slot = await town.open_slot()

        async def head() -> Block:
            return forked_at

        async def nonce(address: str, _: int | None = None) -> int:
            return await town.chain.node.nonce(address)

        monkeypatch.setattr(node, "head", head)
        monkeypatch.setattr(node, "nonce", nonce)
        (id_,) = await service.accept("orders", town.bid(town.homes[0], slot))
        await service.until(lambda: _pending(service))
        await town.chain.mine()
        service.runtime._sender._state.head = None
        await service.until(lambda: service.runtime.world.outbox.batches(MINED))
        await town.chain.node.request("anvil_reorg", 1, [])
        await town.chain.node.request("anvil_dropAllTransactions")
        monkeypatch.undo()
        await service.until(lambda: _final(service, id_), mine=True)
        state = await service.status(id_)
        assert state["status"] == "committed"
        assert await town.chain.node.receipt(bytes.fromhex(state["transaction"][2:])) is not None


async def test_sender__restarted_with_mined_and_waiting_batches__finds_both(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        slot = await town.open_slot()
        async with served(town, tmp_path / "s") as service:
            (mined,) = await service.accept("orders", town.bid(town.homes[0], slot))
            await service.until(lambda: _nonce_signed(service, 0))
            await asyncio.sleep(0.1)
        await town.chain.mine()
        async with served(town, tmp_path / "s") as service:
            (waiting,) = await service.accept("orders", town.ask(town.homes[1], slot))
            await service.until(lambda: _nonce_signed(service, 1))
        await town.chain.node.request("anvil_dropAllTransactions")
        async with served(town, tmp_path / "s") as service:
            states = await service.done(mined, waiting)
            assert [state["status"] for state in states] == ["committed", "committed"]
            assert await nonce_of(service) == 2


async def test_sender__a_single_act_that_reverts__is_rejected_by_name(tmp_path: Path) -> None:
    """Two withdrawals, each fine alone: posted together the second is accepted, and the contract refuses it."""
    from tests.backend.api.test_registry import withdrawal

    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        secret = town.homes[0].secret
        ids = await service.accept("withdrawals", withdrawal(town, secret, 40_000_000, 1))
        ids += await service.accept("withdrawals", withdrawal(town, secret, 40_000_000, 2))
        first, second = await service.done(*ids)
        assert first["status"] == "committed"
        assert (second["status"], second["reason"]) == ("rejected", "WithdrawalAboveWithdrawable")
        assert second["reasonArgs"]["withdrawable"] == 10_000_000
        assert not second["final"]


@pytest.mark.parametrize("code", [403, -32005])
async def test_sender__an_act_that_the_node_will_not_hear_of_now__waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A proxy's HTTP 403 or a limit on requests says nothing of the act: at the door, and once it is acknowledged."""
    from tests.backend.api.test_registry import withdrawal

    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        node = service.runtime.world.node
        asked, refusals = node.call, [NodeError(code, "no"), None, NodeError(code, "no")]

        async def call(*words: Any, **more: Any) -> bytes:
            refusal = refusals.pop(0) if refusals else None
            if refusal is not None:
                raise refusal
            return await asked(*words, **more)

        monkeypatch.setattr(node, "call", call)
        body = withdrawal(town, town.homes[0].secret, 1, 1)
        assert (await service.post("withdrawals", body)).status_code == 503
        [state] = await service.done(*await service.accept("withdrawals", body))
        assert state["status"] == "committed"
        assert not refusals


async def test_sender__hopeless_withdrawals_behind_one_under_way__cost_no_transaction(tmp_path: Path) -> None:
    from tests.backend.api.test_registry import withdrawal

    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        secret = town.homes[0].secret
        ids = await service.accept("withdrawals", withdrawal(town, secret, 1, 1))
        for nonce in range(2, 12):
            ids += await service.accept("withdrawals", withdrawal(town, secret, 10**12, nonce))
        ids += await service.accept("withdrawals", withdrawal(town, secret, 2, 12))
        (honest,) = await service.accept("orders", town.bid(town.homes[1], await town.open_slot()))
        first, *hopeless, last = await service.done(*ids)
        assert (first["status"], last["status"]) == ("committed", "committed")
        assert {(s["status"], s["reason"]) for s in hopeless} == {("rejected", "WithdrawalAboveWithdrawable")}
        assert {s["transaction"] for s in hopeless} == {None}
        assert (await service.done(honest))[0]["status"] == "committed"
        assert await nonce_of(service) == 3
        await service.until(lambda: _final(service, hopeless[0]["id"]), mine=True)


async def test_sender__a_relayer_without_gas__keeps_its_fee_and_goes_on_when_it_is_funded(tmp_path: Path) -> None:
    async with (
        founded(tmp_path / "chain", homes=1) as town,
        served(town, tmp_path / "s", resend_ms=100, priority_fee_wei=10**9) as service,
    ):
        relayer = service.runtime.world.relayer.address
        before = await town.chain.node.request("eth_getBalance", relayer, "latest")
        await town.chain.node.request("anvil_setBalance", relayer, "0x0")
        (id_,) = await service.accept("orders", town.bid(town.homes[0], await town.open_slot(5)))
        await service.until(lambda: _nonce_signed(service, 0))
        for _ in range(6):
            for _ in range(8):
                await town.chain.mine()
            await asyncio.sleep(0.2)
        outbox = service.runtime.world.outbox
        (batch,) = await outbox.batches("open")
        assert len((await outbox.signed_of([batch.id]))[batch.id]) == 1
        await town.chain.node.request("anvil_setBalance", relayer, before)
        assert (await service.done(id_))[0]["status"] == "committed"


async def test_sender__an_order_that_the_account_cannot_pay__is_refused_visibly(tmp_path: Path) -> None:
    """Both fit the balance alone; the service cannot know, the contract does."""
    async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s") as service:
        home, slot = town.homes[0], await town.open_slot()
        orders = [town.bid(home, slot, 200_000), town.bid(home, slot + 1, 200_000)]
        first, second = await service.done(*await service.accept("orders", {"orders": orders}))
        assert first["status"] == "committed"
        assert (second["status"], second["reason"]) == ("rejected", "AvailableTooSmall")
        assert not second["final"], "anyone may still execute it until its deadline"
        await service.travel(second["commitBefore"])
        for _ in range(6):
            await town.chain.mine()
        await service.until(lambda: _final(service, second["id"]))


async def test_sender__a_node_that_comes_back_with_an_older_chain__brings_everything_back(tmp_path: Path) -> None:
    """What seemed final is lost, as after a restore: the same bytes make it true again."""
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s", finality_depth=1) as service:
        snapshot = await town.chain.node.request("evm_snapshot")
        slot = await town.open_slot()
        (id_,) = await service.accept("orders", town.bid(town.homes[0], slot))
        await service.done(id_)
        await town.chain.mine()
        await town.chain.mine()
        await service.until(lambda: _final(service, id_))
        await town.chain.node.request("evm_revert", snapshot)
        await town.chain.mine()
        await town.chain.mine()

        async def back() -> bool:
            return (await service.status(id_))["status"] == "committed" and await nonce_of(service) == 1

        assert await service.until(back, mine=True)


async def _nonce_signed(service: Service, nonce: int) -> bool:
    return await service.runtime.world.outbox.last_nonce() == nonce


async def _pending(service: Service) -> bool:
    found = await service.town.chain.node.request("txpool_status")
    return int(found["pending"], 16) > 0


async def _final(service: Service, id_: str) -> bool:
    return bool((await service.status(id_))["final"])
