"""Devices that measure, change keys and owners, fall out of service and run firmware at random: the audit foresees it.

GRIDWEAVE_LIVES sets how many transactions there are (400); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gridweave.audit import Checked, audit
from gridweave.chain.contracts.telemetry_anchor import SignedBatch
from gridweave.chain.errors import error_name
from gridweave.chain.events import BatchAnchored, BatchRefused, InstallTold, ReceiptRefused, decode_logs
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.anchors import StreamMode
from gridweave.domain.firmware.rollout import RolloutState
from gridweave.localnet import Clock, localnet
from tests.support.seed import run_seed

from .conftest import GENESIS
from .firmware import MODEL, Works
from .lives import accepting, keeping, nonce_of, noting, offering, rotating
from .measurements import Stream, batch_of, beginning, granting, opened, settle_in, signed
from .street import DeviceKey, Home, Party, Street, open_street

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(600)]

COUNT = int(os.environ.get("GRIDWEAVE_LIVES", "400"))


class Life:
    """Draws one transaction after another. Only what the contracts take alone goes alone; the rest in batches."""

    def __init__(self, street: Street, homes: list[Home], streams: list[Stream], rng: random.Random) -> None:
        self.street, self.homes, self.streams, self.rng = street, homes, streams, rng
        self.works, self.seen = Works(street), Counter[str]()
        self.former = {home.device: [home.key] for home in homes}
        self.counter = 0

    async def act(self) -> None:
        draws: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            *((40, self._anchor), (6, self._rotate), (4, self._keep), (5, self._stand), (6, self._sell)),
            *((6, self._epoch), (5, self._grant), (4, self._release), (12, self._step), (14, self._tell)),
        ]
        (draw,) = self.rng.choices([draw for _, draw in draws], [weight for weight, _ in draws])
        self.street.time += self.rng.choice([0, 1, 30])
        await draw()

    # telemetry

    async def _anchor(self) -> None:
        """Batches of several streams, some of which do not follow or are not their device's."""
        drafts: list[tuple[Stream, SignedBatch, bytes]] = []
        tips = {stream.id: stream.tip for stream in self.streams}
        block = await self.street.node.block_number() + 1
        for _ in range(self.rng.randrange(1, 5)):
            stream = self.rng.choice(self.streams)
            tip = tips[stream.id]
            batch, body = batch_of(self.street, stream, tip, self.rng.randrange(1, 6))
            if self.rng.random() < 0.25:
                batch = self.rng.choice(
                    [
                        replace(batch, first_index=batch.first_index + 1),
                        replace(batch, epoch=batch.epoch + 1),
                        replace(batch, last_ms=batch.last_ms + 900_000),
                        replace(batch, body_hash=bytes(32)),
                        replace(batch, count=0),
                    ]
                )
            sent = signed(self.street, stream, batch, tip, bare=self.rng.random() < 0.15)
            if self.rng.random() < 0.15:
                old = replace(stream, home=replace(stream.home, key=self.rng.choice(self.former[stream.home.device])))
                sent = replace(sent, signature=signed(self.street, old, batch, tip).signature)
            drafts.append((stream, sent, body))
            tips[stream.id] = tip.after(batch, block, self.street.time, await nonce_of(self.street, stream.home))
        receipt = await self.street.send(
            self.street.contracts.anchors.anchor_all([(sent, body) for _, sent, body in drafts])
        )
        told = [e for e in decode_logs(receipt.logs) if isinstance(e, BatchAnchored | BatchRefused)]
        for (stream, sent, _), event in zip(drafts, told, strict=True):
            if isinstance(event, BatchAnchored):
                nonce = await nonce_of(self.street, stream.home)
                stream.tip = sent.tip.after(sent.batch, receipt.block_number, self.street.time - 1, nonce)
                self.seen["anchored"] += 1
            else:
                self.seen[error_name(event.reason[:4])] += 1

    async def _epoch(self) -> None:
        stream = self.rng.choice(self.streams)
        epoch = stream.tip.span.epoch + self.rng.choice([1, 2])
        await self.street.send(beginning(self.street, stream, stream.home.party, epoch))
        stream.tip = stream.tip.rekeyed(epoch, await nonce_of(self.street, stream.home))
        self.seen["epoch"] += 1

    async def _grant(self) -> None:
        """Where the present epoch is the present owner's."""
        stream = self.rng.choice(self.streams)
        keeper = await self.street.contracts.anchors.keeper_of(stream.id)
        if keeper is not None and keeper.owner == stream.home.party.address:
            sealed = self.rng.randbytes(self.rng.randrange(1, 200))
            await self.street.send(granting(self.street, stream, self.street.utility.address, sealed))
            self.seen["grant"] += 1

    # devices

    async def _status(self, home: Home) -> DeviceStatus:
        found = await self.street.contracts.devices.device_of(home.device)
        assert found is not None
        return DeviceStatus(found.status)

    async def _rotate(self) -> None:
        home = self.rng.choice(self.homes)
        if await self._status(home) is DeviceStatus.ACTIVE:
            following = DeviceKey.of(f"{home.device} {len(self.former[home.device])}", self.rng.choice([*KeyKind]))
            await self.street.send(await rotating(self.street, home, following))
            home.change_key(following)
            self.former[home.device].append(following)
            self.seen["rotate"] += 1

    async def _keep(self) -> None:
        await self.street.send(keeping(self.street, self.rng.choice(self.homes)))

    async def _stand(self) -> None:
        """Suspended ones come back."""
        out = [home for home in self.homes if await self._status(home) is DeviceStatus.SUSPENDED]
        home = self.rng.choice(out if out and self.rng.random() < 0.8 else self.homes)
        suspended = home in out
        await self.street.set_status(
            home, DeviceStatus.ACTIVE if suspended else DeviceStatus.SUSPENDED, self.street.operator
        )

    async def _sell(self) -> None:
        home = self.rng.choice(self.homes)
        buyer = Party.of(f"buyer {self.rng.random()}")
        await self.street.send(offering(self.street, home, buyer.address))
        await self.street.send(await accepting(self.street, home, buyer))
        home.party = buyer
        self.seen["sold"] += 1

    # firmware

    async def _release(self) -> None:
        self.counter += 1
        floor = max(0, self.counter - 4) if self.counter > 4 else 0
        await self.street.send(self.works.releasing(self.works.release(self.counter, floor=floor)))

    async def _step(self) -> None:
        """Whatever the rollout of one of the newest allows."""
        if not self.counter:
            return
        works, counter = self.works, self.rng.randrange(max(1, self.counter - 2), self.counter + 1)
        rollout = await works.registry.rollout_of(MODEL, counter)
        works.steps[counter] = rollout.step
        block = await self.street.node.block_number()
        calls = {
            RolloutState.PROPOSED: [lambda: works.beginning(works.release(counter, max(0, counter - 4)), 1_000)],
            RolloutState.PAUSED: [lambda: works.resuming(counter)],
            RolloutState.FULL: [lambda: works.pausing(counter)],
            RolloutState.CANARY: [lambda: works.raising(counter, 9_990)],
            RolloutState.RAMP: [lambda: works.raising(counter, 10_000), lambda: works.pausing(counter)],
        }.get(rollout.state, [])
        if calls and self.rng.random() < 0.1:
            calls = [lambda: works.revoking(counter, self.rng.randrange(1, block))]
        if calls:
            await self.street.send(self.rng.choice(calls)())
            self.seen[rollout.state.name.lower()] += 1

    async def _tell(self) -> None:
        told = []
        for _ in range(self.rng.randrange(1, 5)):
            home = self.rng.choice(self.homes)
            counter = self.rng.randrange(max(1, self.counter - 2), self.counter + 2)
            by = home.key if self.rng.random() < 0.8 else self.rng.choice(self.former[home.device])
            code = self.rng.choice([0, 0, 0, 7])
            told.append(self.works.receipt(home.first_key or home.key, counter, code, by=by))
        receipt = await self.street.send(self.works.registry.tell_many(told))
        for event in decode_logs(receipt.logs):
            if isinstance(event, InstallTold | ReceiptRefused):
                self.seen["told" if isinstance(event, InstallTold) else error_name(event.reason)] += 1


async def test_audit__given_a_random_life__foresees_everything(tmp_path: Path) -> None:
    rng = random.Random(f"lives {run_seed()}")
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        homes = await settle_in(street)
        streams = [await opened(street, home, mode) for home in homes[:3] for mode in StreamMode]
        life = Life(street, homes, streams, rng)
        await street.send(life.works.opening())
        for _ in range(COUNT):
            await life.act()
        for home in homes[:2]:
            since = rng.randrange(street.book.first_block, await street.node.block_number())
            await street.send(noting(street, home, since, street.operator))
        print(f"\nseed {run_seed()}: {dict(life.seen)}")

        report = await audit(street.node, street.book)
        assert [found.sentence for found in report.differences] == []
        assert report.counts[Checked.TELEMETRY_BATCHES] == life.seen["anchored"]
        assert report.counts[Checked.RECEIPTS] == life.seen["told"]
        found = {(b.stream, b.number) for b in report.doubts.batches}
        told = {(r.device, r.place.block, r.place.log_index) for r in report.doubts.receipts}
        assert (found, told) == await _doubted(street, streams)
        expected = {
            *("anchored", "epoch", "grant", "sold", "rotate", "told", "BatchLeavesGap", "BatchNotAuthentic"),
            *("EpochOfFormerOwner", "BodyDiffers", "TipDiffers", "NotInRamp"),
        }
        assert COUNT < 400 or not expected - set(life.seen), life.seen


async def _doubted(street: Street, streams: list[Stream]) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    """Batches and receipts that the registry itself does not trust."""
    devices = {stream.id: stream.home.device for stream in streams}
    addresses = [street.book.addresses[name] for name in ("TelemetryAnchor", "FirmwareRegistry")]
    batches: set[tuple[object, ...]] = set()
    receipts: set[tuple[object, ...]] = set()
    for event in decode_logs(await street.node.logs(0, await street.node.block_number(), addresses)):
        if isinstance(event, BatchAnchored | InstallTold):
            device = event.device if isinstance(event, InstallTold) else devices[event.stream]
            if not await street.contracts.devices.is_trusted_at(device, event.block_number):
                if isinstance(event, InstallTold):
                    receipts.add((device, event.block_number, event.log_index))
                else:
                    batches.add(("0x" + event.stream.hex(), event.span >> 16 & 0xFFFFFFFF))
    return batches, receipts
