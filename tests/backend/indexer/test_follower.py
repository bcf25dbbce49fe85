"""Rows follow the chain: applied whole, taken back whole, rebuilt the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridweave.chain import Node
from gridweave.chain.errors import NodeUnavailable
from gridweave.chain.types import Block, Log
from gridweave.domain.orders import Order, Side
from gridweave.indexer.follower import Follower
from gridweave.store.database import Kind
from gridweave.store.errors import StoreUnavailable
from gridweave.store.index import IndexStore
from tests.support import stores
from tests.support.town import Town, founded

pytestmark = pytest.mark.chain


async def index_at(path: Path) -> IndexStore:
    database = stores.database(Kind.INDEX, path)
    await database.migrate()
    return IndexStore(database)


def follower(town: Town, store: IndexStore, most_blocks: int = 500) -> Follower:
    return Follower(
        town.chain.node, store, contracts=sorted(town.deployment.every_address), start=town.deployment.block,
        most_blocks=most_blocks,
    )  # fmt: skip


async def place(town: Town, slot: int) -> None:
    words = []
    for home in town.homes:
        body = town.bid(home, slot)
        order = Order(1, slot, home.meter, body["version"], body["deadline"], Side.BID, 1_000, 220_000)
        signature = bytes.fromhex(body["signature"][2:])
        words.append((order.pack(), signature[:32], signature[32:]))
    await town.send([town.contracts.auction.place(words)])


async def test_step__in_small_and_large_strides__gives_the_same_rows(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=3) as town:
        await place(town, await town.open_slot())
        digests = []
        for stride in (1, 3, 500):
            store = await index_at(tmp_path / f"{stride}.db")
            await follower(town, store, stride).catch_up()
            digests.append(await store.digest())
            counts = await store.counts()
            assert (counts["placements"], counts["meters"], counts["markets"]) == (3, 3, 1)
            assert counts["blocks"] == await town.chain.node.block_number() - town.deployment.block + 1
            await store.database.close()
        assert len(set(digests)) == 1


@pytest.mark.parametrize("depth", [1, 2, 7])
async def test_step__after_a_reorg__undoes_to_the_fork_and_goes_on(tmp_path: Path, depth: int) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        slot = await town.open_slot()
        store = await index_at(tmp_path / "index.db")
        follow = follower(town, store)
        await follow.catch_up()
        before = await store.digest()
        height = await town.chain.node.block_number()
        for at in range(depth):
            await place(town, slot + at)
        await follow.catch_up()
        assert (await store.counts())["placements"] == 2 * depth
        await town.chain.node.request("anvil_reorg", depth, [])
        step = await follow.step()
        assert step.undone_to == height
        assert await store.digest() == before
        await follow.catch_up()
        assert (await store.counts())["placements"] == 0
        anew = await index_at(tmp_path / "anew.db")
        await follower(town, anew).catch_up()
        assert await anew.digest() == await store.digest()
        await anew.database.close()
        await store.database.close()


async def test_step__when_what_it_read_ahead_is_thrown_out__takes_what_stands_instead(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        slot = await town.open_slot()
        store = await index_at(tmp_path / "index.db")
        height = await town.chain.node.block_number()
        follow = follower(town, store, height - town.deployment.block + 1)
        await place(town, slot)
        step = await follow.step()
        assert step.blocks[-1].number == height
        assert not step.rows.get("placements")
        await town.chain.node.request("anvil_reorg", 1, [])
        await follow.catch_up()
        assert (await store.counts())["placements"] == 0
        anew = await index_at(tmp_path / "anew.db")
        await follower(town, anew).catch_up()
        assert await anew.digest() == await store.digest()
        await anew.database.close()
        await store.database.close()


async def test_step__when_the_node_goes_while_it_reads_ahead__has_applied_its_own_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        store = await index_at(tmp_path / "index.db")
        follow = follower(town, store, 1)
        asked, known = town.chain.node.logs_of, await town.chain.node.block(town.deployment.block)

        async def logs_of(blocks: Sequence[bytes], *others: Any) -> list[Log]:
            if known is None or blocks != [known.hash]:
                raise NodeUnavailable("gone")
            return await asked(blocks, *others)

        monkeypatch.setattr(town.chain.node, "logs_of", logs_of)
        step = await follow.step()
        assert [block.number for block in step.blocks] == [town.deployment.block]
        assert await store.head() == step.blocks[-1]
        with pytest.raises(NodeUnavailable):
            await follow.step()
        monkeypatch.undo()
        await follow.catch_up()
        assert (await store.counts())["blocks"] == await town.chain.node.block_number() - town.deployment.block + 1
        await store.database.close()


async def test_step__whose_blocks_another_writes_first__writes_nothing_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        store = await index_at(tmp_path / "index.db")
        follow, other = follower(town, store, 3), follower(town, store, 7)
        await follow.step()
        applied = IndexStore.apply

        async def apply(store: IndexStore, *step: Any) -> None:
            monkeypatch.undo()
            await other.catch_up()
            await applied(store, *step)

        monkeypatch.setattr(IndexStore, "apply", apply)
        with pytest.raises(StoreUnavailable, match="another"):
            await follow.step()
        step = await follow.step()
        assert step.by_another
        assert step.stands == await store.head()
        assert not (await follow.step()).moved
        await store.database.close()


async def test_step__whose_blocks_hang_above_what_another_undid__writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        store = await index_at(tmp_path / "index.db")
        follow = follower(town, store, 3)
        await follow.step()
        applied = IndexStore.apply

        async def apply(store: IndexStore, *step: Any) -> None:
            monkeypatch.undo()
            await store.undo(town.deployment.block)
            await applied(store, *step)

        monkeypatch.setattr(IndexStore, "apply", apply)
        with pytest.raises(StoreUnavailable, match="another"):
            await follow.step()
        await follow.catch_up()
        assert (await store.counts())["blocks"] == await town.chain.node.block_number() - town.deployment.block + 1
        await store.database.close()


async def test_step__of_a_node_that_answers_now_before_now_after_its_newest_block__undoes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As two nodes behind one address: one is a block behind."""
    async with founded(tmp_path / "chain", homes=0) as town:
        store = await index_at(tmp_path / "index.db")
        follow = follower(town, store)
        await follow.catch_up()
        before = await town.chain.node.block(await town.chain.node.block_number() - 1)

        async def head() -> Block:
            assert before is not None
            return before

        monkeypatch.setattr(town.chain.node, "head", head)
        assert not (await follow.step()).moved
        await store.database.close()


async def test_step__given_logs_of_blocks_that_it_did_not_ask_for__writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        store = await index_at(tmp_path / "index.db")
        asked, head = town.chain.node.logs_of, await town.chain.node.head()

        async def logs_of(blocks: Sequence[bytes], *others: Any) -> list[Log]:
            return await asked([*blocks, head.hash], *others)

        monkeypatch.setattr(town.chain.node, "logs_of", logs_of)
        assert not (await follower(town, store, 1).step()).moved
        await store.database.close()


async def test_step__given_logs_of_another_fork_between_its_blocks__loses_no_event(tmp_path: Path) -> None:
    """As two nodes behind one address: the one that is asked for logs has none of those blocks."""
    async with founded(tmp_path / "chain", homes=2) as town, httpx.AsyncClient(trust_env=False) as http:
        forked = True

        async def post(content: bytes) -> tuple[int, bytes]:
            nonlocal forked
            if forked and b"eth_getLogs" in content:
                forked = False
                asked = json.loads(content)
                if isinstance(asked, dict):
                    return 200, json.dumps({"id": asked["id"], "result": []}).encode()
                error = {"code": -32000, "message": "unknown block"}
                return 200, json.dumps([{"id": each["id"], "error": error} for each in asked]).encode()
            answer = await http.post(town.chain.url, content=content, headers={"Content-Type": "application/json"})
            return answer.status_code, answer.content

        store, anew = await index_at(tmp_path / "index.db"), await index_at(tmp_path / "anew.db")
        node = Node(town.chain.url, post=post)
        follow = Follower(node, store, contracts=sorted(town.deployment.every_address), start=town.deployment.block)
        await follow.step()
        await follow.catch_up()
        await follower(town, anew).catch_up()
        assert await anew.digest() == await store.digest()
        await anew.database.close()
        await store.database.close()


async def test_step__nothing_new__moves_nothing(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        store = await index_at(tmp_path / "index.db")
        follow = follower(town, store)
        await follow.catch_up()
        assert not (await follow.step()).moved
        await store.database.close()


async def test_drop__then_catch_up__gives_the_same_digest(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town:
        await place(town, await town.open_slot())
        store = await index_at(tmp_path / "index.db")
        await follower(town, store).catch_up()
        digest = await store.digest()
        await store.drop()
        assert (await store.counts())["blocks"] == 0
        await follower(town, store).catch_up()
        assert await store.digest() == digest
        await store.database.close()
