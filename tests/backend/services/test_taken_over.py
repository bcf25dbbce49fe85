"""A service whose index another took over tells what that one writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.services.runtime import follower_of
from gridweave.store.database import Database, Kind
from gridweave.store.index import IndexStore
from tests.backend.indexer.test_follower import place
from tests.backend.services.test_books import agree
from tests.support.postgres import PostgresServer
from tests.support.service import served
from tests.support.town import founded

pytestmark = pytest.mark.chain

OF_THE_INDEX = "pg_stat_activity WHERE application_name = 'gridweave index'"


async def test_index__taken_over_by_a_service_that_follows_then_stands_then_goes__is_told_as_it_is(
    tmp_path: Path,
) -> None:
    with PostgresServer() as server:
        url = server.database()
        async with founded(tmp_path / "chain", homes=1) as town, served(town, tmp_path / "s", index_url=url) as service:
            slot = await town.open_slot()
            await agree(service, [slot])
            other = Database(Kind.INDEX, url)
            server.execute(f"SELECT pg_terminate_backend(pid) FROM {OF_THE_INDEX}")
            await other.claim()
            follow = await follower_of(town.deployment, town.chain.node, IndexStore(other))
            await place(town, slot)
            await follow.catch_up()
            await service.caught_up()
            await agree(service, [slot])
            await town.chain.node.request("anvil_reorg", 1, [])
            await follow.catch_up()
            await service.caught_up()
            await agree(service, [slot])
            await other.close()
            await place(town, slot + 1)
            await service.caught_up()
            await agree(service, [slot, slot + 1])
            assert not service.runtime.has_stopped
