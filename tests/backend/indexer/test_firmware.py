"""Rows say of firmware what the contract says of it: whatever befell a release, and whatever of it was taken back."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gridweave.chain import Call
from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.domain.firmware.rollout import RolloutState
from gridweave.services.firmware_rows import key_set_of, release_of
from gridweave.store.firmware import FirmwareReads
from gridweave.store.reading import Row
from tests.backend.indexer.test_devices import follower, index_at
from tests.support.acts import Acts, Party, Posted
from tests.support.firmware import FirmwareActs, key_set, release_keys
from tests.support.town import MODEL, DeviceKeyPair, Town, draw_home, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

ROUNDS, MOST_ROUNDS, DEVICES = 70, 200, 24
WEIGHTS = {
    "release": 4,
    "start": 4,
    "raise": 5,
    "pause": 3,
    "resume": 4,
    "revoke": 1,
    "keys": 1,
    "tell": 20,
    "tell many": 6,
    "status": 1,
}
STOPPED = "stopped by its failures"


@dataclass
class Makers:
    """Draws acts about one model. `present` are its keys, `counters` every counter that was ever tried."""

    town: Town
    rng: random.Random
    people: list[Party]
    devices: list[DeviceKeyPair]
    present: KeySet
    releases: dict[int, Release] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)

    @classmethod
    async def of(cls, town: Town, rng: random.Random) -> Makers:
        people, devices = release_keys(5), [draw_home(40_000 + number)[1] for number in range(DEVICES)]
        owner = town.keys["operator"].address
        await town.send([town.enrol_call(key, owner) for key in devices])
        made = cls(town, rng, people, devices, key_set(people[:3], 2))
        await town.send([_call(made.acts.opening(Party("maker", town.keys["maker"].secret), people[:2]))])
        return made

    @property
    def acts(self) -> FirmwareActs:
        return FirmwareActs(self.town, MODEL, self.present)

    async def live(self) -> None:
        """A block of one to six acts, of which some fail."""
        await self._look()
        drawn = [await self._draw() for _ in range(self.rng.randint(1, 6))]
        receipts = await self.town.attempt([call for _, call in drawn])
        for (what, _), receipt in zip(drawn, receipts, strict=True):
            if receipt.succeeded:
                self.taken[what] += 1

    async def _look(self) -> None:
        """The present keys, which an act of the last block may have changed, or a reorganisation changed back."""
        line = await self.town.contracts.firmware.line_of(MODEL)
        assert line is not None
        sets = [key_set(self.people[first : first + 3], 2, version) for first in range(3) for version in range(1, 60)]
        self.present = next(each for each in sets if each.hash == line[1])

    async def _draw(self) -> tuple[str, Call]:
        rng, acts = self.rng, self.acts
        signers = [party for party in self.people if party.account in self.present.members]
        by = rng.sample(signers, 2)
        line = await self.town.contracts.firmware.line_of(MODEL)
        assert line is not None
        what = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if what == "release" or not self.releases:
            counter = line[0].latest + rng.randint(1, 2)
            floor = rng.choice([line[0].floor, line[0].floor, counter])
            limit = rng.choice([1_000, 5_000, 10_000])
            said = acts.release_of(counter, floor=floor, least_receipts=rng.randint(1, 5), failure_limit_bp=limit)
            self.releases[counter] = said
            return "release", _call(acts.release(said, by))
        counter = rng.choice(sorted(self.releases)[-3:])
        rollout = await self.town.contracts.firmware.rollout_of(MODEL, counter)
        match what:
            case "start":
                posted = acts.start(self.releases[counter], rng.randint(1, 1_000), by)
            case "raise":
                share = rng.choice([10_000, rng.randint(rollout.share_bp, 10_000)])
                posted = acts.raise_share(counter, share, rollout.step, by)
            case "pause":
                posted = acts.pause(counter, rollout.step, by[:1])
            case "resume":
                posted = acts.resume(counter, rollout.step, by)
            case "revoke":
                posted = acts.revocation(counter, rng.randint(1, await self.town.chain.node.block_number()), by)
            case "keys":
                first = rng.randrange(3)
                following = key_set(self.people[first : first + 3], 2, self.present.version + 1)
                posted = acts.key_change(following, _by_both(self.people, self.present, following))
            case "status":
                device = rng.choice(self.devices).device
                operator = Party("operator", self.town.keys["operator"].secret)
                status = rng.choice([DeviceStatus.SUSPENDED, DeviceStatus.ACTIVE])
                posted = Acts(self.town).status(device, operator, status)
            case "tell many":
                return what, await self._many(counter)
            case _:
                posted = await self._receipt(counter)
        return what, _call(posted)

    async def _receipt(self, counter: int) -> Posted:
        code = self.rng.choice([0, 0, 0, 7, 12])
        return self.acts.receipt(self.rng.choice(self.devices), counter, await self.town.now(), code)

    async def _many(self, counter: int) -> Call:
        now, keys = await self.town.now(), self.rng.choices(self.devices, k=self.rng.randint(2, 8))
        receipts = [self.acts.signed_receipt(key, counter, now, self.rng.choice([0, 0, 9])) for key in keys]
        return self.town.contracts.firmware.tell_many(receipts)


def _by_both(people: list[Party], present: KeySet, following: KeySet) -> list[Party]:
    return [party for party in people if party.account in {*present.members, *following.members}]


def _call(posted: Posted) -> Call:
    assert posted.call is not None
    return posted.call


async def compare(makers: Makers, reads: FirmwareReads) -> None:
    """With the contract's own answers about the model, every release and every device."""
    registry = makers.town.contracts.firmware
    row, line = await reads.model(MODEL), await registry.line_of(MODEL)
    assert row is not None
    assert line is not None
    assert (row["maker"], row["latest"], row["full"], row["floor"]) == (
        line[0].maker,
        line[0].latest,
        line[0].full,
        line[0].floor,
    )
    assert key_set_of(row).hash == line[1]
    sets = await reads.key_sets(MODEL)
    assert [each["version"] for each in sets] == list(range(1, row["version"] + 1))
    listed = {each["counter"]: each for each in (await reads.releases(MODEL, None, 1_000)).rows}
    for counter in makers.releases:
        await compare_release(makers, reads, counter, listed)
    live = [each["counter"] for each in await reads.live(MODEL)]
    assert live == sorted((counter for counter in listed if counter >= row["full"]), reverse=True)
    running: Counter[int] = Counter()
    for key in makers.devices:
        found, said = await reads.installation(key.device), await registry.installation_of(key.device)
        assert tuple(found.values()) == (said.model, said.told, said.failure_code, said.running, said.running_since)
        running[said.running] += 1
    del running[0]
    assert await reads.running(MODEL) == dict(sorted(running.items()))
    assert await reads.enrolled(MODEL, line[0].maker) == DEVICES


async def compare_release(makers: Makers, reads: FirmwareReads, counter: int, listed: dict[int, Row]) -> None:
    registry = makers.town.contracts.firmware
    row, commitment = await reads.release(MODEL, counter), await registry.commitment_of(MODEL, counter)
    assert (row is not None) == any(commitment) == (counter in listed)
    if row is None:
        return
    released = release_of(row)
    assert released.commitment == commitment
    rollout, standing = await registry.rollout_of(MODEL, counter), row["standing"]
    assert standing == {name: getattr(rollout, name) for name in standing}
    assert listed[counter]["standing"] == standing
    if rollout.begun_at:
        limits = (rollout.least_receipts, rollout.failure_limit_bp, rollout.floor)
        assert limits == (released.least_receipts, released.failure_limit_bp, released.floor)
    for step, following in zip(row["steps"], row["steps"][1:], strict=False):
        if following["state"] == RolloutState.PAUSED and step["state"] != RolloutState.PAUSED:
            assert (step["told"], step["failures"]) == (following["told"], following["failures"])
            makers.taken[STOPPED] += following["by"] == ZERO_ADDRESS


async def test_rows__after_random_acts_and_reorgs__are_what_the_contract_says(
    tmp_path: Path, rng: random.Random
) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        makers, store = await Makers.of(town, rng), await index_at(tmp_path / "index.db")
        reads, follow = FirmwareReads(store.database), follower(town, store)
        wanted = {*WEIGHTS, STOPPED}
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS and set(makers.taken) == wanted:
                break
            await makers.live()
            await follow.catch_up()
            if number % 5 == 0:
                await compare(makers, reads)
            if rng.random() < 0.1 and number > 5:
                await town.chain.node.request("anvil_reorg", rng.randint(1, 6), [])
                await follow.catch_up()
                await compare(makers, reads)
        await compare(makers, reads)

        assert set(makers.taken) == wanted, "acts of every kind were taken"
        anew = await index_at(tmp_path / "anew.db")
        await follower(town, anew).catch_up()
        assert await anew.digest() == await store.digest()
        await anew.database.close()
        await store.database.close()
