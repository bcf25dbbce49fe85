"""The gateway's settings: one file in TOML, whose relative paths start where the file lies."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridweave.domain.telemetry.readings import MOST_READINGS
from gridweave.domain.telemetry.verifying import ClockLimits
from gridweave.gateway.intake import IntakeLimits
from gridweave.gateway.keeper import SealingPace
from gridweave.gateway.mqtt_door import BrokerWay
from gridweave.gateway.program import Paces

__all__ = ["EXAMPLE", "GatewaySettings", "GatewaySettingsInvalid"]

EXAMPLE = """\
service = "http://127.0.0.1:8000"
folder = "spool"             # what devices were told is kept; on a disk of its own, if there is one
keys = "keys"                # window keys from the streams' owners, <stream>.<epoch>.keys
setpoints = "setpoints"      # where setpoints for devices are handed over; leave it out where nobody dispatches

[mqtt]                       # leave it out where there is no broker
host = "127.0.0.1"
port = 1883
user = "gateway"
password_file = "gateway.password"
tls = false

[http]                       # leave it out where there is a broker
host = "127.0.0.1"
port = 8100

[sealing]
readings = 600               # a batch is sealed with so many readings,
seconds = 300                # or once the first has waited so long

[limits]
spool_mib = 1024             # beyond it devices hear SpoolFull, keep what they have, and send it later
pending_mib = 32             # in memory, on its way to the disk
clock_ahead_ms = 30000       # further ahead a segment is refused: ClockAhead
late_ms = 900000             # later than this it is taken, and counted as late
"""
"""A whole file, with the values that stand if a line is left out; the doors have none."""

_MIB = 1 << 20
_ASK_FOR_IT = "`gridweave up` says where its own lies, else the service's operator knows"

Positive = Annotated[int, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class GatewaySettingsInvalid(Exception):
    """A setting is wrong; the message names it and says what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MqttSettings(_Part):
    """The broker, and who the gateway is there."""

    host: str
    port: Port = 1_883
    user: str = "gateway"
    password_file: Path | None = None
    tls: bool = False


class HttpSettings(_Part):
    """Where the gateway listens itself."""

    host: str = "127.0.0.1"
    port: Port = 8_100


class SealingSettings(_Part):
    """When a batch is sealed."""

    readings: Annotated[int, Field(gt=0, le=MOST_READINGS)] = 600
    seconds: Annotated[float, Field(gt=0)] = 300.0
    poll_s: Annotated[float, Field(gt=0)] = 1.0
    final_s: Annotated[float, Field(gt=0)] = 10.0
    ask_again_s: Annotated[float, Field(gt=0)] = 5.0
    longest_pause_s: Annotated[float, Field(gt=0)] = 60.0


class LimitSettings(_Part):
    """What the gateway takes."""

    spool_mib: Positive = 1_024
    pending_mib: Positive = 32
    clock_ahead_ms: Annotated[int, Field(ge=0)] = 30_000
    late_ms: Annotated[int, Field(ge=0)] = 900_000


class GatewaySettings(_Part):
    """All of it. `read` makes paths absolute."""

    service: str
    folder: Path
    keys: Path
    setpoints: Path | None = None
    refresh_s: Annotated[float, Field(gt=0)] = 10.0
    mqtt: MqttSettings | None = None
    http: HttpSettings | None = None
    sealing: SealingSettings = SealingSettings()
    limits: LimitSettings = LimitSettings()

    @classmethod
    def read(cls, file: Path) -> Self:
        """The settings in a file. Raises GatewaySettingsInvalid."""
        try:
            values: dict[str, Any] = tomllib.loads(file.read_text())
        except OSError as fault:
            raise GatewaySettingsInvalid(f"cannot read {file}: {fault.strerror}") from fault
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise GatewaySettingsInvalid(f"{file} is no TOML: {fault}") from fault
        try:
            settings = cls(**values)
        except ValidationError as fault:
            first = fault.errors()[0]
            raise GatewaySettingsInvalid(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from fault
        if settings.mqtt is None and settings.http is None:
            raise GatewaySettingsInvalid(f"{file}: give devices a door, [mqtt] or [http]")
        if settings.setpoints and settings.mqtt is None:
            raise GatewaySettingsInvalid(f"{file}: setpoints: they go to devices over a broker, give [mqtt]")
        return settings._below(file.absolute().parent)

    def must_have_password(self) -> None:
        """Returns if the broker's password, where one is named, is there. Raises GatewaySettingsInvalid."""
        file = self.mqtt.password_file if self.mqtt else None
        if file is not None and not file.is_file():
            raise GatewaySettingsInvalid(f"mqtt.password_file: there is no {file}; {_ASK_FOR_IT}")

    @property
    def paces(self) -> Paces:
        """As the program takes them."""
        clock = ClockLimits(self.limits.clock_ahead_ms, self.limits.late_ms)
        limits = IntakeLimits(self.limits.pending_mib * _MIB, self.limits.spool_mib * _MIB, clock)
        return Paces(limits, SealingPace(**self.sealing.model_dump()), self.refresh_s)

    @property
    def broker(self) -> BrokerWay | None:
        """The way to the broker, if there is one."""
        return BrokerWay(**self.mqtt.model_dump()) if self.mqtt else None

    def _below(self, folder: Path) -> Self:
        changes: dict[str, Any] = {"folder": folder / self.folder, "keys": folder / self.keys}
        if self.setpoints:
            changes["setpoints"] = folder / self.setpoints
        if self.mqtt and self.mqtt.password_file:
            password_file = folder / self.mqtt.password_file
            changes["mqtt"] = self.mqtt.model_copy(update={"password_file": password_file})
        return self.model_copy(update=changes)
