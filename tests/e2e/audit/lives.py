"""A fourth chapter of the street's day: devices that claim themselves, change keys and owners, are doubted and end."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.chain import Call, Receipt, Signer
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_acts import (
    BatchClosing,
    BatchRegistration,
    Claim,
    CompromiseNotice,
    Handover,
    KeyAdoption,
    KeyProposal,
    KeyRotation,
    RotationVeto,
    TransferAcceptance,
    TransferOffer,
)
from gridweave.domain.device_registry import ROTATION_DELAY
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.maker_tree import Batch

from .street import EUR, FAR, SLOT, DeviceKey, Home, Party, Street

MODEL = 9
BATCH_KEYS = tuple(
    DeviceKey.of(f"batch {number}", kind)
    for number, kind in enumerate((KeyKind.SECP256K1, KeyKind.P256, KeyKind.SECP256K1, KeyKind.P256))
)


def batch_of(keys: Sequence[DeviceKey]) -> Batch:
    return Batch(tuple((key.device, key.kind) for key in keys))


def signed(street: Street, key: DeviceKey, message: Message) -> bytes:
    """A device's own signature."""
    return key.sign(digest(street.domain("DeviceRegistry"), message))


# calls, each with its signatures


def registering(street: Street, batch: Batch, model: int = MODEL) -> Call:
    said = BatchRegistration(batch.root, model, len(batch.devices), street.nonce(), FAR)
    act = street.act("DeviceRegistry", said, street.maker.secret, street.maker.address)
    return street.contracts.devices.register_batch(said.root, said.model, said.size, act)


def closing(street: Street, batch: Batch, by: Signer) -> Call:
    act = street.act("DeviceRegistry", BatchClosing(batch.root, street.nonce(), FAR), by.secret, by.address)
    return street.contracts.devices.close_batch(batch.root, act)


def claiming(street: Street, batch: Batch, key: DeviceKey, owner: str) -> Call:
    said = Claim(key.device, batch.root, owner, FAR)
    return street.contracts.devices.claim(said, key.public, batch.proof(key.device), signed(street, key, said))


async def rotating(street: Street, home: Home, following: DeviceKey) -> Call:
    said = KeyRotation(home.device, following.kind, *following.point, await nonce_of(street, home), FAR)
    signature = signed(street, home.key, said)
    return street.contracts.devices.rotate(home.device, home.key.public, following.public, FAR, signature)


def proposing(street: Street, home: Home, following: DeviceKey) -> Call:
    said = KeyProposal(home.device, following.kind, *following.point, street.nonce(), FAR)
    act = street.act("DeviceRegistry", said, home.party.secret, home.party.address)
    return street.contracts.devices.propose_rotation(home.device, following.public, act)


async def vetoing(street: Street, home: Home, proposed: DeviceKey) -> Call:
    said = RotationVeto(home.device, proposed.device, await nonce_of(street, home), FAR)
    return street.contracts.devices.veto_rotation(home.device, home.key.public, FAR, signed(street, home.key, said))


async def completing(street: Street, home: Home, following: DeviceKey) -> Call:
    said = KeyAdoption(home.device, following.kind, *following.point, await nonce_of(street, home), FAR)
    keys = home.key.public, following.public
    return street.contracts.devices.complete_rotation(home.device, *keys, FAR, signed(street, following, said))


def keeping(street: Street, home: Home) -> Call:
    return street.contracts.devices.keep_key(home.device, home.key.public)


def revoking(street: Street, key: DeviceKey) -> Call:
    """By its sender, who owns the device."""
    return street.contracts.devices.call("revoke", key.device)


def noting(street: Street, home: Home, since: int, by: Signer | Party) -> Call:
    said = CompromiseNotice(home.device, since, street.nonce(), FAR)
    act = street.act("DeviceRegistry", said, by.secret, by.address)
    return street.contracts.devices.note_compromise(home.device, since, home.key.public, act)


def offering(street: Street, home: Home, to: str, until: int = FAR) -> Call:
    said = TransferOffer(home.device, to, until, street.nonce(), FAR)
    act = street.act("DeviceRegistry", said, home.party.secret, home.party.address)
    return street.contracts.devices.offer_transfer(home.device, to, until, act)


async def accepting(street: Street, home: Home, to: Party) -> Call:
    said = TransferAcceptance(home.device, home.party.address, street.nonce(), FAR)
    act = street.act("DeviceRegistry", said, to.secret, to.address)
    handover = Handover(home.device, home.party.address, to.address, await nonce_of(street, home), FAR)
    return street.contracts.devices.accept_transfer(
        home.device, home.key.public, act, signed(street, home.key, handover)
    )


async def nonce_of(street: Street, home: Home) -> int:
    found = await street.contracts.devices.device_of(home.device)
    assert found is not None
    return found.nonce


async def in_one(street: Street, *calls: Call) -> Receipt:
    """Calls of the registry in one transaction to it."""
    devices = street.contracts.devices
    return await street.send(devices.call("multicall", [call.data for call in calls]))


async def live_long(street: Street) -> None:
    """What becomes of the street's devices.

    home   1            2            3                   4                        6
    key    to P-256     to secp      vetoes, then owner's doubted, then owner's   claimed, kept late, doubted at the end
    """
    one, two, three, four = street.homes
    send = street.send

    # from a maker's batches: four claim themselves, two of which are revoked; two batches close
    batch, small, late = batch_of(BATCH_KEYS), batch_of(BATCH_KEYS[:1]), batch_of(BATCH_KEYS[2:])
    for each in (batch, small, late):
        await send(registering(street, each))
    await send(closing(street, small, street.operator))
    await send(closing(street, late, street.maker))
    first, second, third, fourth = BATCH_KEYS
    spare = Home(one.party, first)
    await in_one(
        street,
        claiming(street, batch, third, street.relayer.address),
        claiming(street, batch, first, spare.party.address),
    )
    six = street.sixth = Home(Party.of("home 6"), second)
    await send(claiming(street, batch, six.key, six.party.address))
    await send(revoking(street, third))
    await in_one(street, claiming(street, batch, fourth, street.relayer.address), revoking(street, fourth))

    # keys change on both curves; a P-256 key counts once it is kept
    await send(street.contracts.vault.deposit(six.party.address, 5 * EUR))
    await street.register(six)
    slot, old = street.time // SLOT + 1, one.key
    await send(await rotating(street, one, DeviceKey.of("1 again", KeyKind.P256)))
    one.change_key(DeviceKey.of("1 again", KeyKind.P256))
    await send(keeping(street, one))
    await send(await rotating(street, two, DeviceKey.of("2 again", KeyKind.SECP256K1)))
    two.change_key(DeviceKey.of("2 again", KeyKind.SECP256K1))
    doubtful = await street.settle(
        slot,
        street.reading(one, slot, 300, 0, key=old),
        street.reading(one, slot, 300, 0),
        street.reading(two, slot, 200, 0),
        street.reading(four, slot, 100, 0),
        street.reading(six, slot, 150, 0),
        at=(slot + 1) * SLOT,
    )
    await send(keeping(street, six))
    after = await street.settle(slot, street.reading(six, slot, 150, 0))

    # a key in doubt, two proposals of which one is vetoed, and a device that changes hands
    await send(noting(street, four, doubtful.block_number + 1, four.party))
    await send(noting(street, four, doubtful.block_number, street.operator))
    proposed, adopted = DeviceKey.of("3 never", KeyKind.SECP256K1), DeviceKey.of("3 again", KeyKind.P256)
    await send(proposing(street, three, proposed))
    await send(await vetoing(street, three, proposed))
    await send(proposing(street, three, adopted))
    rescued = DeviceKey.of("4 again", KeyKind.P256)
    await send(proposing(street, four, rescued))
    await send(offering(street, spare, two.party.address))
    await send(await accepting(street, spare, two.party))
    await send(offering(street, one, three.party.address))
    await send(offering(street, one, ZERO_ADDRESS))
    await send(offering(street, two, three.party.address))

    # a week later
    await send(await completing(street, three, adopted), at=street.time + ROTATION_DELAY)
    three.change_key(adopted)
    await in_one(street, keeping(street, three), await completing(street, four, rescued))
    four.change_key(rescued)
    await street.set_status(four, DeviceStatus.ACTIVE, street.operator)
    await send(noting(street, six, after.block_number, street.operator))
    await send(proposing(street, two, proposed))
