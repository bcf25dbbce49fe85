"""Where the FirmwareRegistry keeps what a device proves: its storage layout, which is frozen with its bytecode.

A test compares this with the compiler's layout.
"""

from __future__ import annotations

from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.rollout import Line, Rollout
from gridweave.domain.hashing import keccak

__all__ = ["MODELS_SLOT", "line_of", "rollout_of", "slots_of"]

MODELS_SLOT = 4
"""Of the mapping of models."""

_KEYS, _RELEASES, _ROLLOUTS = 1, 3, 4
_COUNTER_MASK = (1 << 32) - 1


def slots_of(model: int, counter: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Of the model's line, its key set's hash, the release's commitment and its rollout; 32 bytes each."""
    base = _entry(model, MODELS_SLOT)
    return (
        base.to_bytes(32, "big"),
        (base + _KEYS).to_bytes(32, "big"),
        _entry(counter, base + _RELEASES).to_bytes(32, "big"),
        _entry(counter, base + _ROLLOUTS).to_bytes(32, "big"),
    )


def line_of(word: int) -> Line | None:
    """The model's line as stored, None if the model is not open."""
    maker = (word & ((1 << 160) - 1)).to_bytes(20, "big")
    latest, full, floor = (word >> shift & _COUNTER_MASK for shift in (160, 192, 224))
    return Line(checksum_address(maker), latest, full, floor) if any(maker) else None


def rollout_of(word: int) -> Rollout | None:
    """The rollout as stored, None for a word that the registry never writes."""
    try:
        return Rollout.from_word(word)
    except ValueError:
        return None


def _entry(key: int, slot: int) -> int:
    return int.from_bytes(keccak(key.to_bytes(32, "big") + slot.to_bytes(32, "big")), "big")
