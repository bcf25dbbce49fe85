"""The FirmwareRegistry's storage word by word: which slot must hold what, by the compiler's layout."""

from __future__ import annotations

from collections.abc import Iterator

from gridweave.chain.device_words import Word
from gridweave.chain.layout import element_slot, entry_slot, member_slots, variable_slot
from gridweave.domain.firmware.roll import ModelRecord
from gridweave.domain.firmware.rollout import Installation, Rollout

__all__ = ["word_of_installation", "words_of_model"]

_CONTRACT = "FirmwareRegistry"
_BLOCK_BITS = 32
"""Of a checkpoint: the block lies below the floor."""


def words_of_model(number: int, model: ModelRecord) -> Iterator[Word]:
    """Its line, its keys, its floors, and of each release the commitment and, zero until it begins, the rollout."""
    base = entry_slot(variable_slot(_CONTRACT, "_models"), number)
    members = member_slots(_CONTRACT, "Model")
    yield _word(base + members["line"], "line", model.line.word)
    yield Word(base + members["keys"], "keys", model.keys)
    floors = base + members["floors"]
    yield _word(floors, "floors.length", len(model.floors))
    for index, (block, floor) in enumerate(model.floors):
        yield _word(element_slot(floors, index), f"floors {index}", floor << _BLOCK_BITS | block)
    for counter, commitment in model.releases.items():
        yield Word(entry_slot(base + members["releases"], counter), f"release {counter}", commitment)
        rollout = model.rollouts.get(counter, Rollout())
        yield _word(entry_slot(base + members["rollouts"], counter), f"rollout {counter}", rollout.word)


def word_of_installation(device: str, installation: Installation) -> Word:
    """What a device told last and runs."""
    return _word(entry_slot(variable_slot(_CONTRACT, "_installations"), device), "installation", installation.word)


def _word(slot: int, field: str, number: int) -> Word:
    return Word(slot, field, number.to_bytes(32, "big"))
