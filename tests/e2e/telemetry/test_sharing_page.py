"""docs/sharing.md does what it says: its commands are run as they stand there, in their order."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gridweave import artifacts
from gridweave.cli import app
from gridweave.client.telemetry import refusals
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode, Tip, stream_id
from gridweave.domain.telemetry import errors
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.segments import StreamTail
from tests.e2e.differential.chain import Chain
from tests.e2e.telemetry.world import NOW, PASSWORD, SCHEMA, Meter, World
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sharing.md"
CSVS = ("all.csv", "firmware4.csv", "granted.csv", "from-chain.csv")
QUARTER = 90
"""Readings of one."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with Chain(NOW) as chain:
        yield World(chain, random.Random(f"page {run_seed()}"), tmp_path)


def sections() -> dict[str, list[str]]:
    """The commands under each heading."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.M)
    return {name: _commands(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _commands(text: str) -> list[str]:
    return "".join(re.findall(r"```sh\n(.*?)```", text, re.S)).splitlines()


def test_page__as_it_stands__works(world: World, tmp_path: Path) -> None:
    (schema,) = re.findall(r"```json schema\.json\n(.*?)```", PAGE.read_text(), re.S)
    (tmp_path / "schema.json").write_text(schema)
    key = world.enrol(KeyKind.P256)
    stream = stream_id(key.device, StreamMode.FULL, SCHEMA.hash)
    meter = Meter(key, StreamMode.FULL, StreamTail.start(stream), Tip.start(0))
    commands = sections()
    assert [name for name, lines in commands.items() if lines] == [
        *("Open a stream", "Read", "Rebuild", "Prove and verify", "Share", "Take back, sell", "Erase")
    ]
    for name, lines in commands.items():
        for line in lines:
            done = run(world, line.replace("$DEVICE", key.device))
            assert done.exit_code == 0, f"{line}: {done.output}{done.stderr}"
        if name == "Open a stream":
            meter.gateway = WindowKeys.decode((tmp_path / "gateway" / f"{stream.hex()}.1.keys").read_bytes())
            world.measure(meter, range(3), firmware=3)
            world.measure(meter, range(3, 6), firmware=4)
    assert (tmp_path / "all.bin").read_bytes() == meter.raw
    assert (tmp_path / "rebuilt" / f"{stream.hex()}.readings").read_bytes() == meter.raw
    counts = [len((tmp_path / name).read_text().splitlines()) - 1 for name in CSVS]
    assert counts == [6 * QUARTER, 3 * QUARTER, 4 * QUARTER, QUARTER]
    assert WindowKeys.decode((tmp_path / "gateway" / f"{stream.hex()}.2.keys").read_bytes()).epoch == 2


def run(world: World, line: str) -> Result:
    program, *words = shlex.split(line)
    assert program == "gridweave"
    environment = {
        "GRIDWEAVE_PASSWORD": PASSWORD,
        "GRIDWEAVE_KEYSTORE": str(world.home / "keys"),
        "GRIDWEAVE_RPC": world.url,
    }
    world.chain.rpc("evm_setAutomine", True)
    try:
        return CliRunner().invoke(app, words, env=environment)
    finally:
        world.chain.rpc("evm_setAutomine", False)
        world.chain.now = int(world.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def test_page__names_refusals_that_there_are() -> None:
    known = {*vars(refusals), *vars(errors), *(entry.name for entry in artifacts.errors().values())}
    named = re.findall(r"`(\w+)`", PAGE.read_text().split("## Refusals")[1])
    assert len(named) > 20
    assert set(named) <= known
