"""What events of the FirmwareRegistry become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from gridweave.chain.errors import error_name
from gridweave.chain.event import Event
from gridweave.chain.firmware_events import (
    FirmwareReleased,
    FloorRaised,
    InstallTold,
    ModelOpened,
    ReceiptRefused,
    ReleaseKeysChanged,
    ReleaseRevoked,
    RolloutPaused,
    RolloutStepped,
)
from gridweave.chain.hexes import to_hex
from gridweave.domain.firmware.rollout import RolloutState

__all__ = ["FIRMWARE"]

Row = dict[str, Any]
Rows = Callable[[Any], list[tuple[str, Row]]]

_FIRST = 1


def _opened(event: ModelOpened) -> list[tuple[str, Row]]:
    keys = _keys(event.model, _FIRST, event.threshold, event.keys)
    return [("firmware_models", {"model": event.model, "maker": event.maker}), ("firmware_keys", keys)]


def _changed(event: ReleaseKeysChanged) -> list[tuple[str, Row]]:
    return [("firmware_keys", _keys(event.model, event.version, event.threshold, event.keys))]


def _keys(model: int, version: int, threshold: int, members: Sequence[str]) -> Row:
    return {"model": model, "version": version, "threshold": threshold, "members": ",".join(members)}


def _released(event: FirmwareReleased) -> list[tuple[str, Row]]:
    said = event.release
    shown = {field.name: _plain(getattr(said, field.name)) for field in fields(said)}
    return [("firmware_releases", shown | {"commitment": to_hex(event.commitment)})]


def _stepped(event: RolloutStepped) -> list[tuple[str, Row]]:
    return [_step(event, event.state, share_bp=event.share_bp)]


def _paused(event: RolloutPaused) -> list[tuple[str, Row]]:
    return [_step(event, RolloutState.PAUSED, by=event.by, told=event.told, failures=event.failures)]


def _step(event: RolloutStepped | RolloutPaused, state: int, **said: Any) -> tuple[str, Row]:
    row: Row = {"share_bp": None, "by": None, "told": None, "failures": None}
    row |= {"model": event.model, "counter": event.counter, "state": int(state), "step": event.step}
    return "firmware_steps", row | said


def _as_is(table: str) -> Rows:
    """The event's own parameters under their own names."""
    return lambda event: [(table, {name: _plain(getattr(event, name)) for name in _names(type(event))})]


def _names(kind: type[Event]) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in Event.__dataclass_fields__]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return error_name(value) if len(value) == 4 else to_hex(value)
    return value


FIRMWARE: dict[type[Event], Rows] = {
    ModelOpened: _opened,
    ReleaseKeysChanged: _changed,
    FirmwareReleased: _released,
    RolloutStepped: _stepped,
    RolloutPaused: _paused,
    ReleaseRevoked: _as_is("firmware_revocations"),
    FloorRaised: _as_is("firmware_floors"),
    InstallTold: _as_is("firmware_installs"),
    ReceiptRefused: _as_is("firmware_refusals"),
}
"""The rows of each, as (table, row)."""
