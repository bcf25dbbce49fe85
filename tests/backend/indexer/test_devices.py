"""Rows say of devices what the contract says of them: whatever befell them, and whatever of it was taken back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gridweave.chain import Call
from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import DeviceStatus
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.maker_tree import Batch
from gridweave.indexer.follower import Follower
from gridweave.store.database import Kind
from gridweave.store.devices import DeviceReads
from gridweave.store.index import IndexStore
from gridweave.store.reading import Row
from tests.support import stores
from tests.support.acts import Acts, Party
from tests.support.town import DeviceKeyPair, Town, draw_home, founded

pytestmark = [pytest.mark.chain, pytest.mark.slow]

WEEK = 7 * 86_400
ROUNDS = 120
MOST_ROUNDS = 3 * ROUNDS
WEIGHTS = {
    "rotate": 3,
    "propose": 4,
    "veto": 4,
    "adopt": 3,
    "keep": 1,
    "status": 4,
    "compromise": 1,
    "offer": 3,
    "accept": 3,
}
ALL = {*WEIGHTS, "register", "claim", "enrol", "close"}
LEFT = (DeviceStatus.SUSPENDED, DeviceStatus.REVOKED, DeviceStatus.ACTIVE)


@dataclass
class Lives:
    """Draws acts about devices of its own. `names` are all that there ever were, `keys` every key by its name."""

    town: Town
    rng: random.Random
    acts: Acts
    maker: Party
    operator: Party
    people: dict[str, Party]
    keys: dict[str, DeviceKeyPair] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    touched: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, town: Town, rng: random.Random) -> Lives:
        people = [Party(f"owner {number}", draw_home(500 + number)[0]) for number in range(3)]
        maker, operator = (Party(role, town.keys[role].secret) for role in ("maker", "operator"))
        return cls(town, rng, Acts(town), maker, operator, {each.account: each for each in people})

    async def live(self) -> None:
        """One block of one to four acts, of which some fail; now and then a week goes by before. Fills `touched`."""
        self.touched = []
        if self.rng.random() < 0.15:
            await self.town.chain.mine(await self.town.now() + WEEK)
        drawn = [await self._draw() for _ in range(self.rng.randint(1, 4))]
        receipts = await self.town.attempt([call for _, call in drawn])
        for (what, _), receipt in zip(drawn, receipts, strict=True):
            if receipt.succeeded:
                self.taken[what] += 1

    async def _draw(self) -> tuple[str, Call]:
        """An act by its name, mostly about a device that lives."""
        known = {name: await self.town.contracts.devices.device_of(name) for name in self.names}
        alive = [name for name, device in known.items() if device and device.status is not DeviceStatus.REVOKED]
        if len(alive) < 4 or self.rng.random() < 0.04:
            return self._begin([name for name, device in known.items() if device is None])
        if self.rng.random() < 0.03:
            return "close", _call(self.acts.closing(self.rng.choice(self.batches).root, self.operator).call)
        what = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        return what, await self._befall(what, self.rng.choice(alive if self.rng.random() < 0.95 else self.names))

    def _begin(self, unborn: list[str]) -> tuple[str, Call]:
        """A device enrolled, a batch, or a claim from one."""
        owner = self.rng.choice(list(self.people))
        claims = [(name, batch) for batch in self.batches for name, _ in batch.devices if name in unborn]
        if claims and self.rng.random() < 0.7:
            name, batch = self.rng.choice(claims[-4:])
            return "claim", _call(self.acts.claim(self.keys[name], owner, batch.root, batch.proof(name)).call)
        fresh = [self._key() for _ in range(self.rng.randint(1, 5))]
        self.names += [key.device for key in fresh]
        if self.rng.random() < 0.3:
            return "enrol", self.town.enrol_call(fresh[0], owner)
        self.batches.append(Batch(tuple((key.device, key.kind) for key in fresh)))
        return "register", _call(self.acts.batch(self.batches[-1].root, self.maker, len(fresh)).call)

    async def _befall(self, what: str, name: str) -> Call:
        rng, acts, registry = self.rng, self.acts, self.town.contracts.devices
        self.touched.append(name)
        device, proposal, offer = (
            await registry.device_of(name),
            *(await self._standing(name)),
        )
        owner = self.people[device.owner] if device else self.maker
        present = self.keys[device.key if device else name]
        nonce = device.nonce if device else 0
        by = rng.choice([owner, owner, self.operator])
        match what:
            case "rotate":
                posted = acts.rotation(name, present, self._key(), nonce)
            case "propose":
                posted = acts.proposal(name, self._key(), owner)
            case "veto":
                posted = acts.veto(name, present, proposal or name, nonce)
            case "adopt":
                posted = acts.adoption(name, present, self.keys[proposal or name], nonce)
            case "keep":
                posted = acts.kept_key(name, present)
            case "status":
                posted = acts.status(name, by, rng.choices(LEFT, (5, 1, 6))[0])
            case "compromise":
                posted = acts.compromise(name, present, by, rng.randint(1, await self.town.chain.node.block_number()))
            case "offer":
                posted = acts.offer(name, rng.choice([*self.people, ZERO_ADDRESS]), owner)
            case _:
                posted = acts.transfer(name, owner.account, self.people.get(offer or "", self.operator), present, nonce)
        return _call(posted.call)

    async def _standing(self, name: str) -> tuple[str | None, str | None]:
        registry = self.town.contracts.devices
        proposal, offer = await registry.proposal_of(name), await registry.offer_of(name)
        return proposal.key if proposal else None, offer.to if offer else None

    def _key(self) -> DeviceKeyPair:
        key = draw_home(self.rng.randrange(10**6, 10**9))[1]
        self.keys[key.device] = key
        return key


def _call(call: Call | None) -> Call:
    assert call is not None
    return call


async def compare(lives: Lives, reads: DeviceReads) -> None:
    """Row for row with the contract's own answers, about every device and batch that there ever was."""
    rows = await compare_devices(lives, reads, lives.names)
    for batch in lives.batches:
        found, known = await reads.batch(to_hex(batch.root)), await lives.town.contracts.devices.batch_of(batch.root)
        assert (found is None) == (known is None)
        if found is not None and known is not None:
            said = (known.maker, known.model, known.is_closed)
            assert (found["maker"], found["model"], found["is_closed"]) == said
            assert found["size"] == len(batch.devices)
            assert found["claimed"] == sum(name in rows for name, _ in batch.devices)


async def compare_devices(lives: Lives, reads: DeviceReads, names: Sequence[str]) -> dict[str, Row]:
    """The devices' rows."""
    rows = await reads.devices(names)
    statuses = await reads.statuses(names)
    for name in names:
        device = await lives.town.contracts.devices.device_of(name)
        row = await reads.device(name)
        if device is None:
            assert row is None
            assert name not in rows
            continue
        assert row is not None
        assert rows[name].items() <= row.items()
        key = lives.keys[device.key]
        assert (row["owner"], row["maker"], row["model"]) == (device.owner, device.maker, device.model)
        assert (row["status"], row["status_since"]) == (device.status, device.status_since)
        assert statuses[name] == device.status
        assert (row["key_kind"], row["x"], row["y"]) == (device.key_kind, *map(to_hex, key.point))
        assert (row["key_version"], row["nonce"]) == (device.key_version, device.nonce)
        assert (row["compromised_since"] or 0) == device.compromised_since
        await compare_standing(lives, name, row["proposal"], row["offer"], is_over=device.status is LEFT[1])
        await compare_told(lives, reads, name)
    return rows


async def compare_standing(
    lives: Lives, name: str, proposal: dict[str, object] | None, offer: dict[str, object] | None, *, is_over: bool
) -> None:
    registry = lives.town.contracts.devices
    proposed, offered = await registry.proposal_of(name), await registry.offer_of(name)
    assert (proposal is None) == (proposed is None)
    if proposal is not None and proposed is not None:
        assert (proposal["key_kind"], proposal["ready_at"]) == (proposed.key_kind, proposed.ready_at)
        assert (proposal["x"], proposal["y"]) == tuple(map(to_hex, lives.keys[proposed.key].point))
    if is_over:
        assert offer is None, "the contract keeps it, and nobody can take it"
        return
    assert (offer is None) == (offered is None)
    if offer is not None and offered is not None:
        assert (offer["to"], offer["until"]) == (offered.to, offered.until)


async def compare_told(lives: Lives, reads: DeviceReads, name: str) -> None:
    """What a document is made of: ERC-1056's last owner, last change, and no key but the present one."""
    registry, told = lives.town.contracts.devices, await reads.told(name)
    device = await registry.device_of(name)
    assert device is not None
    assert told["device_owners"][-1]["owner"] == await registry.identity_owner(name)
    newest = max(row["block_number"] for table in ("device_owners", "device_keys") for row in told[table])
    assert newest == await registry.changed(name)
    times = {row["block_number"]: row["timestamp"] for rows in told.values() for row in rows}
    assert times[told["device_owners"][0]["block_number"]] == device.enrolled_at
    counting = {row["x"]: row["counts"] for row in told["device_keys"]}
    present = to_hex(lives.keys[device.key].point[0])
    assert [x for x, counts in counting.items() if counts] == ([] if device.compromised_since else [present])


async def index_at(path: Path) -> IndexStore:
    database = stores.database(Kind.INDEX, path)
    await database.migrate()
    return IndexStore(database)


def follower(town: Town, store: IndexStore) -> Follower:
    contracts = sorted(town.deployment.every_address)
    return Follower(town.chain.node, store, contracts=contracts, start=town.deployment.block, most_blocks=500)


async def test_rows__after_random_acts_and_reorgs__are_what_the_contract_says(
    tmp_path: Path, rng: random.Random
) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        lives, store = Lives.of(town, rng), await index_at(tmp_path / "index.db")
        reads, follow = DeviceReads(store.database), follower(town, store)
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS and set(lives.taken) == ALL:
                break
            await lives.live()
            await follow.catch_up()
            await compare_devices(lives, reads, sorted(set(lives.touched)))
            if rng.random() < 0.1:
                await town.chain.node.request("anvil_reorg", rng.randint(1, 6), [])
                await follow.catch_up()
                await compare(lives, reads)
        await compare(lives, reads)

        assert set(lives.taken) == ALL, "acts of every kind were taken"
        anew = await index_at(tmp_path / "anew.db")
        await follower(town, anew).catch_up()
        assert await anew.digest() == await store.digest()
        await anew.database.close()
        await store.database.close()


async def test_device__whose_enrolment_is_taken_back__is_unknown(tmp_path: Path, rng: random.Random) -> None:
    async with founded(tmp_path / "chain", homes=0) as town:
        store = await index_at(tmp_path / "index.db")
        reads, follow = DeviceReads(store.database), follower(town, store)
        await follow.catch_up()
        height = await town.chain.node.block_number()
        key = draw_home(rng.randrange(10**6))[1]
        await town.send([town.enrol_call(key, town.keys["utility"].address)])
        await follow.catch_up()
        assert await reads.device(key.device) is not None
        await town.chain.node.request("anvil_reorg", await town.chain.node.block_number() - height, [])
        await follow.catch_up()
        assert await reads.device(key.device) is None
        assert await reads.devices([key.device]) == {}
        assert await reads.statuses([key.device]) == {key.device: DeviceStatus.ACTIVE}
        await store.database.close()
