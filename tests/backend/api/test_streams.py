"""Telemetry over REST: streams opened by owners, batches by devices, proofs against the chain, grants, epochs."""

from __future__ import annotations

import itertools
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio

from gridweave.chain.contracts import Act
from gridweave.client.wire import SignedAct
from gridweave.domain.anchors import NO_HEAD, Batch, StreamMode, stream_id
from gridweave.domain.eip712 import digest
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.salts import SaltedRun
from tests.support.service import Service, served
from tests.support.telemetry import SCHEMA, home_seconds
from tests.support.town import FOREVER, TestHome, founded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

_nonces = itertools.count(7_000_000)
COUNT = 20


@dataclass
class Meter:
    """A stream's device and its owner, who go on where they are."""

    service: Service
    home: TestHome
    mode: StreamMode
    head: bytes = NO_HEAD
    index: int = 0
    epoch: int = 1
    runs: dict[int, SaltedRun] = field(default_factory=dict)

    @property
    def stream(self) -> bytes:
        return stream_id(self.home.key.device, self.mode, SCHEMA.hash)

    @property
    def path(self) -> str:
        return f"streams/0x{self.stream.hex()}"

    def owner_json(self, said: Any, secret: bytes | None = None) -> dict[str, Any]:
        act: Act = self.service.town.act(secret or self.home.secret, "TelemetryAnchor", said)
        return SignedAct(act.signer, act.nonce, act.deadline, act.signature).to_json()

    async def open(self, **changes: Any) -> Any:
        said = OpenStream(self.home.key.device, SCHEMA.hash, self.mode, next(_nonces), FOREVER)
        body = {
            "device": said.device,
            "schema": "0x" + SCHEMA.encode().hex(),
            "mode": self.mode.name.lower(),
            "owner": self.owner_json(said, changes.pop("secret", None)),
        }
        return await self.service.post("streams", body | changes)

    def next(self, body: bytes | None = None, **changes: Any) -> tuple[Batch, bytes]:
        rng = random.Random(self.index)
        run = home_seconds(rng, COUNT, self.index, 1_782_000_000_000 + self.index * 1_000)
        salted = SaltedRun(run, sha256(b"%d" % self.index).digest())
        self.runs[self.index] = salted
        sealed = rng.randbytes(200) if body is None else body
        batch = Batch(
            self.stream,
            self.index,
            COUNT,
            run.first_ms,
            run.last_ms,
            self.epoch,
            self.head,
            MerkleTree.over(salted.leaf_hashes).root,
            sha256(sealed).digest(),
        )
        return replace(batch, **changes), sealed

    def posted(self, batch: Batch, sealed: bytes, key: Any = None) -> dict[str, Any]:
        signature = (key or self.home.key).sign(digest(self.service.town.domain("TelemetryAnchor"), batch))
        return {
            "firstIndex": batch.first_index,
            "count": batch.count,
            "firstMs": batch.first_ms,
            "lastMs": batch.last_ms,
            "epoch": batch.epoch,
            "previousHead": "0x" + batch.previous_head.hex(),
            "root": "0x" + batch.root.hex(),
            "bodyHash": "0x" + batch.body_hash.hex(),
            "signature": "0x" + signature.hex(),
            "body": b64encode(sealed).decode(),
        }

    async def anchor(self) -> tuple[Batch, bytes]:
        """The next batch, until it is on chain and indexed."""
        batch, sealed = self.next()
        ids = await self.service.accept(f"{self.path}/batches", self.posted(batch, sealed))
        assert [state["status"] for state in await self.service.done(*ids)] == ["committed"]
        await self.service.caught_up()
        self.head, self.index = batch.head, batch.first_index + batch.count
        return batch, sealed

    async def refused(self, batch: Batch, sealed: bytes, key: Any = None) -> tuple[int, str]:
        answer = await self.service.post(f"{self.path}/batches", self.posted(batch, sealed, key))
        return answer.status_code, answer.json()["error"]["name"]

    async def rekey(self, epoch: int) -> Any:
        said = NewEpoch(self.stream, epoch, next(_nonces), FOREVER)
        return await self.service.post(f"{self.path}/epochs", {"epoch": epoch, "owner": self.owner_json(said)})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("streams")
    async with founded(folder / "chain", homes=4) as town, served(town, folder / "service") as service:
        yield service


async def opened(service: Service, home: int, mode: StreamMode) -> Meter:
    meter = Meter(service, service.town.homes[home], mode)
    answer = await meter.open()
    assert answer.status_code == 202, answer.text
    await service.done(answer.json()["id"])
    await service.caught_up()
    return meter


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def meter(service: Service) -> Meter:
    """A stream in full, of a device with a secp256k1 key or a P-256 one, by chance of its home."""
    return await opened(service, 0, StreamMode.FULL)


async def test_stream__never_opened__is_404(service: Service) -> None:
    answer = await service.http.get(f"/v1/streams/0x{'ab' * 32}")
    assert (answer.status_code, answer.json()["error"]["name"]) == (404, "StreamUnknown")


async def test_open__by_another_than_the_owner__is_refused(service: Service) -> None:
    stranger = Meter(service, service.town.homes[2], StreamMode.FULL)
    answer = await stranger.open(secret=service.town.homes[1].secret)
    assert (answer.status_code, answer.json()["error"]["name"]) == (403, "SignerNotAllowed")


async def test_open__a_schema_that_is_none__is_refused(service: Service) -> None:
    answer = await Meter(service, service.town.homes[2], StreamMode.FULL).open(schema="0x0101")
    assert (answer.status_code, answer.json()["error"]["name"]) == (422, "SchemaMalformed")


async def test_open__then_asked__tells_whose_it_is_and_its_schema(service: Service, meter: Meter) -> None:
    told = await service.get(meter.path)
    assert (told["device"], told["owner"]) == (meter.home.key.device, meter.home.account)
    assert (told["number"], told["nextIndex"], told["epoch"], told["mode"]) == (0, 0, 1, "full")
    assert told["schema"] == "0x" + SCHEMA.encode().hex()
    tip = await service.town.contracts.anchors.tip_hash_of(meter.stream)
    assert told["tipHash"] == "0x" + tip.hex()
    listed = await service.get("streams", device=meter.home.key.device)
    assert [item["stream"] for item in listed["items"]] == ["0x" + meter.stream.hex()]
    assert await service.get("streams", owner=service.town.homes[3].account) == {"items": [], "nextCursor": None}


@pytest.mark.parametrize("home", [0, 1])
async def test_anchor__signed_by_another__is_refused(service: Service, meter: Meter, home: int) -> None:
    batch, sealed = meter.next()
    other = service.town.homes[home + 1].key
    assert await meter.refused(batch, sealed, other) == (403, "BatchNotAuthentic")


async def test_anchor__another_body_than_was_signed__is_refused(meter: Meter) -> None:
    batch, sealed = meter.next()
    assert await meter.refused(batch, sealed + b"\0") == (422, "BodyDiffers")
    assert await meter.refused(replace(batch, body_hash=sha256(b"").digest()), b"") == (422, "BodyMissing")


async def test_anchor__a_body_above_the_limit__is_refused(meter: Meter) -> None:
    assert await meter.refused(*meter.next(bytes((1 << 17) + 1))) == (413, "BodyTooLong")


async def test_anchor__what_does_not_follow__is_refused_by_name(meter: Meter) -> None:
    await meter.anchor()
    for changes, status, name in (
        ({"first_index": meter.index + 1}, 409, "BatchLeavesGap"),
        ({"first_index": meter.index - 1}, 409, "BatchOverlaps"),
        ({"first_ms": 5}, 409, "BatchTimeRunsBack"),
        ({"last_ms": 1 << 47}, 409, "BatchFromFuture"),
        ({"epoch": 2}, 409, "EpochNotBegun"),
        ({"previous_head": bytes(32)}, 409, "TipDiffers"),
    ):
        assert await meter.refused(*meter.next(**changes)) == (status, name)


async def test_anchor__the_same_again__gets_the_same_answer(service: Service, meter: Meter) -> None:
    batch, sealed = await meter.anchor()
    again = await service.accept(f"{meter.path}/batches", meter.posted(batch, sealed))
    assert again == ["0x" + digest(service.town.domain("TelemetryAnchor"), batch).hex()]
    assert (await service.status(again[0]))["status"] == "committed"


async def test_anchor__while_another_is_under_way__waits_and_then_says_so(service: Service, meter: Meter) -> None:
    batch, sealed = meter.next()
    (first,) = await service.accept(f"{meter.path}/batches", meter.posted(batch, sealed))
    following = replace(meter, head=batch.head, index=meter.index + COUNT)
    assert await following.refused(*following.next()) == (409, "StreamBusy")
    await service.done(first)
    await service.caught_up()
    meter.head, meter.index = following.head, following.index
    await meter.anchor()


async def test_anchor__refused_once__may_come_again(service: Service) -> None:
    """An epoch begins between a batch's acknowledgement and its transaction: it is refused, and its seal is renewed."""
    meter = await opened(service, 2, StreamMode.FULL)
    world = service.runtime.world
    batch, sealed = meter.next()
    said = NewEpoch(meter.stream, 2, next(_nonces), FOREVER)
    tip = await _tip(service, meter)
    act = service.town.act(meter.home.secret, "TelemetryAnchor", said)
    ids = await service.accept(f"{meter.path}/batches", meter.posted(batch, sealed))
    await service.town.send([world.contracts.anchors.new_epoch(meter.stream, 2, tip, act)])
    (state,) = await service.done(*ids)
    await service.caught_up()
    if state["status"] == "rejected":
        assert await meter.refused(batch, sealed) == (409, "EpochRunsBack")
    meter.epoch = 2
    if state["status"] == "committed":  # it was first
        meter.head, meter.index = batch.head, COUNT
    await meter.anchor()


async def test_batches__of_more_than_a_page__are_all_told_and_each_is_placed(service: Service, meter: Meter) -> None:
    while (await service.get(meter.path))["number"] < 34:
        await meter.anchor()
    told = await service.get(f"{meter.path}/batches", limit=1_000)
    assert [item["number"] for item in told["items"]] == list(range(1, 35))
    later = await service.get(f"{meter.path}/batches", after=33)
    assert [item["number"] for item in later["items"]] == [34]
    for number in (1, 17, 32, 33, 34):
        first = told["items"][number - 1]["firstIndex"]
        found = await _verified(service, meter, number, first, first + 7)
        assert found.status_code == 200, found.text
        assert (found.json()["index"], found.json()["isTrusted"]) == (first + 7, True)
        assert found.json()["device"] == meter.home.key.device


async def test_verify__a_swapped_leaf__is_refused(service: Service, meter: Meter) -> None:
    wrong = await _verified(service, meter, 1, 0, 3, leaf=meter.runs[0].leaves[4])
    assert (wrong.status_code, wrong.json()["error"]["name"]) == (422, "ReadingNotProved")


async def test_place__of_no_batch__is_404(service: Service, meter: Meter) -> None:
    for number in (0, 1_000):
        answer = await service.http.get(f"/v1/{meter.path}/batches/{number}/proof")
        assert (answer.status_code, answer.json()["error"]["name"]) == (404, "BatchNotAnchored")


async def test_body__in_full__comes_from_the_chain(service: Service, meter: Meter) -> None:
    batch, sealed = await meter.anchor()
    answer = await service.http.get(f"/v1/bodies/0x{batch.body_hash.hex()}")
    assert (answer.status_code, answer.content) == (200, sealed)
    assert await service.runtime.world.bodies.find(batch.body_hash) is None


async def test_body__by_hash__comes_from_the_disk_and_an_altered_one_does_not(service: Service) -> None:
    meter = await opened(service, 1, StreamMode.HASH)
    batch, sealed = await meter.anchor()
    path = f"/v1/bodies/0x{batch.body_hash.hex()}"
    assert (await service.http.get(path)).content == sealed
    name = batch.body_hash.hex()
    (service.runtime.world.bodies.folder / name[:2] / name).write_bytes(sealed + b"\1")
    answer = await service.http.get(path)
    assert (answer.status_code, answer.json()["error"]["name"]) == (404, "UnknownBody")


async def test_epoch__begun__takes_batches_of_that_epoch_only(service: Service, meter: Meter) -> None:
    answer = await meter.rekey(2)
    assert answer.status_code == 202, answer.text
    await service.done(answer.json()["id"])
    await service.caught_up()
    assert await meter.refused(*meter.next()) == (409, "EpochRunsBack")
    meter.epoch = 2
    await meter.anchor()
    assert (await service.get(meter.path))["epoch"] == 2
    again = await meter.rekey(2)
    assert (again.status_code, again.json()["error"]["name"]) == (409, "EpochNotNewer")


async def test_grant__on_chain__is_found_by_its_party(service: Service, meter: Meter) -> None:
    to, sealed = service.town.homes[3].account, b"sealed to a party"
    said = GrantAccess(meter.stream, to, 1, 5, 6, keccak(sealed), next(_nonces), FOREVER)
    body = {"to": to, "epoch": 1, "firstWindow": 5, "lastWindow": 6, "sealed": "0x" + sealed.hex()}
    ids = await service.accept(f"{meter.path}/grants", body | {"owner": meter.owner_json(said)})
    await service.done(*ids)
    await service.caught_up()
    (item,) = (await service.get("grants", to=to))["items"]
    assert {name: item[name] for name in body} == body
    assert (await service.get("grants", to=meter.home.account))["items"] == []


async def test_history__of_a_stream__names_its_device_and_keeps_no_body(service: Service, meter: Meter) -> None:
    found = await service.get("history", device=meter.home.key.device, event="BodyAnchored", limit=1)
    args = found["items"][0]["args"]
    assert args["stream"] == "0x" + meter.stream.hex()
    assert set(args["body"]) == {"sha256", "bytes"}


async def _tip(service: Service, meter: Meter) -> Any:
    from gridweave.services.streams import tip_of

    return await tip_of(service.runtime.world, "0x" + meter.stream.hex())


async def _verified(
    service: Service, meter: Meter, number: int, first: int, index: int, leaf: bytes | None = None
) -> Any:
    placed = await service.get(f"{meter.path}/batches/{number}/proof")
    salted = meter.runs[first]
    siblings = MerkleTree.over(salted.leaf_hashes).prove(index - first)
    body = placed | {
        "leaf": "0x" + (leaf or salted.leaves[index - first]).hex(),
        "siblings": ["0x" + sibling.hex() for sibling in siblings],
    }
    return await service.post("readings/verify", body)
