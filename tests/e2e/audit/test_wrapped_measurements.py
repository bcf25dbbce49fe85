"""Telemetry and firmware of which another contract brought everything, and release keys that are wallets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gridweave.audit import Checked, Kind, audit
from gridweave.chain import Call, Role
from gridweave.chain.events import decode_log
from gridweave.domain.acts import KeyKind
from gridweave.domain.anchors import StreamMode, Tip
from gridweave.domain.firmware.keys import KeySet
from gridweave.localnet import Clock, localnet

from .conftest import GENESIS
from .firmware import KEYS, MODEL, Works
from .lives import accepting, batch_of, claiming, offering, registering
from .measurements import Stream, beginning, granting, opening, signed
from .measurements import batch_of as draft
from .street import DeviceKey, Home, Party, Street, open_street
from .test_audit import altered, audit_with, on

pytestmark = pytest.mark.chain

DEVICES = [DeviceKey.of(f"wrapped {number}", kind) for number, kind in enumerate((KeyKind.P256, KeyKind.SECP256K1))]


@dataclass(frozen=True)
class Wallet:
    """Signs with its owner's key, under its own address."""

    name: str
    secret: bytes
    address: str


class Relay:
    """Sends calls through the Authority, several in one transaction."""

    def __init__(self, street: Street) -> None:
        self.street = street

    async def __call__(self, *calls: Call) -> int:
        authority = self.street.contracts.authority
        wrapped = [authority.call("execute", call.to, call.data).data for call in calls]
        return (await self.street.send(authority.call("multicall", wrapped), self.street.admin)).block_number


async def settled(street: Street) -> list[Home]:
    batch = batch_of(DEVICES)
    homes = [Home(Party.of(f"wrapped home {number}"), key) for number, key in enumerate(DEVICES)]
    await street.send(registering(street, batch, MODEL))
    for home in homes:
        await street.send(claiming(street, batch, home.key, home.party.address))
    return homes


async def test_audit__when_another_contract_brings_all_telemetry__is_clean_and_finds_lies(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        relay, anchors = Relay(street), street.contracts.anchors
        one, _ = await settled(street)
        stream = Stream(one, StreamMode.FULL, Tip.start(0))
        block, at, calls = await street.node.block_number() + 1, street.time, [opening(street, one, StreamMode.FULL)]
        for readings in (3, 2):
            batch, body = draft(street, stream, stream.tip, readings)
            calls.append(anchors.anchor_with_body(signed(street, stream, batch), body))
            stream.tip = stream.tip.after(batch, block, at, 0)
        spoilt, body = draft(street, stream, Tip.start(0), 3)
        calls.append(anchors.anchor_all([(signed(street, stream, spoilt), body)]))  # refused, which leaves no batch
        assert await relay(*calls, granting(street, stream, street.utility.address, b"sealed" * 20)) == block

        buyer = Party.of("wrapped buyer")
        await street.send(offering(street, one, buyer.address))
        await street.send(await accepting(street, one, buyer))
        one.party = buyer
        await relay(beginning(street, stream, buyer, 5))
        stream.tip = stream.tip.rekeyed(5, 1)
        batch, body = draft(street, stream, stream.tip, 4)
        await relay(anchors.anchor_with_body(signed(street, stream, batch), body))

        report = await audit(street.node, street.book)
        assert [found.sentence for found in report.differences] == []
        assert report.counts[Checked.BATCH_SIGNATURES] == 0
        assert (report.counts[Checked.TELEMETRY_BATCHES], report.counts[Checked.EPOCHS]) == (3, 2)
        assert (await audit(street.node, street.book, since=await street.node.block_number())).clean

        logs = await street.node.logs(0, await street.node.block_number(), [anchors.address])
        said = {type(decode_log(log)).__name__: log for log in logs}
        owner = await audit_with(street, on(said["EpochBegun"], lambda e: [altered(e, "address", "topic", 2)]))
        assert {found.found.partition("(")[0] for found in owner.differences} >= {"SignerNotAllowed"}
        mode = await audit_with(street, on(said["StreamOpened"], lambda e: [altered(e, "uint8", "data", 1)]))
        assert Kind.UNEXPECTED_EVENT in mode.kinds


async def test_audit__when_another_contract_brings_all_firmware__is_clean_and_finds_lies(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        relay, works = Relay(street), Works(street)
        registry = works.registry
        one, two = await settled(street)
        await street.send(street.contracts.authority.grant_role(Role.MAKER, street.admin.address), street.admin)
        first, second = works.release(1), works.release(2, floor=2, least=1)
        await relay(works.opening(), works.releasing(first), works.beginning(first), works.raising(1, 9_999))
        await relay(works.pausing(1), works.resuming(1), works.raising(1, 10_000))
        told = [works.receipt(one.key, 1), works.receipt(one.key, 1), works.receipt(two.key, 1, by=one.key)]
        await relay(registry.tell_many(told))
        await relay(works.changing(KEYS[2:5], 1))
        await relay(works.releasing(second), works.beginning(second), works.raising(2, 9_999))
        await relay(registry.tell(works.receipt(two.key, 2, 4)))  # the first fails: it stops itself
        works.steps[2] += 1
        await relay(works.resuming(2), works.raising(2, 10_000), works.revoking(1, 1))

        report = await audit(street.node, street.book)
        assert [found.sentence for found in report.differences] == []
        assert report.counts[Checked.APPROVALS] == report.counts[Checked.RECEIPT_SIGNATURES] == 0
        assert (report.counts[Checked.RECEIPTS], report.counts[Checked.SELF_PAUSES]) == (2, 1)
        assert (report.counts[Checked.ROLLOUT_STEPS], report.counts[Checked.FLOORS]) == (8, 1)

        logs = await street.node.logs(0, await street.node.block_number(), [registry.address])
        said = {type(decode_log(log)).__name__: log for log in logs}
        share = await audit_with(street, on(said["RolloutStepped"], lambda e: [altered(e, "uint16", "data", 1)]))
        assert {found.found.partition("(")[0] for found in share.differences} >= {"ShareNotRaised"}
        floor = await audit_with(street, on(said["FloorRaised"], lambda e: [altered(e, "uint32", "data", 0)]))
        assert [found.subject.field for found in floor.differences] == ["floor"]
        keys = await audit_with(street, on(said["ReleaseKeysChanged"], lambda e: [altered(e, "address[]", "data", 1)]))
        assert not keys.clean
        never = await audit_with(street, on(said["FirmwareReleased"], lambda e: []))
        assert {found.found.partition("(")[0] for found in never.differences} >= {"UnknownRelease"}


async def test_audit__given_a_wallet_among_release_keys__leaves_its_word_to_the_contract(tmp_path: Path) -> None:
    async with localnet(tmp_path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        owner = Home(Party.of("wallet"), DeviceKey.of("none", KeyKind.SECP256K1))
        wallet = Wallet("wallet", owner.party.secret, await street.make_wallet(owner))
        works = Works(street)
        works.signers = sorted([*KEYS[:2], wallet], key=lambda party: int(party.address, 16))
        works.keys = KeySet(1, 3, tuple(party.address for party in works.signers))
        await street.send(works.opening(threshold=3))
        await street.send(works.releasing(works.release(1)))
        report = await audit(street.node, street.book)
        assert [found.sentence for found in report.differences] == []
        assert report.counts[Checked.APPROVALS] == 4
        assert report.counts[Checked.BY_CONTRACT_ONLY] >= 2
