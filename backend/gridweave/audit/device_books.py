"""What the DeviceRegistry must answer and hold once the replay has come to the audited block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gridweave.audit.devices import Devices
from gridweave.audit.differences import Subject
from gridweave.audit.storage import Claim, Either, WordClaim
from gridweave.chain.device_words import Word, words_of_batch, words_of_device, words_of_origins
from gridweave.chain.hexes import to_hex
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_registry import DeviceBook
from gridweave.domain.devices import Device

__all__ = ["claims_of_devices", "words_of_devices"]

_NONE = bytes(32)
_DEVICE = (
    *("owner", "maker", "model", "status", "keyKind", "keyVersion", "nonce", "enrolledAt", "statusSince"),
    *("compromisedSince", "key", "x", "y"),
)


def claims_of_devices(devices: Devices) -> Iterator[Claim]:
    """What anybody who asks the registry is told of each device and batch."""
    book = devices.book
    for name, device in book.devices.items():
        subject = Subject(device=name)
        yield Claim("DeviceRegistry", "deviceOf", (name,), _DEVICE, _shown(book, device), subject)
        yield Claim("DeviceRegistry", "identityOwner", (name,), ("owner",), (book.owner_of(name),), subject)
        yield Claim("DeviceRegistry", "changed", (name,), ("block",), (device.changed,), subject)
        yield Claim("DeviceRegistry", "nonce", (name,), ("nonce",), (device.nonce,), subject)
        proposal, offer = book.proposal_of(name), device.offer
        proposed = (proposal.key, proposal.key_kind, proposal.ready_at) if proposal else (ZERO_ADDRESS, 0, 0)
        yield Claim("DeviceRegistry", "proposalOf", (name,), ("key", "keyKind", "readyAt"), proposed, subject)
        offered = (offer.to, offer.until) if offer else (ZERO_ADDRESS, 0)
        yield Claim("DeviceRegistry", "offerOf", (name,), ("to", "until"), offered, subject)
        for block in _edges(device):
            said = (book.is_trusted_at(name, block),)
            yield Claim("DeviceRegistry", "isTrustedAt", (name, block), ("trusted",), said, subject)
        yield _claim_of_standings(book, name, device)
    for root, batch in book.batches.items():
        origin = book.origin_of(batch)
        said_of = (origin.maker, origin.model, batch.is_closed)
        names = ("maker", "model", "isClosed")
        yield Claim("DeviceRegistry", "batchOf", (root,), names, said_of, Subject(batch=to_hex(root)))


def _shown(book: DeviceBook, device: Device) -> tuple[Any, ...]:
    """As deviceOf. A key that is not known to be kept may have been by another contract's call, which nothing shows."""
    origin, key = book.origin_of(device), device.key
    whose = device.owner, origin.maker, origin.model, device.status, key.kind, device.key_version, device.nonce
    since = device.enrolled_at, device.status_since, device.compromised_since
    kept = (key.x, key.y) if device.is_kept else (Either((_NONE, key.x)), Either((_NONE, key.y)))
    return *whose, *since, key.name, *kept


def _edges(device: Device) -> list[int]:
    """Blocks on both sides of where doubt begins or ends; of a device that never was in doubt its first."""
    edges = {edge for span in device.doubts for edge in span} | {device.compromised_since} - {0}
    return sorted({max(edge - back, 0) for edge in edges for back in (0, 1)}) or [0]


def _claim_of_standings(book: DeviceBook, name: str, device: Device) -> Claim:
    """How the device stood when, as told by why nobody's signature of nothing would be taken."""
    times = sorted({max(since - back, 0) for since, _ in device.standings for back in (0, 1)})
    reasons = (book.judge(name, time, _NONE, _NONE * 2) for time in times)
    said = tuple(reason.selector() if reason else bytes(4) for reason in reasons)
    checks = [(name, time, _NONE, _NONE, _NONE) for time in times]
    names = tuple(f"at {time}" for time in times)
    return Claim("DeviceRegistry", "areAuthentic", (checks,), names, said, Subject(device=name))


def words_of_devices(devices: Devices) -> Iterator[WordClaim]:
    """Every word that the registry keeps of devices, batches and origins."""
    for name, device in devices.book.devices.items():
        for word in words_of_device(name, device):
            yield _claim(word, Subject(device=name), _also_kept(word, devices.keys[name]))
    for root, batch in devices.book.batches.items():
        yield from (_claim(word, Subject(batch=to_hex(root))) for word in words_of_batch(root, batch))
    yield from (_claim(word, Subject()) for word in words_of_origins(devices.book))


def _claim(word: Word, subject: Subject, also: Iterable[bytes] = ()) -> WordClaim:
    named = replace(subject, field=f"word.{word.field}")
    return WordClaim("DeviceRegistry", word.slot, (word.word, *also), named)


def _also_kept(word: Word, keys: Sequence[DevicePublicKey]) -> tuple[bytes, ...]:
    """What else may be kept: another contract may have kept any key in its time, which nothing shows."""
    if word.field == "kept.x":
        return tuple(key.x for key in keys)
    return tuple(key.y for key in keys) if word.field == "kept.y" else ()
