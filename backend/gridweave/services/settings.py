"""Everything that can be set, in one frozen value read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gridweave.chain.networks import GENERIC, NetworkUnusable, find_network
from gridweave.chain.profile import FeeRule
from gridweave.domain.calendar import find_zone
from gridweave.domain.errors import ZoneUnknown
from gridweave.store.backend import url_of

__all__ = ["PREFIX", "Settings", "SettingsInvalid"]

PREFIX = "GRIDWEAVE_"


_LISTS = frozenset({"cors_origins", "trusted_proxies"})
_OF_NETWORK = {"finality_depth", "fee_rule", "priority_fee_wei", "gas_price_wei", "commit_margin"}


class SettingsInvalid(Exception):
    """A setting is wrong; the message names the variable and what is wrong with it."""


class Settings(BaseModel):
    """The service's settings. `from_env` reads `GRIDWEAVE_<NAME>`; times are chain seconds unless the name says ms.

    What is not set of finality and fees is that of `network`; `networks` is a file that describes more of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    rpc_url: str = Field(default="http://127.0.0.1:8545", repr=False, description="the node's JSON-RPC address")
    deployment: Path = Field(default=Path("var/local/deployment.json"), description="the deployment record")
    data_dir: Path = Field(default=Path("var/local/service"), description="folder of outbox and index")
    outbox_url: str = Field(
        default="", repr=False, description="sqlite:///FILE or postgresql://USER@HOST/NAME; empty: a file in the folder"
    )
    index_url: str = Field(
        default="",
        repr=False,
        description="the same for the projections; in one database each has a schema of its own",
    )

    relayer_key_file: Path | None = Field(default=None, description="the relayer's key in hex: local chains only")
    relayer_keystore: Path | None = Field(default=None, description="the relayer's encrypted keystore file (v3)")
    relayer_password_file: Path | None = Field(default=None, description="file with the keystore's password")
    relayer_key_variable: str | None = Field(
        default=None, description="name of another variable that holds the relayer's key in hex"
    )

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65_535, description="port to listen on")

    network: str = Field(default=GENERIC, description="the network's name: see `gridweave networks`")
    networks: Path | None = Field(default=None, description="file that describes more networks")
    finality_depth: int = Field(ge=0, description="blocks after which a block does not change any more")
    finality_file: Path | None = Field(default=None, description="written by a local chain: the newest final block")
    fee_rule: FeeRule = Field(description="auto, eip1559 or legacy")
    priority_fee_wei: int = Field(ge=0, description="per gas, beside the base fee")
    gas_price_wei: int = Field(ge=0, description="per gas, where there is no base fee")

    commit_margin: int = Field(ge=0, description="nothing is promised this close to a gate or deadline")
    most_deadline_ahead: int = Field(default=3_600, ge=1, description="of a single order: how far its deadline may lie")
    most_replacements: int = Field(default=8, ge=1, description="versions relayed per meter and slot")
    most_acts_under_way: int = Field(default=64, ge=1, description="acts of one signer, a transaction each")
    most_backed: int = Field(
        default=16, ge=1, description="orders of one account, under way or to be proved, for which a bond answers"
    )
    batch_window_ms: int = Field(default=200, ge=0, description="how long requests gather for one transaction")
    poll_ms: int = Field(default=250, ge=10, description="between two looks at the chain")
    most_open_batches: int = Field(default=16, ge=1, description="transactions under way at once")
    relayer_low_orders: int = Field(
        default=2_000, ge=0, description="the relayer's balance is low when it pays for fewer orders than this"
    )
    resend_ms: int = Field(default=5_000, ge=100, description="after which a transaction is sent again")
    most_fee_factor: int = Field(default=10, ge=1, description="a raised fee over what a new transaction would offer")

    time_zone: str = Field(default="UTC", description="of the days that bills are made of, as IANA names it")

    keeper: bool = Field(default=True, description="clear and settle what is due")
    keeper_silent_meters: bool = Field(default=True, description="settle meters that neither traded nor sent a reading")

    body_limit: int = Field(default=1_048_576, ge=1_024, description="bytes of one request")
    most_orders: int = Field(default=500, ge=1, description="orders in one request")
    rate_limit_per_s: int = Field(
        default=200, ge=0, description="POST requests of one address; 0: no limit, as behind a proxy that has its own"
    )
    read_limit_per_s: int = Field(
        default=500, ge=0, description="GET requests of one address, but for health, metrics and events; 0: no limit"
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="addresses or networks whose X-Forwarded-For names the client, for limits per address"
    )
    most_streams: int = Field(default=1_000, ge=1, description="connections to /v1/events at once")
    most_exports: int = Field(default=8, ge=1, description="exports of the history under way at once")
    most_connections: int = Field(default=2_000, ge=1, description="open at once; the longest idle makes room for more")
    head_timeout_ms: int = Field(default=10_000, ge=100, description="for a request's line and headers to arrive")
    body_timeout_ms: int = Field(default=20_000, ge=100, description="for a request's body to arrive")
    stall_timeout_ms: int = Field(default=30_000, ge=100, description="for a reader to take more of its answer")
    drain_ms: int = Field(
        default=500, ge=0, description="after SIGTERM: how long /readyz says no before the door closes"
    )
    cors_origins: tuple[str, ...] = Field(
        default=(), description="web pages that may use the API, as https://shop.example; separated by commas"
    )
    mqtt_host: str = Field(default="", description="a Mosquitto broker whose doors devices shall open; empty: none")
    mqtt_port: int = Field(default=1_883, ge=1, le=65_535, description="its port")
    mqtt_tls: bool = Field(default=False, description="speak TLS with it, by the system's authorities")
    mqtt_user: str = Field(default="admin", description="who may command its dynamic-security plugin")
    mqtt_password_file: Path | None = Field(default=None, description="file with that user's password")
    mqtt_gateway_password_file: Path | None = Field(
        default=None, description="file with the password by which a gateway shall reach devices there; empty: none may"
    )
    mqtt_public_host: str = Field(default="", description="the name by which devices reach it, if another")

    vtn_clients: Path | None = Field(
        default=None,
        description="file of OpenADR clients; empty: vtn-clients.json in the folder",
    )
    vtn_token_s: int = Field(default=3_600, ge=60, description="seconds for which a token of an OpenADR client holds")
    vtn_most_objects: int = Field(default=10_000, ge=1, description="OpenADR objects of one VEN")
    vtn_public_url: str = Field(
        default="",
        description="where clients reach the VTN: https://vtn.example/openadr3/3.1.0; empty: as asked",
    )
    vtn_webhook_echo: bool = Field(
        default=True, description="an OpenADR callback must answer a challenge before it is taken, as OpenADR 3.1 says"
    )
    vtn_private_webhooks: bool = Field(
        default=False, description="OpenADR callbacks may be private addresses, and without TLS: in a laboratory only"
    )

    log_level: str = Field(default="info", description="debug, info, warning or error")

    @field_validator("outbox_url", "index_url")
    @classmethod
    def _usable(cls, url: str) -> str:
        url_of(url)
        return url

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            return find_zone(name).key
        except ZoneUnknown as error:
            raise ValueError(f"{name!r} is no time zone; {error.values['rule']}") from error

    def mqtt_password(self) -> str:
        """The broker's administrator's. Raises SettingsInvalid."""
        if self.mqtt_password_file is None:
            raise SettingsInvalid(f"{PREFIX}MQTT_PASSWORD_FILE: name the file with the password of {self.mqtt_user}")
        return _secret_in(self.mqtt_password_file, "MQTT_PASSWORD_FILE")

    def mqtt_gateway_password(self) -> str | None:
        """The gateway's at the broker, None if it has none. Raises SettingsInvalid."""
        file = self.mqtt_gateway_password_file
        return None if file is None else _secret_in(file, "MQTT_GATEWAY_PASSWORD_FILE")

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: Any) -> Any:
        folder = Path(values.get("data_dir") or cls.model_fields["data_dir"].default)
        derived = {f"{name}_url": f"sqlite+aiosqlite:///{folder}/{name}.db" for name in ("outbox", "index")}
        file = values.get("networks")
        network = find_network(values.get("network") or GENERIC, Path(file) if file else None)
        derived |= network.model_dump(include=_OF_NETWORK)
        return derived | {name: value for name, value in values.items() if value != ""}

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            ip_network(value, strict=False)
        return values

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Settings from `GRIDWEAVE_*`; `overrides` that are not None win. Raises SettingsInvalid."""
        env = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            text = env.get(PREFIX + name.upper())
            if text:
                values[name] = [part.strip() for part in text.split(",")] if name in _LISTS else text
        values |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**values)
        except NetworkUnusable as error:
            raise SettingsInvalid(str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            raise SettingsInvalid(f"{PREFIX}{name.upper()}: {first['msg'].removeprefix('Value error, ')}") from error


def _secret_in(file: Path, variable: str) -> str:
    try:
        return file.read_text().strip()
    except OSError as fault:
        raise SettingsInvalid(f"{PREFIX}{variable}: {fault.strerror}") from fault
