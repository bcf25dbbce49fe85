"""`gridweave telemetry` over a service of its own process: opened, anchored, read, proved, granted, rekeyed."""

from __future__ import annotations

import asyncio
import json
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from click.testing import Result
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.client import Wallet
from gridweave.domain.anchors import NO_HEAD, Batch, StreamMode, stream_id
from gridweave.domain.eip712 import digest
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.salts import SaltedRun
from gridweave.domain.telemetry.sealing import seal
from gridweave.domain.telemetry.segments import SignedRun, StreamTail
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.support.process import ServiceProcess, until
from tests.support.telemetry import SCHEMA, home_seconds
from tests.support.town import TestHome, Town, founded

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PASSWORD = "correct horse"
EACH = 30
SIZE = 20 + 8 * len(SCHEMA.channels)
"""Bytes of a reading."""


@dataclass
class Place:
    """A served town, and a keystore with a home's key. Each batch is a quarter hour's."""

    town: Town
    url: str
    folder: Path
    tails: dict[bytes, StreamTail] = field(default_factory=dict)
    heads: dict[bytes, bytes] = field(default_factory=dict)
    raw: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def home(self) -> TestHome:
        return self.town.homes[0]

    @property
    def start_ms(self) -> int:
        return 1_799_990_000 // 900 * 900_000

    async def run(self, *command: object) -> Result:
        """A command's outcome; blocks are made while it waits."""
        environment = {
            "GRIDWEAVE_PASSWORD": PASSWORD,
            "GRIDWEAVE_KEYSTORE": str(self.folder / "keys"),
            "GRIDWEAVE_URL": self.url,
            "GRIDWEAVE_RPC": None,
        }
        words = ["telemetry", *map(str, command)]
        running = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, words, env=environment))
        while not running.done():
            await self.town.chain.mine()
            await asyncio.sleep(0.1)
        return await running

    async def told(self, *command: object) -> Any:
        result = await self.run(*command, "--json")
        assert result.exit_code == 0, result.output + result.stderr
        return json.loads(result.stdout)

    async def open(self, mode: str) -> bytes:
        schema = self.folder / "schema.json"
        schema.write_text(json.dumps([vars(channel) for channel in SCHEMA.channels]))
        key = self.home.key.device
        await self.told("open-stream", key, "--schema", schema, "--mode", mode, "--key", "home")
        stream = stream_id(key, StreamMode[mode.upper()], SCHEMA.hash)
        self.tails[stream], self.heads[stream], self.raw[stream] = StreamTail.start(stream), NO_HEAD, b""
        return stream

    async def anchor(self, stream: bytes, quarters: range, epoch: int = 1) -> None:
        begin = self.start_ms + quarters.start * WINDOW_MS
        words = "--from", begin, "--windows", len(quarters), "--out", self.folder / "gateway"
        told = await self.told("gateway-keys", "-s", name(stream), *words)
        keys, space = keys_in(told["file"]), self.town.domain("TelemetryAnchor")
        for quarter in quarters:
            tail = self.tails[stream]
            at = self.start_ms + quarter * WINDOW_MS
            salted = SaltedRun(home_seconds(random.Random(quarter), EACH, tail.next_index, at), bytes([quarter]) * 32)
            segment = tail.segment(salted)
            sealed = seal(keys, SCHEMA, [SignedRun(salted, segment, self.home.key.sign(digest(space, segment)))])
            header = sealed.header
            places = header.first_index, header.count, header.first_ms, header.last_ms, epoch
            batch = Batch(stream, *places, self.heads[stream], header.root, sealed.body_hash)
            signature = self.home.key.sign(digest(space, batch))
            await self._post(stream, _posted(batch, sealed.body, signature))
            self.tails[stream], self.heads[stream] = tail.after(segment), batch.head
            self.raw[stream] += salted.run.raw

    async def _post(self, stream: bytes, body: dict[str, Any]) -> None:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            answer = await http.post(f"/v1/streams/{name(stream)}/batches", json=body)
            assert answer.status_code == 202, answer.text

            async def indexed() -> bool:
                await self.town.chain.mine()
                told = (await http.get(f"/v1/streams/{name(stream)}")).json()
                return bool(told["nextIndex"] == body["firstIndex"] + body["count"])

            await until(indexed)


def keys_in(file: str) -> WindowKeys:
    return WindowKeys.decode(Path(file).read_bytes())


def name(stream: bytes) -> str:
    return "0x" + stream.hex()


def _posted(batch: Batch, body: bytes, signature: bytes) -> dict[str, Any]:
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
        "body": b64encode(body).decode(),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("streams")
    async with founded(folder / "chain", homes=1) as town:
        Wallet(town.homes[0].secret).save(folder / "keys" / "home.json", PASSWORD)
        with ServiceProcess(town, folder / "service") as service:
            await service.start()
            yield Place(town, service.url, folder)


@pytest.mark.parametrize("mode", ["full", "hash"])
async def test_telemetry__over_a_service__is_opened_read_proved_granted_and_rekeyed(place: Place, mode: str) -> None:
    stream, file = await place.open(mode), place.folder / "x"
    which = "--stream", name(stream)
    assert "nothing of this is anchored" in (await place.run("read", *which)).stderr
    await place.anchor(stream, range(3))
    whole = "read", *which, "--raw", "--out", file
    assert (await place.run(*whole)).exit_code == 0
    assert file.read_bytes() == place.raw[stream]

    proof = place.folder / "proof.json"
    assert (await place.told("prove", 40, *which, "--out", proof))["index"] == 40
    async with httpx.AsyncClient(base_url=place.url, trust_env=False) as http:
        found = await http.post("/v1/readings/verify", json=json.loads(proof.read_text())["proof"])
    assert (found.json()["index"], found.json()["isTrusted"]) == (40, True)
    chain = "--rpc", place.town.chain.url, "--deployment", place.town.chain.home.deployment_file
    assert (await place.told("verify", proof, *chain))["index"] == 40
    alone = await place.run("verify", proof, "--rpc", "http://127.0.0.1:1", *chain[2:])
    assert (alone.exit_code, "start one with `gridweave up`" in alone.stderr) == (2, True), alone.output

    city = place.folder / f"{mode}.json"
    await place.told("party-key", f"city-{mode}", "--out", city)
    span = "--from", place.start_ms + WINDOW_MS, "--until", place.start_ms + 2 * WINDOW_MS
    await place.told("grant", city, *which, *span, "--on-chain", "--key", "home")

    async def granted() -> bool:
        await place.town.chain.mine()
        return (await place.run("read", "--as", f"city-{mode}", "--raw", "--out", file)).exit_code == 0

    await until(granted)
    assert file.read_bytes() == place.raw[stream][EACH * SIZE : 2 * EACH * SIZE]

    assert (await place.told("epoch", *which, "--key", "home"))["epoch"] == 2
    await place.anchor(stream, range(3, 5), epoch=2)
    assert (await place.run(*whole)).exit_code == 0
    assert file.read_bytes() == place.raw[stream]
    assert (await place.run("read", "--as", f"city-{mode}", "--raw", "--out", file)).exit_code == 0
    assert file.read_bytes() == place.raw[stream][EACH * SIZE : 2 * EACH * SIZE]
