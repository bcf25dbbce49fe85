"""What an operator reads: figures that are there whatever is away, and labels that nobody else can make up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gridweave.api import create_app
from gridweave.chain import Node
from gridweave.services.vitals import vitals
from tests.backend.api.test_availability import Switch
from tests.support.service import served, settings_of
from tests.support.town import founded

pytestmark = pytest.mark.chain

Figures = dict[tuple[str, ...], float]


async def read(http: httpx.AsyncClient) -> Figures:
    """Every sample by its name and the values of its labels."""
    response = await http.get("/metrics")
    assert response.status_code == 200, response.text
    families = text_string_to_metric_families(response.text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


async def test_metrics__of_a_service_with_an_order_under_way__say_where_it_stands(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=2) as town, served(town, tmp_path / "s") as service:
        slot = await town.open_slot()
        (id_,) = await service.accept("orders", town.bid(town.homes[0], slot))
        before = await read(service.http)
        assert before["gridweave_outbox_items", "accepted"] == 1
        assert before["gridweave_outbox_items_by_kind", "order", "accepted"] == 1
        assert before["gridweave_outbox_oldest_seconds", "accepted"] > 0
        assert before["gridweave_ready",] == 1
        await service.done(id_)
        await service.caught_up()
        await service.runtime.world.purse.look()
        after = await read(service.http)
        assert after["gridweave_outbox_items", "accepted"] == 0
        assert after["gridweave_outbox_committed_total",] == 1
        assert after["gridweave_index_lag_blocks",] == 0
        assert after["gridweave_relayer_balance_wei",] > 10**20
        assert after["gridweave_relayer_orders_left",] > 10**6
        assert after["gridweave_node_requests_total",] > before["gridweave_node_requests_total",]
        assert after["gridweave_database_transactions_total", "outbox"] > 0
        assert after["process_resident_memory_bytes",] > 10**6


async def test_metrics__node_away__still_say_what_is_known(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        switch = Switch(town.chain.url)
        app = create_app(settings_of(town, tmp_path / "s"), chain=Node(town.chain.url, post=switch.post))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
                while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - it offers no event
                    await asyncio.sleep(0.05)
                switch.cut = True
                async with asyncio.timeout(10):
                    while not (away := await read(http))["gridweave_node_failures_total",]:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        assert away["gridweave_indexed_block",] > 0
        assert away["gridweave_outbox_items", "accepted"] == 0


async def test_metrics__node_not_seen_yet__tell_no_lag(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:
        found = replace(await vitals(service.runtime), head=None)
        assert (found.lag_blocks, found.lag_seconds) == (None, None)


async def test_metrics__database_away__leave_out_what_only_it_knows(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:
        (tmp_path / "s").rename(tmp_path / "gone")
        await service.runtime.stores.outbox._backend.reader.dispose()
        found = await read(service.http)
        assert ("gridweave_outbox_items", "accepted") not in found
        assert found["gridweave_database_failures_total", "outbox"] > 0
        assert found["gridweave_indexed_block",] > 0
        (tmp_path / "gone").rename(tmp_path / "s")


async def test_metrics__after_paths_and_methods_that_are_none__have_no_more_labels(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:
        for at in range(30):
            await service.http.get(f"/v1/nothing/{at}")
            await service.http.request(f"VERB{at}", "/v1/markets")
            await service.http.get(f"/v1/accounts/0x{at:040x}")
        routes = {key[1:3] for key in await read(service.http) if key[0] == "gridweave_requests_total"}
        assert ("GET", "unmatched") in routes
        assert len(routes) < 10, routes
