"""A fifth chapter of the street's day: streams of telemetry, their batches, epochs, a resale, grants and refusals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from gridweave.chain import Call
from gridweave.chain.contracts.telemetry_anchor import SignedBatch
from gridweave.chain.events import BatchAnchored, decode_logs
from gridweave.domain.acts import AssetKind, AssetRegistration, AssetState, KeyKind
from gridweave.domain.anchors import Batch, StreamMode, Tip, stream_id
from gridweave.domain.eip712 import digest
from gridweave.domain.hashing import keccak
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.merkle import MerkleTree
from gridweave.domain.telemetry.readings import Reading, ReadingRun
from gridweave.domain.telemetry.salts import SaltedRun

from .assets import said as said_of_asset
from .firmware import maintain
from .lives import accepting, claiming, in_one, keeping, nonce_of, noting, offering, registering
from .lives import batch_of as makers_batch
from .street import DeviceKey, Home, Party, Street

KEYS = tuple(
    DeviceKey.of(f"measuring {number}", kind)
    for number, kind in enumerate((KeyKind.SECP256K1, KeyKind.P256, KeyKind.SECP256K1, KeyKind.P256, KeyKind.P256))
)
SCHEMA = sha256(b"a home's power and voltage").digest()


@dataclass
class Stream:
    """A stream of a home's device, as its gateway keeps it."""

    home: Home
    mode: StreamMode
    tip: Tip

    @property
    def id(self) -> bytes:
        return stream_id(self.home.device, self.mode, SCHEMA)


def batch_of(street: Street, stream: Stream, tip: Tip, readings: int) -> tuple[Batch, bytes]:
    """The batch that follows a tip: salted readings up to now under one root, and what was sealed of them."""
    first, at = tip.span.next_index, max(tip.span.last_ms, street.time * 1_000 - 500)
    run = ReadingRun.of(Reading(first + n, at, 3, (2_300 + n, 40)) for n in range(readings))
    leaves = list(SaltedRun(run, sha256(first.to_bytes(8, "big")).digest()).leaves)
    sealed = b"".join(sha256(leaf).digest() for leaf in leaves)
    said = first, readings, at, at, tip.span.epoch, tip.head, MerkleTree.of(leaves).root, sha256(sealed).digest()
    return Batch(stream.id, *said), sealed if stream.mode is StreamMode.FULL else b""


def signed(street: Street, stream: Stream, batch: Batch, tip: Tip | None = None, *, bare: bool = False) -> SignedBatch:
    """As the home's device signs it now; its key goes along unless `bare`."""
    key = stream.home.key
    signature = key.sign(digest(street.domain("TelemetryAnchor"), batch))
    return SignedBatch(batch, tip or stream.tip, signature if bare else signature + b"".join(key.point))


def opening(street: Street, home: Home, mode: StreamMode) -> Call:
    said = OpenStream(home.device, SCHEMA, mode, street.nonce(), 2**40 - 1)
    act = street.act("TelemetryAnchor", said, home.party.secret, home.party.address)
    return street.contracts.anchors.open(home.device, SCHEMA, mode, act)


async def opened(street: Street, home: Home, mode: StreamMode) -> Stream:
    await street.send(opening(street, home, mode))
    return Stream(home, mode, Tip.start(await nonce_of(street, home)))


def beginning(street: Street, stream: Stream, by: Party, epoch: int) -> Call:
    said = NewEpoch(stream.id, epoch, street.nonce(), 2**40 - 1)
    act = street.act("TelemetryAnchor", said, by.secret, by.address)
    return street.contracts.anchors.new_epoch(stream.id, epoch, stream.tip, act)


def granting(street: Street, stream: Stream, to: str, sealed: bytes) -> Call:
    epoch, windows = stream.tip.span.epoch, (1_977_780, 1_977_790)
    said = GrantAccess(stream.id, to, epoch, *windows, keccak(sealed), street.nonce(), 2**40 - 1)
    act = street.act("TelemetryAnchor", said, stream.home.party.secret, stream.home.party.address)
    return street.contracts.anchors.grant(stream.id, to, epoch, windows, sealed, act)


async def anchor(street: Street, stream: Stream, readings: int, *, bare: bool = False) -> int:
    """One batch by itself; the block in which it is."""
    batch, body = batch_of(street, stream, stream.tip, readings)
    anchors, sent = street.contracts.anchors, signed(street, stream, batch, bare=bare)
    call = anchors.anchor_with_body(sent, body) if body else anchors.anchor(sent)
    receipt = await street.send(call)
    stream.tip = stream.tip.after(batch, receipt.block_number, street.time - 1, await nonce_of(street, stream.home))
    return receipt.block_number


async def anchor_many(street: Street, *rows: tuple[Stream, int]) -> None:
    """In one transaction, each of the streams so many batches one after the other."""
    sent: list[tuple[SignedBatch, bytes]] = []
    block, at = await street.node.block_number() + 1, street.time
    for stream, count in rows:
        nonce = await nonce_of(street, stream.home)
        for _ in range(count):
            batch, body = batch_of(street, stream, stream.tip, 3)
            sent.append((signed(street, stream, batch), body))
            stream.tip = stream.tip.after(batch, block, at, nonce)
    receipt = await street.send(street.contracts.anchors.anchor_all(sent))
    assert (receipt.block_number, street.time - 1) == (block, at)
    assert sum(isinstance(event, BatchAnchored) for event in decode_logs(receipt.logs)) == len(sent)


async def settle_in(street: Street) -> list[Home]:
    """Homes whose devices claim themselves from a batch of their maker, with the keys above."""
    batch = makers_batch(KEYS)
    homes = [Home(Party.of(f"measured home {number}"), key) for number, key in enumerate(KEYS)]
    await street.send(registering(street, batch))
    await in_one(street, *(claiming(street, batch, home.key, home.party.address) for home in homes))
    return homes


async def measure(street: Street) -> None:
    """What later homes' devices measure and run.

    home    0 (doubted in the end)   1 (P-256)    2 (resold)   3, 4
    stream  Full                     Full         Hash
    """
    doubted, one, two, *others = street.measured = await settle_in(street)
    anchors = street.contracts.anchors
    power, volts = await opened(street, one, StreamMode.FULL), await opened(street, two, StreamMode.HASH)
    street.streams = [power, volts]
    await anchor(street, power, 4)
    await anchor(street, volts, 2)
    await street.send(keeping(street, one))
    await anchor(street, power, 1, bare=True)
    # more than a page, in transactions that hold several streams
    await anchor_many(street, (power, 3), (volts, 35))

    # refused, each with its reason: a gap, an overlap, time that runs back, an epoch to come, another's signature, a
    # body that is not what was hashed, a stale tip, a stream that there is not, no reading at all, from the future
    batch, body = batch_of(street, power, power.tip, 3)
    other, nothing = batch_of(street, volts, volts.tip, 3)
    spoilt = [
        replace(batch, first_index=batch.first_index + 1),
        replace(batch, first_index=batch.first_index - 1),
        replace(batch, first_ms=batch.first_ms - 10_000_000),
        replace(batch, epoch=2),
        replace(batch, epoch=0),
        replace(batch, count=0),
        replace(batch, last_ms=batch.last_ms + 3_600_000),
        replace(batch, stream=power.id[:-1] + bytes([power.id[-1] ^ 1])),
    ]
    stale = Tip.start(0)
    await street.send(
        anchors.anchor_all(
            [
                *((signed(street, power, each), body) for each in spoilt),
                (replace(signed(street, power, batch), signature=signed(street, volts, other).signature), body),
                (signed(street, power, batch), body + b"!"),
                (signed(street, power, batch), b""),
                (signed(street, volts, other), b"unwanted"),
                (signed(street, volts, replace(other, previous_head=stale.head), stale), nothing),
            ]
        )
    )

    # the owner shares, and takes back by another epoch
    await street.send(granting(street, power, street.utility.address, b"sealed for the utility" * 40))
    await street.send(beginning(street, power, one.party, 2))
    power.tip = power.tip.rekeyed(2, await nonce_of(street, one))
    await anchor(street, power, 5)
    await street.send(granting(street, power, street.maker.address, b"sealed for the maker" * 40))

    # a resale: what the device says until its new owner has begun an epoch is refused
    buyer = Party.of("buyer")
    await street.send(offering(street, two, buyer.address))
    await street.send(await accepting(street, two, buyer))
    batch, _ = batch_of(street, volts, volts.tip, 2)
    await street.send(anchors.anchor_all([(signed(street, volts, batch), b"")]))
    two.party = buyer
    await street.send(beginning(street, volts, buyer, 2))
    volts.tip = volts.tip.rekeyed(2, await nonce_of(street, two))
    await anchor(street, volts, 2, bare=True)

    # another contract may bring what a device has signed
    batch, body = batch_of(street, power, power.tip, 2)
    call = anchors.anchor_with_body(signed(street, power, batch), body)
    receipt = await street.send(street.contracts.authority.call("execute", anchors.address, call.data), street.admin)
    power.tip = power.tip.after(batch, receipt.block_number, street.time - 1, await nonce_of(street, one))
    await street.send(
        street.contracts.authority.call(
            "execute", anchors.address, granting(street, power, street.utility.address, b"again" * 20).data
        ),
        street.admin,
    )

    await maintain(street, [home.key for home in (one, two, *others)])
    await doubt(street, doubted)


async def doubt(street: Street, home: Home) -> None:
    """What a device said by a key that turns out to have been another's from some block on."""
    stream = await opened(street, home, StreamMode.FULL)
    street.streams.append(stream)
    await anchor(street, stream, 2)
    await street.register(home)
    asset = AssetRegistration(home.meter, AssetKind.BATTERY, 5_000, 10_000, 1, street.nonce(), 2**40 - 1)
    act = street.act("DERRegistry", asset, street.operator.secret, street.operator.address)
    meters = street.contracts.meters
    await street.send(meters.register_asset(asset, act))
    number = await meters.asset_count()
    await street.send(
        meters.report_state(*said_of_asset(street, home, number, AssetState.COMMISSIONED, street.time - 1))
    )
    block = await anchor(street, stream, 3)
    await street.send(meters.report_state(*said_of_asset(street, home, number, AssetState.ONLINE, street.time)))
    await street.send(street.contracts.firmware.tell(street.works.receipt(home.key, 4)))
    await street.send(noting(street, home, block, home.party))
    refused = batch_of(street, stream, stream.tip, 2)
    await street.send(street.contracts.anchors.anchor_all([(signed(street, stream, refused[0]), refused[1])]))
