"""Install receipts: signed by the device, judged by the contract before they are promised, told to it many at once."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.chain.contracts import SignedReceipt
from gridweave.chain.errors import NodeError
from gridweave.chain.hexes import to_hex
from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import to_compact
from gridweave.outbox.kinds import Kind
from gridweave.services.device_rows import key_of
from gridweave.services.errors import Refused, ServiceError, TooManyUnderWay
from gridweave.services.intake import MOST_TIME, Answer, Candidate, Limit, admit
from gridweave.services.world import World
from gridweave.store.reading import Row
from gridweave.store.records import NewItem

__all__ = ["submit_receipts"]

_REGISTRY = "FirmwareRegistry"
_JUDGED_AT_ONCE = 25
"""Of P-256 keys on a chain without the precompile they take eight million gas."""
_MOST_OF_DEVICE = 4


async def submit_receipts(world: World, receipts: Sequence[SignedReceipt]) -> list[Answer]:
    """Acknowledges receipts, or says per receipt why not. Raises StoreUnavailable, NodeUnavailable.

    A signature is 64 bytes (65 from a secp256k1 key that says v). Receipts are judged in the order given: where one
    would pause its release, those behind it are refused.
    """
    names = sorted({entry.receipt.device for entry in receipts})
    devices = await world.reads.devices.devices(names)
    found = [_examined(world, devices, entry) for entry in receipts]
    sound = [entry for entry in found if isinstance(entry, SignedReceipt)]
    reasons = iter(await _reasons(world, sound))
    candidates = [
        _candidate(world, entry, given, devices, next(reasons) if isinstance(entry, SignedReceipt) else "")
        for entry, given in zip(found, receipts, strict=True)
    ]
    return await admit(world, candidates)


def _examined(world: World, devices: dict[str, Row], entry: SignedReceipt) -> SignedReceipt | ServiceError:
    """The receipt as the contract takes it, its device's key behind a P-256 signature; or why not."""
    device, signature = entry.receipt.device, entry.signature
    row = devices.get(device)
    if row is None:
        return Refused("UnknownDevice", {"device": device})
    key = key_of(row)
    if len(signature) == 65 and key.kind is KeyKind.SECP256K1:
        try:
            signature = to_compact(signature)
        except SignatureMalformed:
            signature = b""
    if len(signature) != 64:
        return Refused("SignatureMalformed")
    if not key.verifies(digest(world.domain(_REGISTRY), entry.receipt), signature):
        return Refused("DeviceSignatureInvalid", {"device": device})
    # A P-256 key may not be kept on chain, and bringing it costs less than reading it there.
    brought = signature + key.x + key.y if key.kind is KeyKind.P256 else signature
    return SignedReceipt(entry.receipt, brought)


async def _reasons(world: World, receipts: Sequence[SignedReceipt]) -> list[str]:
    """What the contract would refuse each for, by name; "" for none. Raises NodeUnavailable."""
    reasons: list[str] = []
    for start in range(0, len(receipts), _JUDGED_AT_ONCE):
        some = receipts[start : start + _JUDGED_AT_ONCE]
        try:
            reasons += await world.contracts.firmware.refusals_of(some)
        except NodeError as error:
            if error.is_of_the_moment:
                raise
            reasons += [""] * len(some)  # a node that lets reads burn too little gas: the transaction will tell
    return reasons


def _candidate(
    world: World,
    found: SignedReceipt | ServiceError,
    given: SignedReceipt,
    devices: dict[str, Row],
    reason: str,
) -> Candidate:
    hash_, receipt = digest(world.domain(_REGISTRY), given.receipt), given.receipt
    if isinstance(found, ServiceError):
        return Candidate(to_hex(hash_), error=found, signature=given.signature)
    if reason:
        said = {"device": receipt.device, "model": receipt.model, "counter": receipt.counter}
        return Candidate(to_hex(hash_), error=Refused(reason, said), signature=given.signature)
    lane = f"receipts:{receipt.device}"
    item = NewItem(
        id=to_hex(hash_),
        kind=Kind.RECEIPT,
        nonce_key=None,
        lanes=(f"device:{receipt.device}", lane),
        payload={
            "device": receipt.device,
            "model": receipt.model,
            "counter": receipt.counter,
            "failureCode": receipt.failure_code,
            "time": receipt.time,
            "signature": to_hex(found.signature),
        },
        commit_before=MOST_TIME,
        account=devices[receipt.device]["owner"],
    )
    limit = Limit(lane, _MOST_OF_DEVICE, TooManyUnderWay(receipt.device, _MOST_OF_DEVICE))
    return Candidate(to_hex(hash_), item=world.acknowledge(item, found.signature[:64]), limits=(limit,))
