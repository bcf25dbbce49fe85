"""Acts of release keys while they are gathered: their names, their fields in JSON, and whose signatures each needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gridweave.domain.addresses import address_bytes, checksum_address
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    ModelOpening,
    Release,
    ReleaseKeyChange,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)

__all__ = ["ACTS", "FirmwareAct", "Need", "act_json", "act_of", "name_of", "needs_of"]

FirmwareAct = (
    ModelOpening
    | ReleaseKeyChange
    | Release
    | RolloutStart
    | RolloutRaise
    | RolloutPause
    | RolloutResume
    | ReleaseRevocation
)
"""Whatever release keys sign."""

ACTS: dict[str, type[FirmwareAct]] = {
    "opening": ModelOpening,
    "keys": ReleaseKeyChange,
    "release": Release,
    "start": RolloutStart,
    "raise": RolloutRaise,
    "pause": RolloutPause,
    "resume": RolloutResume,
    "revocation": ReleaseRevocation,
}
"""Each by what it is called in paths and lists."""

_NAMES = {kind: name for name, kind in ACTS.items()}


@dataclass(frozen=True)
class Need:
    """`least` members of `keys` must sign."""

    keys: KeySet
    least: int

    def approved(self, signers: Collection[str]) -> tuple[str, ...]:
        """The members among these."""
        return tuple(member for member in self.keys.members if _is_among(member, signers))

    def missing(self, signers: Collection[str]) -> tuple[str, ...]:
        """The members that are not among them."""
        return tuple(member for member in self.keys.members if not _is_among(member, signers))

    def is_met(self, signers: Collection[str]) -> bool:
        """Whether they are enough."""
        return len(self.approved(signers)) >= self.least


def name_of(act: FirmwareAct) -> str:
    """What an act is called."""
    return _NAMES[type(act)]


def needs_of(act: FirmwareAct, present: KeySet) -> tuple[Need, ...]:
    """What it takes, given the model's present keys; an opening names its own, any one key may pause."""
    match act:
        case ModelOpening():
            return (Need(KeySet(1, act.threshold, act.keys), act.threshold),)
        case ReleaseKeyChange():
            following = KeySet(act.version, act.threshold, act.keys)
            return Need(present, present.threshold), Need(following, following.threshold)
        case RolloutPause():
            return (Need(present, 1),)
        case _:
            return (Need(present, present.threshold),)


def act_json(act: FirmwareAct) -> dict[str, Any]:
    """Its fields under the names that are signed: integers as such, hashes and addresses as hex."""
    return {field.name: _shown(getattr(act, field.attribute)) for field in act.TYPE.fields}


def act_of(name: str, body: Mapping[str, Any]) -> FirmwareAct:
    """The act of that name with these fields. Raises KeyError, ValueError, TypeError for what is none."""
    kind = ACTS[name]
    values = {field.attribute: _read(field.type, body[field.name]) for field in kind.TYPE.fields}
    return kind(**values)


def _is_among(member: str, signers: Collection[str]) -> bool:
    name = address_bytes(member)
    return any(address_bytes(signer) == name for signer in signers)


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return list(value) if isinstance(value, tuple) else value


def _read(kind: str, value: Any) -> Any:
    if kind.endswith("[]"):
        return tuple(_read(kind.removesuffix("[]"), each) for each in value)
    if kind.startswith("bytes"):
        return bytes.fromhex(value.removeprefix("0x"))
    if kind == "address":
        return checksum_address(value)
    return int(value) if kind.startswith("uint") else str(value)
