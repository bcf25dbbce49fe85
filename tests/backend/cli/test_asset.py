"""`gridweave asset` over a service that is a process of its own: registered, reported, listed, shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.client import DeviceKey, Wallet
from gridweave.domain.acts import KeyKind
from tests.support.process import ServiceProcess
from tests.support.town import DeviceKeyPair, Town, founded

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse"
_CURVES = {KeyKind.P256: ec.SECP256R1(), KeyKind.SECP256K1: ec.SECP256K1()}


@dataclass(frozen=True)
class Place:
    """A served town and a keystore with its operator's key and its homes' devices', `roof-0` and `roof-1`."""

    town: Town
    url: str
    keys: Path

    async def run(self, *command: str, signs: bool = False) -> Result:
        """A command's outcome; blocks are made while it waits."""
        signing = ["--keystore", str(self.keys), "--password-file", str(self.keys / "password")] if signs else []
        words = ["asset", *command, *signing, "--url", self.url]
        running = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, words))
        while not running.done():
            await self.town.chain.mine()
            await asyncio.sleep(0.1)
        return await running

    async def told(self, *command: str, signs: bool = False) -> Any:
        """What a command that succeeds says to programs."""
        result = await self.run(*command, "--json", signs=signs)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def keep(keys: Path, town: Town) -> None:
    keys.mkdir()
    (keys / "password").write_text(PASSWORD)
    Wallet(town.keys["operator"].secret).save(keys / "operator.json", PASSWORD)
    for number, home in enumerate(town.homes):
        device_key(home.key).save(keys / f"roof-{number}.pem", PASSWORD)


def device_key(pair: DeviceKeyPair) -> DeviceKey:
    return DeviceKey(ec.derive_private_key(pair.secret, _CURVES[pair.kind]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("assets")
    async with founded(folder / "chain", homes=2) as town:
        keep(folder / "keys", town)
        with ServiceProcess(town, folder / "service") as service:
            await service.start()
            found = Place(town, service.url, folder / "keys")
            for number, home in enumerate(town.homes, 1):
                made = ("register", str(home.meter), "--kind", "photovoltaic", "--nameplate-w", "5000")
                told = await found.told(*made, "--feeder", "12", "--key", "operator", signs=True)
                assert told["asset"] == number
            yield found


@pytest.mark.parametrize(
    "command",
    [
        ("register", "1", "--kind", "sun", "--nameplate-w", "1", "--key", "operator"),
        ("report", "1", "asleep", "--device", "roof-0"),
        ("list", "--kind", "sun"),
        ("show", "1", "--from", "5"),
    ],
)
async def test_asset__asked_for_what_is_none__says_what_there_is(place: Place, command: tuple[str, ...]) -> None:
    result = await place.run(*command, signs=command[0] in ("register", "report"))
    assert result.exit_code == 2, result.output


async def test_report__with_another_homes_device__is_refused_by_name(place: Place) -> None:
    result = await place.run("report", "1", "commissioned", "--device", "roof-1", "--json", signs=True)
    assert result.exit_code == 1
    assert "DeviceSignatureInvalid" in result.output


@pytest.mark.parametrize("number", [0, 1], ids=["secp256k1", "p256"])
async def test_report__by_the_asset_s_device__shows_from_then_on(place: Place, number: int) -> None:
    asset = str(number + 1)
    for state in ("commissioned", "online"):
        await place.told("report", asset, state, "--device", f"roof-{number}", signs=True)
    shown = await place.told("show", asset)
    assert [state["state"] for state in shown["states"]] == ["commissioned", "online"]
    printed = await place.run("show", asset)
    assert "online" in printed.stdout
    assert "capacityFactorBp" not in printed.stdout  # nothing was read yet


async def test_list__of_a_feeder__has_its_assets(place: Place) -> None:
    assert [item["asset"] for item in await place.told("list", "--feeder", "12")] == [1, 2]
    assert await place.told("list", "--feeder", "13") == []
    assert "photovoltaic" in (await place.run("list", "--kind", "photovoltaic")).stdout
