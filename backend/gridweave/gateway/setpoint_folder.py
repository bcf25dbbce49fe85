"""Setpoints handed over as files: put there by whoever calls assets, taken away by the gateway.

waiting/<device>.<event>.<sequence>.json   a setpoint's word; write it elsewhere and rename it to here
expired/, superseded/, malformed/          what the gateway dropped, under the same name
answers/<device>.ndjson                    a line for each answer, each on disk before its setpoint is taken away

Whoever reads answers takes their file away. One that has grown to a mebibyte takes no more, so that no device fills the
disk; its setpoints wait on.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from gridweave.disk import write_through
from gridweave.domain.setpoints import Setpoint, SetpointAnswer
from gridweave.domain.telemetry.gateway_errors import WordMalformed
from gridweave.gateway.dispatch import Command, Dropped

__all__ = ["SetpointFolder"]

log = structlog.get_logger(__name__)

_MALFORMED = "malformed"
MOST_ANSWERED = 1 << 20
"""Bytes of a device's answers."""


class SetpointFolder:
    """The hand-over in `folder`, which is made if need be. Calls block. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting = folder / "waiting"

    def put(self, command: Command) -> None:
        """Hands a setpoint over, whole or not at all. Raises OSError."""
        self._waiting.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{_name(command.device, command.setpoint)}.part"
        part.write_bytes(command.setpoint.encode())
        part.replace(self._waiting / _name(command.device, command.setpoint))

    def waiting(self) -> Sequence[Command]:
        self._waiting.mkdir(parents=True, exist_ok=True)
        return list(self._read())

    def answer(self, device: str, answer: SetpointAnswer) -> None:
        file = self._folder / "answers" / f"{device}.ndjson"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as lines:
            if lines.tell() >= MOST_ANSWERED:
                raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(file))
            write_through(lines, answer.encode() + b"\n")
        (self._waiting / _name(device, answer)).unlink(missing_ok=True)

    def answers(self, device: str) -> list[SetpointAnswer]:
        """What the device answered, in order. Raises OSError, WordMalformed."""
        file = self._folder / "answers" / f"{device}.ndjson"
        return [SetpointAnswer.decode(line) for line in file.read_bytes().splitlines()] if file.exists() else []

    def drop(self, command: Command, why: Dropped) -> None:
        self._set_aside(self._waiting / _name(command.device, command.setpoint), why.value)

    def _read(self) -> Iterator[Command]:
        for file in sorted(self._waiting.glob("*.json")):
            try:
                command = Command(file.name.partition(".")[0], Setpoint.decode(file.read_bytes()))
                if file.name != _name(command.device, command.setpoint):
                    raise WordMalformed(f"its file is {_name(command.device, command.setpoint)}")
            except WordMalformed as fault:
                log.warning("a setpoint is none", file=file.name, reason=str(fault))
                self._set_aside(file, _MALFORMED)
                continue
            yield command

    def _set_aside(self, file: Path, why: str) -> None:
        (self._folder / why).mkdir(exist_ok=True)
        if file.exists():
            file.replace(self._folder / why / file.name)


def _name(device: str, what: Setpoint | SetpointAnswer) -> str:
    return f"{device}.{what.event}.{what.sequence}.json"
