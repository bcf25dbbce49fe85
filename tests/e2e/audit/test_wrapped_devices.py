"""What another contract asked of the device registry: no input to read, yet every rule is applied to what is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gridweave.audit import Checked, Kind, audit, walk
from gridweave.chain import Call, Role
from gridweave.chain.events import DeviceCompromised, DIDAttributeChanged, Event, decode_log
from gridweave.chain.types import Log
from gridweave.domain.acts import DeviceStatus, KeyKind, StatusChange
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_registry import ROTATION_DELAY
from gridweave.localnet import Clock, localnet

from .conftest import GENESIS
from .lives import (
    BATCH_KEYS,
    accepting,
    batch_of,
    claiming,
    closing,
    completing,
    keeping,
    noting,
    offering,
    proposing,
    registering,
    rotating,
    vetoing,
)
from .street import EUR, FAR, SLOT, DeviceKey, Home, Party, Street, open_street
from .test_audit import altered, audit_with, on

pytestmark = pytest.mark.chain


def status(street: Street, home: Home, wanted: DeviceStatus) -> Call:
    said = StatusChange(home.device, wanted, street.nonce(), FAR)
    act = street.act("DeviceRegistry", said, street.operator.secret, street.operator.address)
    return street.contracts.devices.set_status(said.device, wanted, act)


@asynccontextmanager
async def relayed_lives(path: Path) -> AsyncIterator[Street]:
    """A street on which the Authority makes every call about devices but the first four enrolments."""
    async with localnet(path / "c", clock=Clock.MANUAL, genesis_time=GENESIS, snapshot_seconds=3_600) as chain:
        street = await open_street(chain)
        authority = street.contracts.authority
        for role in (Role.MAKER, Role.OPERATOR):
            await street.send(authority.grant_role(role, street.admin.address), street.admin)

        async def relay(*calls: Call, at: int | None = None) -> int:
            wrapped = [authority.call("execute", call.to, call.data).data for call in calls]
            return (await street.send(authority.call("multicall", wrapped), street.admin, at=at)).block_number

        one, two, three, four = street.homes
        batch = batch_of(BATCH_KEYS)
        six = street.sixth = Home(Party.of("home 6"), BATCH_KEYS[1])
        spare = Home(one.party, BATCH_KEYS[0])
        owners = {six.key: six.party.address, spare.key: spare.party.address}
        claims = [claiming(street, batch, key, owner) for key, owner in owners.items()]
        await relay(registering(street, batch), *claims, closing(street, batch, street.operator))
        await relay(*(street.enrolling(Home(one.party, DeviceKey.of(f"7 {kind}", kind))) for kind in KeyKind))
        await street.send(street.contracts.vault.deposit(six.party.address, 5 * EUR))
        await street.register(six)

        other = DeviceKey.of("1 again", KeyKind.P256)
        await relay(await rotating(street, one, other))
        one.change_key(other)
        await relay(keeping(street, one))
        slot = street.time // SLOT + 1
        await street.settle(slot, street.reading(six, slot, 10, 0), at=(slot + 1) * SLOT)
        await relay(keeping(street, six))
        readings = [street.reading(home, slot, 100, 0) for home in (one, six, four)]
        block = (await street.settle(slot, *readings)).block_number

        again, rescued = DeviceKey.of("3 again", KeyKind.P256), DeviceKey.of("4 again", KeyKind.SECP256K1)
        await relay(noting(street, four, block, street.operator), noting(street, four, block - 1, four.party))
        await relay(status(street, two, DeviceStatus.SUSPENDED), noting(street, two, block, street.operator))
        await relay(proposing(street, three, again), await vetoing(street, three, again))
        await relay(proposing(street, three, again), proposing(street, four, rescued))
        await relay(offering(street, spare, two.party.address), await accepting(street, spare, two.party))
        await relay(offering(street, one, two.party.address), offering(street, one, ZERO_ADDRESS))
        completed = [await completing(street, three, again), await completing(street, four, rescued)]
        await relay(*completed, status(street, four, DeviceStatus.ACTIVE), at=street.time + ROTATION_DELAY)
        await relay(status(street, six, DeviceStatus.REVOKED))
        yield street


async def said(street: Street, kind: type[Event]) -> list[Log]:
    address = street.book.addresses["DeviceRegistry"]
    logs = await street.node.logs(0, await street.node.block_number(), [address])
    return [log for log in logs if isinstance(decode_log(log), kind)]


async def test_audit__when_another_contract_asks_the_device_registry__is_clean(tmp_path: Path) -> None:
    async with relayed_lives(tmp_path) as street:
        report = await audit(street.node, street.book)
        assert [difference.sentence for difference in report.differences] == []
        assert report.counts[Checked.DEVICE_ACTS] == 0
        assert report.counts[Checked.BY_CONTRACT_ONLY] >= 20
        assert report.counts[Checked.KEY_CHANGES] == 3
        assert {doubted.meter for doubted in report.doubted} == {street.homes[3].meter}
        slot = report.doubted[0].slot
        way = await walk(street.node, street.book, street.sixth.meter, slot)
        assert way.holds
        assert (way.maker.signature, way.maker.proof) == (None, None)

        # a lie about any of it is found, here by what follows from it
        notice = (await said(street, DeviceCompromised))[-1]
        changed = await audit_with(street, on(notice, lambda entry: [altered(entry, "uint32", "data", 0)]))
        assert changed.kinds == {Kind.STORAGE}
        gained = [log for log in await said(street, DIDAttributeChanged) if log.data[64:96] != bytes(32)]
        changed = await audit_with(street, on(gained[-1], lambda entry: [altered(entry, "bytes", "data", 1)]))
        assert not changed.clean
        changed = await audit_with(street, on(gained[-1], lambda entry: []))
        assert not changed.clean
