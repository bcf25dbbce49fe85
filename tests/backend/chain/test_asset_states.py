"""The contract takes and refuses random reports of assets' states for the very reasons that the domain gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridweave.chain.events import AssetStateChanged, AssetStateRefused, decode_logs
from gridweave.chain.types import Receipt
from gridweave.domain.acts import AssetKind, AssetRegistration, AssetState, AssetStateReport, MeterEnd
from gridweave.domain.asset_states import AssetStatus, reported
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DeviceSignatureInvalid, DomainError
from gridweave.domain.registry import MeterRecord
from tests.support.town import FOREVER, DeviceKeyPair, TestHome, Town, founded

pytestmark = pytest.mark.chain

BATCHES, REPORTS = 14, 24
Told = list[tuple[int, int, int, bytes]]


async def register(town: Town, home: TestHome, nonce: int) -> None:
    said = AssetRegistration(home.meter, AssetKind.PHOTOVOLTAIC, 5_000, 0, 12, nonce, FOREVER)
    operator = town.act(town.keys["operator"], "DERRegistry", said)
    await town.send([town.contracts.meters.register_asset(said, operator)])


async def end_meter(town: Town, home: TestHome, until_slot: int) -> None:
    said = MeterEnd(home.meter, until_slot, 99, FOREVER)
    operator = town.act(town.keys["operator"], "DERRegistry", said)
    await town.send([town.contracts.meters.end_meter(said, operator)])


class Model:
    """The assets by the domain's rules. Assets 1 and 2 stand behind the first home's meter, 3 behind the second's."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.statuses: dict[int, AssetStatus] = {}
        self.meterings: dict[int, MeterRecord] = {}

    async def read(self) -> None:
        meters = [home.meter for home in self.town.homes]
        found = await self.town.contracts.meters.metering_of(meters)
        self.meterings = {meter: one for meter, one in zip(meters, found, strict=True) if one}

    async def added(self, asset: int, home: TestHome) -> None:
        self.statuses[asset] = AssetStatus(home.meter, await self.town.now())

    def take(self, report: AssetStateReport, signer: DeviceKeyPair, now: int) -> bytes:
        """The reason of a refusal, nothing for what is taken."""
        status = self.statuses.get(report.asset)
        metering = status and self.meterings[status.meter]
        try:
            after = reported(status, report, metering or None, now, self.town.clock)
            device = metering[1].device if metering else ""
            if device != signer.device:
                raise DeviceSignatureInvalid(device)
        except DomainError as refusal:
            return refusal.selector()
        self.statuses[report.asset] = after
        return b""


def draw(rng: random.Random, town: Town, now: int) -> tuple[AssetStateReport, DeviceKeyPair]:
    asset = rng.choice([1, 1, 2, 3, 3, 4])
    since = now + rng.choice([rng.randrange(-30, 3), rng.randrange(-4, 1), -(10**6)])
    deadline = rng.choice([FOREVER, FOREVER, FOREVER, now - 1])
    owner = town.homes[0 if asset < 3 else 1].key
    signer = rng.choice([owner, owner, owner, owner, town.homes[2].key])
    state = rng.randrange(1, 6) if rng.random() < 0.8 else rng.randrange(9)
    return AssetStateReport(asset, state, since, deadline), signer


def signed(town: Town, report: AssetStateReport, signer: DeviceKeyPair) -> tuple[AssetStateReport, bytes]:
    signature = signer.sign(digest(town.domain("DERRegistry"), report))
    x, y = signer.point
    return report, signature + (x + y if report.since % 2 else b"")  # kept as the keys are, both forms count


def told(receipt: Receipt) -> Told:
    found: Told = []
    for event in decode_logs(receipt.logs):
        if isinstance(event, AssetStateChanged):
            found.append((event.asset, event.state, event.since, b""))
        elif isinstance(event, AssetStateRefused):
            found.append((event.asset, event.state, event.since, event.reason))
    return found


async def report_all(town: Town, drawn: Sequence[tuple[AssetStateReport, DeviceKeyPair]]) -> tuple[Told, int]:
    call = town.contracts.meters.report_states([signed(town, *one) for one in drawn])
    (receipt,) = await town.send([call], gas=16_000_000)
    return told(receipt), await town.now()


async def test_report_states__given_random_reports__are_judged_as_the_domain_does(
    tmp_path: Path, rng: random.Random
) -> None:
    async with founded(tmp_path / "chain", homes=3) as town:
        model = Model(town)
        for asset, home in ((1, 0), (2, 0), (3, 1)):
            await register(town, town.homes[home], asset)
            await model.added(asset, town.homes[home])
        ends = town.clock.slot_at(await town.now()) + 194
        reasons: set[bytes] = set()
        for batch in range(BATCHES):
            if batch == BATCHES - 4:
                await end_meter(town, town.homes[1], ends)
                await town.chain.mine(town.clock.start(ends) - 25)
            await model.read()
            drawn = [draw(rng, town, await town.now()) for _ in range(REPORTS)]
            found, now = await report_all(town, drawn)
            assert found == [(r.asset, r.state, r.since, model.take(r, signer, now)) for r, signer in drawn]
            reasons |= {reason for *_, reason in found}
            await town.chain.mine(now + rng.randrange(1, 40))
        assert len(reasons) >= 7, "most reasons, and none, came up"
        for asset, status in model.statuses.items():
            shown = await town.contracts.meters.asset_of(asset)
            assert shown is not None
            assert (shown.meter, shown.state, shown.state_since) == (status.meter, status.state, status.since)
            assert (shown.registered_at, shown.feeder, shown.nameplate_w) == (status.registered_at, 12, 5_000)
        assert any(status.state > AssetState.COMMISSIONED for status in model.statuses.values())
