"""Everything that can be set, in one frozen value read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gridweave.chain.networks import GENERIC, NetworkUnusable, find_network
from gridweave.chain.profile import FeeRule
from gridweave.domain.calendar import find_zone
from gridweave.domain.errors import ZoneUnknown

__all__ = ["PREFIX", "Settings", "SettingsInvalid"]

PREFIX = "GRIDWEAVE_"


_OF_NETWORK = {"finality_depth", "fee_rule", "priority_fee_wei", "gas_price_wei", "commit_margin"}


class SettingsInvalid(Exception):
    """A setting is wrong; the message names the variable and what is wrong with it."""


class Settings(BaseModel):
    """The service's settings. `from_env` reads `GRIDWEAVE_<NAME>`; times are chain seconds unless the name says ms.

    What is not set of finality and fees is that of `network`; `networks` is a file that describes more of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rpc_url: str = "http://127.0.0.1:8545"
    deployment: Path = Path("var/local/deployment.json")
    data_dir: Path = Path("var/local/service")
    outbox_url: str = ""
    index_url: str = ""

    relayer_key_file: Path | None = None
    relayer_keystore: Path | None = None
    relayer_password_file: Path | None = None
    relayer_key_variable: str | None = None

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)

    network: str = GENERIC
    networks: Path | None = None
    finality_depth: int = Field(ge=0)
    finality_file: Path | None = None
    fee_rule: FeeRule
    priority_fee_wei: int = Field(ge=0)
    gas_price_wei: int = Field(ge=0)

    commit_margin: int = Field(ge=0, description="nothing is promised this close to a gate or deadline")
    most_deadline_ahead: int = Field(default=3_600, ge=1, description="of a single order: how far its deadline may lie")
    most_replacements: int = Field(default=8, ge=1, description="versions relayed per meter and slot")
    most_acts_under_way: int = Field(default=64, ge=1, description="acts of one signer, a transaction each")
    most_backed: int = Field(
        default=16, ge=1, description="orders of one account, under way or to be proved, for which a bond answers"
    )
    batch_window_ms: int = Field(default=200, ge=0)
    poll_ms: int = Field(default=250, ge=10)
    most_open_batches: int = Field(default=16, ge=1)
    resend_ms: int = Field(default=5_000, ge=100)
    most_fee_factor: int = Field(default=10, ge=1, description="a raised fee over what a new transaction would offer")

    time_zone: str = Field(default="UTC", description="of the days that bills are made of, as IANA names it")

    keeper: bool = True
    keeper_silent_meters: bool = Field(default=True, description="settle meters that neither traded nor sent a reading")

    body_limit: int = Field(default=1_048_576, ge=1_024)
    most_orders: int = Field(default=500, ge=1)
    rate_limit_per_s: int = Field(
        default=200, ge=0, description="POST requests of one address; 0: no limit, as behind a proxy that has its own"
    )
    read_limit_per_s: int = Field(
        default=500, ge=0, description="GET requests of one address, but for health, metrics and events; 0: no limit"
    )
    most_streams: int = Field(default=1_000, ge=1, description="connections to /v1/events at once")
    cors_origins: tuple[str, ...] = ()
    log_level: str = "info"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            return find_zone(name).key
        except ZoneUnknown as error:
            raise ValueError(f"{name!r} is no time zone; {error.values['rule']}") from error

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: Any) -> Any:
        folder = Path(values.get("data_dir") or cls.model_fields["data_dir"].default)
        derived = {f"{name}_url": f"sqlite+aiosqlite:///{folder}/{name}.db" for name in ("outbox", "index")}
        file = values.get("networks")
        network = find_network(values.get("network") or GENERIC, Path(file) if file else None)
        derived |= network.model_dump(include=_OF_NETWORK)
        return derived | {name: value for name, value in values.items() if value != ""}

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Settings from `GRIDWEAVE_*`; `overrides` that are not None win. Raises SettingsInvalid."""
        env = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            text = env.get(PREFIX + name.upper())
            if text:
                values[name] = [part.strip() for part in text.split(",")] if name == "cors_origins" else text
        values |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**values)
        except NetworkUnusable as error:
            raise SettingsInvalid(str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            raise SettingsInvalid(f"{PREFIX}{name.upper()}: {first['msg']}") from error
