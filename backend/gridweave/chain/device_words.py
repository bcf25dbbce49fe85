"""The DeviceRegistry's storage word by word: which slot must hold what, by the compiler's layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gridweave.chain.layout import element_slot, entry_slot, member_slots, variable_slot
from gridweave.domain.device_registry import DeviceBook
from gridweave.domain.devices import Device, MakersBatch, pack_span

__all__ = ["Word", "words_of_batch", "words_of_device", "words_of_origins"]

_NONE = bytes(32)


@dataclass(frozen=True)
class Word:
    """What `slot` holds, 32 bytes, and what it is."""

    slot: int
    field: str
    word: bytes


def words_of_device(name: str, device: Device) -> Iterator[Word]:
    """Its record, and the arrays that hang on it."""
    base, members = entry_slot(_slot("_records"), name), member_slots("DeviceRegistry", "Record")
    proposal, offer = device.proposal, device.offer
    yield Word(base + members["standing"], "standing", device.standing_word)
    yield Word(base + members["holding"], "holding", device.holding_word)
    yield Word(base + members["kept"], "kept.x", device.kept.x if device.kept else _NONE)
    yield Word(base + members["kept"] + 1, "kept.y", device.kept.y if device.kept else _NONE)
    yield Word(base + members["proposal"], "proposal", proposal.pack() if proposal else _NONE)
    yield Word(base + members["offer"], "offer", offer.pack() if offer else _NONE)
    yield from _array(base + members["earlier"], "earlier", device.checkpoints)
    yield from _array(base + members["doubts"], "doubts", tuple(map(pack_span, device.doubts)))


def words_of_batch(root: bytes, batch: MakersBatch) -> Iterator[Word]:
    """A batch of a maker's."""
    yield Word(entry_slot(_slot("_batches"), root), "batch", batch.pack())


def words_of_origins(book: DeviceBook) -> Iterator[Word]:
    """Every origin, their count, that there is no further one, and which ones devices endorsed one by one share."""
    count, origins = len(book.origins), _slot("_origins")
    yield Word(_slot("_originCount"), "originCount", count.to_bytes(32, "big"))
    for number, origin in enumerate(book.origins, start=1):
        yield Word(entry_slot(origins, number), f"origin {number}", origin.pack())
    yield Word(entry_slot(origins, count + 1), f"origin {count + 1}", _NONE)
    for (maker, model), number in book.origins_of_makers.items():
        slot = entry_slot(_slot("_originsOfMakers"), maker, model)
        yield Word(slot, f"origin of {maker} and model {model}", number.to_bytes(32, "big"))


def _array(slot: int, field: str, words: tuple[bytes, ...]) -> Iterator[Word]:
    """Its length and its words."""
    yield Word(slot, f"{field}.length", len(words).to_bytes(32, "big"))
    for index, word in enumerate(words):
        yield Word(element_slot(slot, index), f"{field} {index}", word)


@cache
def _slot(label: str) -> int:
    return variable_slot("DeviceRegistry", label)
