"""Where a contract keeps its state: storage slots by the compiler's layout."""

from __future__ import annotations

from functools import cache
from typing import Any

from gridweave import artifacts
from gridweave.domain.hashing import keccak

__all__ = ["element_slot", "entry_slot", "member_slots", "variable_slot"]


@cache
def variable_slot(contract: str, label: str) -> int:
    """The slot of a state variable. KeyError for a name that the contract has not."""
    for entry in _layout(contract)["storage"]:
        if entry["label"] == label:
            return int(entry["slot"])
    raise KeyError(f"{contract} has no {label}")


@cache
def member_slots(contract: str, struct: str) -> dict[str, int]:
    """How far each member of a struct lies from its first slot. KeyError for a struct that is not kept."""
    found = _layout(contract)["types"].get(f"t_struct({struct})_storage")
    if found is None:
        raise KeyError(f"{contract} keeps no {struct}")
    return {member["label"]: int(member["slot"]) for member in found["members"]}


def entry_slot(mapping: int, *keys: int | str | bytes) -> int:
    """The slot of a mapping's entry; several keys lead through mappings in mappings. An address is hex text."""
    for key in keys:
        mapping = int.from_bytes(keccak(_word(key) + mapping.to_bytes(32, "big")), "big")
    return mapping


def element_slot(array: int, index: int) -> int:
    """The slot of word `index` behind a dynamic array's own, which holds its length."""
    return (int.from_bytes(keccak(array.to_bytes(32, "big")), "big") + index) % 2**256


def _word(key: int | str | bytes) -> bytes:
    if isinstance(key, bytes):
        return key.rjust(32, b"\0")
    return (int(key, 16) if isinstance(key, str) else key).to_bytes(32, "big")


def _layout(contract: str) -> Any:
    return artifacts.load(contract).storage_layout
