"""`gridweave firmware` over a service that is a process of its own: from a model's first keys to a ramp that stops."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import Result
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.client import Wallet
from tests.backend.cli.test_asset import device_key
from tests.support.process import ServiceProcess
from tests.support.town import MODEL, Town, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse"
SIGNING = {"open", "change-keys", "propose", "approve", "start", "advance", "pause", "resume", "revoke", "receipt"}
KNOWING = {"trust"}
WITNESS = Wallet(bytes([77]) * 32)
MAKE = "gridweave firmware manifest --image IMAGE --model 7 --counter 4"


@dataclass
class Works:
    """A served town, its keystore, and a folder for images and manifests."""

    town: Town
    url: str
    folder: Path

    async def run(self, *command: str) -> Result:
        """A command's outcome; blocks are made while it waits."""
        keys = self.folder / "keys"
        words = ["firmware", *command]
        if command[0] in SIGNING:
            words += ["--keystore", str(keys), "--password-file", str(keys / "password")]
        if command[0] in KNOWING:
            words += ["--keystore", str(keys)]
        if command[0] not in ("manifest", "verify"):
            words += ["--url", self.url]
        running = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, words))
        while not running.done():
            await self.town.chain.mine()
            await asyncio.sleep(0.1)
        return await running

    async def told(self, *command: str) -> Any:
        """What a command that succeeds says to programs."""
        result = await self.run(*command, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    async def both(self, *command: str) -> None:
        """Proposed by anna, approved by ben."""
        waiting = await self.told(*command, "--key", "anna")
        assert waiting["status"] == "gathering"
        assert (await self.told("approve", waiting["id"], "--key", "ben"))["status"] == "committed"

    async def manifest(self, counter: int, chain_id: int | None = None) -> Path:
        """An image and its envelope, as `r<counter>.bin` and `.suit`, for this chain or another."""
        image, envelope = self.folder / f"r{counter}.bin", self.folder / f"r{counter}.suit"
        image.write_bytes(random.Random(counter).randbytes(1_024))
        maker, chain = self.town.keys["maker"].address, str(chain_id or self.town.deployment.chain_id)
        made = ("manifest", "--image", str(image), "--model", str(MODEL), "--counter", str(counter))
        await self.told(*made, "--maker", maker, "--chain-id", chain, "--out", str(envelope))
        return envelope


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def works(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Works]:
    folder = tmp_path_factory.mktemp("firmware")
    async with founded(folder / "chain", homes=4) as town:
        keep(folder / "keys", town)
        with ServiceProcess(town, folder / "service") as service:
            await service.start()
            found = Works(town, service.url, folder)
            members = ("--member", "city", "--member", "anna", "--member", "ben", "--threshold", "2")
            opening = await found.told("open", str(MODEL), *members, "--key", "maker")
            assert opening["needs"][0]["least"] == 2
            for name, status in (("anna", "gathering"), ("ben", "committed")):
                assert (await found.told("approve", opening["id"], "--key", name))["status"] == status
            yield found


def keep(keys: Path, town: Town) -> None:
    keys.mkdir()
    (keys / "password").write_text(PASSWORD)
    Wallet(town.keys["maker"].secret).save(keys / "maker.json", PASSWORD)
    for number, name in enumerate(("anna", "ben", "city", "dora", "thief"), 81):
        Wallet(bytes([number]) * 32).save(keys / f"{name}.json", PASSWORD)
    WITNESS.save(keys / "witness.json", PASSWORD)
    for number, home in enumerate(town.homes):
        device_key(home.key).save(keys / f"roof-{number}.pem", PASSWORD)


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("open", "9", "--member", "0x12", "--threshold", "1", "--key", "maker"), 2, "40 hex digits"),
        (("open", "9", "--member", "anna", "--threshold", "1", "--key", "thief"), 1, "SignerNotAllowed"),
        (("open", "9", "--member", "anna", "--threshold", "2", "--key", "maker"), 1, "ThresholdOutOfRange"),
        (("show", "9"), 1, "UnknownModel"),
        (("show", "7", "99"), 1, "UnknownRelease"),
        (("start", "7", "99", "--key", "anna"), 1, "UnknownRelease"),
        (("start", "7", "1", "--share-bp", "1001", "--key", "anna"), 2, "share-bp"),
        (("approve", "0x" + "00" * 32, "--key", "anna"), 1, "UnknownProposal"),
        (("change-keys", "7", "--member", "thief", "--threshold", "1", "--key", "thief"), 1, "UnknownReleaseKey"),
        (("propose", "nowhere.suit", "--model", "7", "--source", "x", "--key", "anna"), 2, "cannot be read"),
        (("receipt", "roof-0", "99"), 1, "UnknownRelease"),
        (("eligible", "roof-0", "5"), 2, "0x and 40 digits"),
        (("trust", "7", "--witness", "witness", "--witness-threshold", "2", "--out", "t.json"), 2, "can never vouch"),
    ],
)
async def test_firmware__asked_for_what_cannot_be__says_so_by_name(
    works: Works, command: tuple[str, ...], code: int, says: str
) -> None:
    result = await works.run(*command)
    assert (result.exit_code, says in " ".join((result.output + result.stderr).split())) == (code, True), result.output


async def test_propose__given_a_manifest_for_another_chain__signs_nothing_and_says_how_to_make_it(works: Works) -> None:
    envelope = await works.manifest(4, chain_id=1)
    result = await works.run("propose", str(envelope), "--model", "7", "--source", "r4", "--key", "anna")
    assert result.exit_code == 2, result.output
    assert f"another vendor than the release and its model; make it with: {MAKE}" in result.stderr
    assert f"--chain-id {works.town.deployment.chain_id}" in result.stderr
    assert "release" not in [each["act"] for each in await works.told("proposals", "--model", "7")]


async def test_release__proposed_and_approved__goes_by_steps_until_its_failures_stop_it(works: Works) -> None:
    """proposed   full   told: well, failed, failed   paused by itself   resumed   revoked"""
    envelope = await works.manifest(5)
    release = ("propose", str(envelope), "--model", "7", "--source", "https://example.org/r5")
    limits = ("--least-receipts", "3", "--failure-limit-bp", "5000")
    shown = await works.run(*release, *limits, "--key", "anna")
    assert shown.exit_code == 0, shown.output
    assert "1 of 2 have approved" in shown.stdout
    (waiting,) = [each for each in await works.told("proposals", "--model", "7") if each["act"] == "release"]
    assert waiting["body"]["source"] == "https://example.org/r5"
    assert "release" in (await works.run("proposals")).stdout

    other = await works.manifest(6)
    wrong = await works.run("approve", waiting["id"], "--manifest", str(other), "--key", "ben")
    assert (wrong.exit_code, "another manifest" in wrong.stderr) == (2, True)
    wrong = await works.run("approve", waiting["id"], "--image", str(works.folder / "r6.bin"), "--key", "ben")
    assert (wrong.exit_code, "another image" in wrong.stderr) == (2, True)
    files = ("--manifest", str(envelope), "--image", str(works.folder / "r5.bin"))
    assert (await works.told("approve", waiting["id"], *files, "--key", "ben"))["status"] == "committed"

    await works.both("start", "7", "5", "--share-bp", "1000")
    await works.both("advance", "7", "5", "--share-bp", "10000")
    device = works.town.homes[0].key.device
    assert (await works.told("device", device))["shouldRun"] == 5
    assert (await works.told("eligible", device, "5"))["isAllowed"] is True
    for number, code in enumerate(("0", "17", "17")):
        told = await works.told("receipt", f"roof-{number}", "5", "--code", code)
        assert told["status"] == "committed"
    found = await works.told("show", "7", "5")
    assert (found["state"], found["resumesTo"], found["told"], found["failures"]) == ("paused", "full", 3, 2)
    printed = (await works.run("show", "7", "5")).stdout
    assert "its failures" in printed
    assert "paused (full)" in printed
    late = await works.run("receipt", "roof-3", "5")
    assert (late.exit_code, "WrongRolloutState" in late.stderr) == (1, True)
    barred = await works.run("eligible", device, "5")
    assert (barred.exit_code, "WrongRolloutState" in barred.stdout) == (1, True)

    await works.both("resume", "7", "5")
    assert [each["failureCode"] for each in await works.told("receipts", "7", "5", "--failed")] == [17, 17]
    assert [each["device"] for each in await works.told("devices", "7", "--running", "5")] == [device]
    assert (await works.told("pause", "7", "5", "--key", "city"))["status"] == "committed", "any one key"
    await works.both("revoke", "7", "5", "--since-block", "1")
    (listed,) = await works.told("list", "--model", "7")
    assert (listed["counter"], listed["state"], listed["revokedSince"]) == (5, "revoked", 1)
    assert "revoked" in (await works.run("list", "--model", "7")).stdout
    assert [each["model"] for each in await works.told("list", "--maker", works.town.keys["maker"].address)] == [7]
    for table in (("list",), ("device", device), ("devices", "7"), ("receipts", "7", "5"), ("show", "7")):
        assert (await works.run(*table)).exit_code == 0, table


async def test_bundle__of_a_service__passes_the_device_s_own_check(works: Works) -> None:
    envelope = await works.manifest(8)
    await works.both("propose", str(envelope), "--model", "7", "--source", "r8")
    await works.both("start", "7", "8", "--share-bp", "1000")
    await works.both("advance", "7", "8", "--share-bp", "10000")
    bundle, trust = works.folder / "r8.bundle", works.folder / "trust.json"
    keys = ("--keystore", str(works.folder / "keys"), "--password-file", str(works.folder / "keys" / "password"))
    made = ("bundle", str(envelope), "--model", "7", "--counter", "8", "--witness", "witness", "--out", str(bundle))
    result = await works.run(*made, *keys)
    assert result.exit_code == 0, result.output

    twice = ("--witness", "witness", "--witness", WITNESS.address.lower())
    assert (await works.run("trust", "7", *twice, "--out", str(trust))).exit_code == 0
    assert json.loads(trust.read_text())["witnesses"] == [WITNESS.address], "one, however often it is named"
    checked = ("verify", str(bundle), "--image", str(works.folder / "r8.bin"), "--model", "7", "--counter", "5")
    device = ("--device", works.town.homes[0].key.device, "--now", str(await works.town.now()))
    verdict = await works.told(*checked, *device, "--trust", str(trust))
    assert (verdict["counter"], verdict["state"]) == (8, "full")


async def test_change_keys__by_present_and_next__counts_from_then_on(works: Works) -> None:
    members = ("--member", "anna", "--member", "dora", "--threshold", "2")
    waiting = await works.told("change-keys", "7", *members, "--key", "anna")
    assert [need["version"] for need in waiting["needs"]] == [1, 2]
    assert (await works.told("approve", waiting["id"], "--key", "ben"))["status"] == "gathering"
    assert (await works.told("approve", waiting["id"], "--key", "dora"))["status"] == "committed"
    assert (await works.told("show", "7"))["keys"]["version"] == 2
