"""Pages stay put while the chain moves: nothing is skipped or told twice without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gridweave.services.belonging import follower_of
from gridweave.store.database import Database, Kind
from gridweave.store.history import Stretch
from gridweave.store.index import IndexStore
from tests.support.service import Service, served
from tests.support.told import read_chain
from tests.support.town import founded

from .test_filters import pages

pytestmark = pytest.mark.chain


async def order(service: Service, home: int, slot: int) -> int:
    """The block of an order's events."""
    body = service.town.bid(service.town.homes[home], slot)
    (state,) = await service.done(*await service.accept("orders", body))
    await service.caught_up()
    return int(state["block"])


async def refused(service: Service, **params: Any) -> dict[str, Any]:
    answer = await service.http.get("/v1/history", params=params)
    assert (answer.status_code, answer.json()["error"]["name"]) == (409, "CursorReorganised"), answer.text
    return dict(answer.json()["error"]["args"])


async def first_page_to(service: Service, block: int) -> dict[str, Any]:
    """A page that ends within the block."""
    rows = await pages(service)
    upto = next(at for at, row in enumerate(rows) if row["block"] == block) + 1
    page: dict[str, Any] = await service.get("history", limit=upto)
    assert page["nextCursor"]
    return page


async def test_history__a_reorg_above_the_cursor__goes_on_without_a_gap(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        below = await order(service, 0, slot)
        page = await first_page_to(service, below)
        await town.chain.mine()
        above = await order(service, 1, slot)
        depth = 1 + await town.chain.node.block_number() - above
        await town.chain.node.request("anvil_reorg", depth, [])
        await service.caught_up()
        await order(service, 0, slot + 1)
        rest = await pages(service, cursor=page["nextCursor"])
        assert [without_final(row) for row in page["items"] + rest] == [
            without_final(row) for row in await pages(service)
        ]


async def test_history__the_cursor_s_block_is_gone__says_where_to_go_on(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        block = await order(service, 0, await town.open_slot())
        page = await first_page_to(service, block)
        await town.chain.node.request("anvil_reorg", 1 + await town.chain.node.block_number() - block, [])
        await service.caught_up()
        await order(service, 1, await town.open_slot())
        said = await refused(service, cursor=page["nextCursor"])
        assert said["commonBlock"] < block
        kept = [row for row in page["items"] if row["block"] <= said["commonBlock"]]
        assert kept
        rest = await pages(service, cursor=said["goOnWith"])
        standing = await pages(service)
        assert [without_final(row) for row in kept + rest] == [without_final(row) for row in standing]
        assert [(row["block"], row["logIndex"]) for row in standing] == [t.place for t in await read_chain(town)]


async def test_history__a_reorg_while_the_page_is_written__the_cursor_names_the_block_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        block = await order(service, 0, await town.open_slot())
        history = service.runtime.world.reads.history
        read = history.stretch

        async def read_and_undone(*what: Any) -> Stretch:
            found = await read(*what)
            monkeypatch.setattr(history, "stretch", read)
            await town.chain.node.request("anvil_reorg", 1 + await town.chain.node.block_number() - block, [])
            await service.caught_up()
            await order(service, 1, await town.open_slot())
            return found

        upto = next(at for at, row in enumerate(await pages(service)) if row["block"] == block) + 1
        monkeypatch.setattr(history, "stretch", read_and_undone)
        page: dict[str, Any] = await service.get("history", limit=upto)
        assert page["items"][-1]["blockHash"].startswith(f"0x{page['nextCursor'].split('.')[2]}")
        await refused(service, cursor=page["nextCursor"])


async def test_history__deeper_than_final__says_to_begin_again(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        await order(service, 0, slot)
        page = await first_page_to(service, await order(service, 1, slot))
        await town.chain.node.request("anvil_reorg", 10, [])
        await service.caught_up()
        said = await refused(service, cursor=page["nextCursor"])
        assert (said["commonBlock"], said["goOnWith"]) == (None, None)
        row = page["items"][-1]
        of_row = f"{row['block']}.{row['logIndex']}.{row['blockHash'][2:14]}"
        assert (await refused(service, cursor=of_row))["commonBlock"] is None


async def test_history__after_reorgs__is_that_of_a_rebuild(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        for depth in (1, 4):
            await order(service, 0, slot)
            await order(service, 1, slot)
            await town.chain.node.request("anvil_reorg", depth, [])
            await service.caught_up()
        await order(service, 0, slot + 1)
        lived = IndexStore(service.runtime.stores.index)
        anew = IndexStore(Database(Kind.INDEX, f"sqlite+aiosqlite:///{tmp_path}/anew.db"))
        await anew.database.migrate()
        await (await follower_of(town.deployment, town.chain.node, anew)).catch_up()
        assert await anew.digest() == await lived.digest()
        assert (await anew.counts())["history"] == len(await read_chain(town))
        await anew.database.close()


def without_final(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "final"}
