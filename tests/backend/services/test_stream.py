"""Live updates in chain order, resumable, honest about reorganisations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gridweave.services.stream import StreamEvent, follow
from gridweave.store.reading import CursorInvalid
from tests.support.service import Service, served
from tests.support.town import founded

pytestmark = pytest.mark.chain


async def take(events: AsyncIterator[StreamEvent], until: str) -> list[StreamEvent]:
    found: list[StreamEvent] = []
    async with asyncio.timeout(15):
        async for event in events:
            found.append(event)
            if event.kind == until:
                return found
    raise AssertionError(f"no {until}")


def stream(service: Service, last: str | None = None) -> AsyncIterator[StreamEvent]:
    return follow(service.runtime.world, service.runtime.bell, last)


async def test_follow__an_order__comes_before_its_block_and_can_be_resumed(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        live = stream(service)
        waiting = asyncio.create_task(take(live, "order"))
        await asyncio.sleep(0.05)
        slot = await town.open_slot()
        ids = await service.accept("orders", {"orders": [town.bid(town.homes[0], slot), town.ask(town.homes[1], slot)]})
        await service.done(*ids)
        first = (await waiting)[-1]
        assert (first.data["id"], first.data["status"], first.data["side"]) == (ids[0], "committed", "bid")
        rest = await take(live, "block")
        assert [event.data.get("id") for event in rest[:-1]] == [ids[1]]

        again = await take(stream(service, first.id), "block")
        assert [event.id for event in again] == [event.id for event in rest]


async def test_follow__the_seen_block_is_gone__says_reorg_and_tells_anew(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        live = stream(service)
        waiting = asyncio.create_task(take(live, "order"))
        await asyncio.sleep(0.05)
        (id_,) = await service.accept("orders", town.bid(town.homes[0], await town.open_slot()))
        (state,) = await service.done(id_)
        seen = (await waiting)[-1]
        await take(live, "block")
        await service.caught_up()
        await town.chain.node.request("anvil_reorg", 1 + await town.chain.node.block_number() - state["block"], [])
        await service.caught_up()
        told = asyncio.create_task(take(live, "order"))
        resumed = asyncio.create_task(take(stream(service, seen.id), "order"))

        async def both() -> bool:
            """The request's own state may say committed for a moment longer than its block stands."""
            return told.done() and resumed.done()

        await service.until(both, mine=True)
        for events in (await told, await resumed):
            kinds = [event.kind for event in events]
            assert "reorg" in kinds
            assert events[kinds.index("reorg")].data["forkBlock"] < state["block"]
            assert events[-1].data["id"] == id_


async def test_follow__an_id_that_was_never_given__is_refused(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:
        with pytest.raises(CursorInvalid):
            await anext(stream(service, "1.2.zz"))
