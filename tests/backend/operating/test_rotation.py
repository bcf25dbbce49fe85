"""Another key in the relayer's place: nothing that was acknowledged is lost, doubled or disowned."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gridweave.chain import Signer
from gridweave.services.rotation import RotationRefused, rotate
from gridweave.services.settings import Settings
from gridweave.store.errors import StoreBusy
from tests.support.load import acts_on_chain, mine_steadily
from tests.support.service import served, settings_of
from tests.support.town import Town, founded

pytestmark = pytest.mark.chain

NEW = Signer(b"\x77" * 32)


@asynccontextmanager
async def mined(town: Town) -> AsyncIterator[None]:
    """Blocks come by themselves meanwhile."""
    mining = asyncio.create_task(mine_steadily(town, 0.05))
    try:
        yield
    finally:
        mining.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await mining


def new_key(tmp_path: Path) -> Path:
    (tmp_path / "new.key").write_text(NEW.secret.hex())
    return tmp_path / "new.key"


async def test_rotate__keys_that_do_not_belong_to_the_outbox__is_refused(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        here = settings_of(town, tmp_path / "s")
        with pytest.raises(RotationRefused, match="the new key is the old one"):
            await rotate(here, town.keys["relayer"])
        with pytest.raises(RotationRefused, match="is nobody's yet"):
            await rotate(here, NEW)
        async with served(town, tmp_path / "s"):
            with pytest.raises(StoreBusy):
                await rotate(here, NEW)
        foreign: Settings = settings_of(town, tmp_path / "s", relayer_key_file=new_key(tmp_path))
        with pytest.raises(RotationRefused, match="belongs to"):
            await rotate(foreign, Signer(b"\x66" * 32))


async def test_rotate__with_orders_sent_and_queued__each_takes_effect_once_under_either_key(tmp_path: Path) -> None:
    folder, sent, queued = tmp_path / "s", [], []
    async with founded(tmp_path / "chain", homes=4) as town:
        slot = await town.open_slot(3)
        bids: list[dict[str, Any]] = [town.bid(home, slot) for home in town.homes]
        async with served(town, folder) as service:
            sent = await service.accept("orders", bids[0])

            async def signed() -> bool:
                return not await service.runtime.world.outbox.queued(9)

            await service.until(signed)
            service.runtime._sender._pace = service.runtime._sender._pace.__class__(most_open=0)
            queued = await service.accept("orders", {"orders": bids[1:]})
        old, before = town.keys["relayer"], await town.chain.node.balance(town.keys["relayer"].address)
        told: list[str] = []
        async with mined(town):
            done = await rotate(settings_of(town, folder), NEW, told.append)
            again = await rotate(settings_of(town, folder), NEW)
        assert (done.old, done.new) == (old.address, NEW.address)
        assert any("wait for a block" in line for line in told)
        assert before * 0.99 < await town.chain.node.balance(NEW.address) <= before
        assert again.moved < done.moved // 1_000
        async with served(town, folder, relayer_key_file=new_key(tmp_path)) as service:
            states = await service.done(*sent, *queued)
            assert {state["status"] for state in states} == {"committed"}
            assert (await service.get("deployment"))["formerRelayers"] == [old.address]
            same = await service.post("orders", bids[0])
            assert same.status_code == 202
            fresh = await service.accept("orders", town.ask(town.homes[0], await town.open_slot(5)))
            assert (await service.done(*fresh))[0]["status"] == "committed"
            receipt = await town.chain.node.receipt(bytes.fromhex(states[1]["transaction"][2:]))
            assert receipt is not None
            assert receipt.sender == NEW.address
        effects, _ = await acts_on_chain(town)
        assert all(effects[id_] == 1 for id_ in (*sent, *queued, *fresh))


async def test_rotate__there_and_back__goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    async with founded(tmp_path / "chain", homes=1) as town:
        for turn, key in enumerate((None, new_key(tmp_path), None)):
            changes = {"relayer_key_file": key} if key else {}
            async with served(town, folder, **changes) as service:
                (id_,) = await service.accept("orders", town.bid(town.homes[0], await town.open_slot(turn + 1)))
                assert (await service.done(id_))[0]["status"] == "committed"
                former = (await service.get("deployment"))["formerRelayers"]
            async with mined(town):
                if turn < 2:
                    await rotate(settings_of(town, folder, **changes), town.keys["relayer"] if key else NEW)
        assert former == [NEW.address]
