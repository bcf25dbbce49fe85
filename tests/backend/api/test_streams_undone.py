"""What becomes of a stream's batches when blocks are undone or a disk loses what was sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
import pytest_asyncio

from gridweave.domain.anchors import StreamMode
from gridweave.domain.eip712 import digest
from gridweave.store.index import IndexStore
from tests.backend.api.test_streams import COUNT, opened
from tests.backend.indexer.test_devices import follower, index_at
from tests.support.service import Service, served
from tests.support.town import founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("undone")
    async with (
        founded(folder / "chain", homes=4) as town,
        served(town, folder / "service", finality_depth=30) as service,
    ):
        yield service


@pytest.mark.parametrize("loss", ["gone", "altered"])
async def test_anchor__again_after_the_disk_lost_its_body__has_the_body_again(service: Service, loss: str) -> None:
    meter = await opened(service, 0 if loss == "gone" else 1, StreamMode.HASH)
    batch, sealed = await meter.anchor()
    name, path = batch.body_hash.hex(), f"/v1/bodies/0x{batch.body_hash.hex()}"
    file = service.runtime.world.bodies.folder / name[:2] / name
    if loss == "gone":
        file.unlink()
    else:
        file.write_bytes(sealed[:-1])
    assert (await service.http.get(path)).status_code == 404
    again = await service.accept(f"{meter.path}/batches", meter.posted(batch, sealed))
    assert again == ["0x" + digest(service.town.domain("TelemetryAnchor"), batch).hex()]
    assert (await service.http.get(path)).content == sealed


async def test_anchor__again_with_another_body__is_refused_and_leaves_the_first(service: Service) -> None:
    meter = await opened(service, 3, StreamMode.HASH)
    batch, sealed = await meter.anchor()
    assert await meter.refused(batch, sealed + b"\0") == (422, "BodyDiffers")
    assert (await service.http.get(f"/v1/bodies/0x{batch.body_hash.hex()}")).content == sealed
    other = sha256(sealed + b"\0").hexdigest()
    assert (await service.http.get(f"/v1/bodies/0x{other}")).status_code == 404


@pytest.mark.parametrize("mode", list(StreamMode), ids=lambda mode: mode.name.lower())
async def test_batches__whose_blocks_are_undone__stand_again_once_the_refused_one_is_brought_anew(
    service: Service, tmp_path: Path, mode: StreamMode
) -> None:
    """The first comes back by itself. The second was made for a tip that names the first one's block, which is another
    now: it is refused by name, never placed wrongly, and the same bytes are taken once more under the same id."""
    meter, node = await opened(service, 2, mode), service.town.chain.node
    await service.town.chain.mine()
    before = await node.block_number()
    batches = [await meter.anchor(), await meter.anchor()]
    posted = [meter.posted(batch, sealed) for batch, sealed in batches]
    ids = ["0x" + digest(service.town.domain("TelemetryAnchor"), batch).hex() for batch, _ in batches]
    first = await service.status(ids[0])
    await node.request("anvil_reorg", await node.block_number() - before, [])

    async def are_judged_anew() -> bool:
        again, second = [await service.status(id_) for id_ in ids]
        return again["status"] == "committed" and again["block"] > first["block"] and second["status"] == "rejected"

    await service.until(are_judged_anew, mine=True)
    assert (await service.status(ids[1]))["reason"] == "TipDiffers"
    await service.caught_up()

    assert await service.accept(f"{meter.path}/batches", posted[1]) == ids[1:]
    (state,) = await service.done(ids[1])
    assert state["status"] == "committed"
    await service.caught_up()
    items = (await service.get(f"{meter.path}/batches"))["items"]
    assert [(item["number"], item["firstIndex"]) for item in items] == [(1, 0), (2, COUNT)]
    assert [item["head"] for item in items] == ["0x" + batch.head.hex() for batch, _ in batches]
    for batch, sealed in batches:
        assert (await service.http.get(f"/v1/bodies/0x{batch.body_hash.hex()}")).content == sealed
    told, tip = await service.get(meter.path), await service.town.contracts.anchors.tip_hash_of(meter.stream)
    assert told["tipHash"] == "0x" + tip.hex()
    anew = await index_at(tmp_path / "anew.db")
    await follower(service.town, anew).catch_up()
    assert await anew.digest() == await IndexStore(service.runtime.stores.index).digest()
    await anew.database.close()
