"""Networks by name: what a kind of chain asks for and promises, written down once in `networks.toml`.

A file of the user's own in the same form adds networks and replaces those that ship.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridweave import artifacts
from gridweave.chain.profile import MAX_TRANSACTION_GAS, FeeRule, NetworkProfile

__all__ = ["GENERIC", "EvmLevel", "Network", "NetworkUnusable", "find_network", "list_networks"]

GENERIC = "generic"
"""The network that is meant when none is named."""


class NetworkUnusable(Exception):
    """A network is unknown, described wrongly or not the one that is there; the message says what to change."""


class EvmLevel(StrEnum):
    """Rules of execution by the upgrade that brought them, oldest first."""

    ISTANBUL = "istanbul"
    BERLIN = "berlin"
    LONDON = "london"
    PARIS = "paris"
    SHANGHAI = "shanghai"
    CANCUN = "cancun"
    PRAGUE = "prague"
    OSAKA = "osaka"

    def runs(self, code: EvmLevel) -> bool:
        """Whether a chain of this level runs what was compiled for the level `code`.

        Paris changed the meaning of one word, PREVRANDAO, which no contract of ours reads: London runs Paris code.
        """
        levels = list(EvmLevel)
        needed = EvmLevel.LONDON if code is EvmLevel.PARIS else code
        return levels.index(self) >= levels.index(needed)


class Network(BaseModel):
    """One network's description. `chain_id` None: every chain of the kind has its own. Fees in wei per gas."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str = ""
    chain_id: int | None = Field(default=None, ge=1)
    evm: EvmLevel
    finality_depth: int = Field(ge=0)
    fee_rule: FeeRule = FeeRule.AUTO
    priority_fee_wei: int = Field(ge=0)
    gas_price_wei: int = Field(ge=0)
    commit_margin: int = Field(default=30, ge=0)
    max_gas: int = Field(default=MAX_TRANSACTION_GAS, ge=1_000_000, le=MAX_TRANSACTION_GAS)

    def profile(self, chain_id: int) -> NetworkProfile:
        """The habits of the chain with this id, which is of this network. Raises NetworkUnusable if it cannot be."""
        if self.chain_id not in (None, chain_id):
            raise NetworkUnusable(
                f"network {self.name} is chain {self.chain_id}, not {chain_id}: name the network that is meant, with "
                "--network or GRIDWEAVE_NETWORK, or its own node and deployment record"
            )
        compiled = EvmLevel(artifacts.evm_level())
        if not self.evm.runs(compiled):
            raise NetworkUnusable(
                f"network {self.name} runs EVM level {self.evm}, the contracts are compiled for {compiled}: raise the "
                "level of the chain and `evm` in its description, or name another network"
            )
        return NetworkProfile(
            chain_id=chain_id,
            finality_depth=self.finality_depth,
            fee_rule=self.fee_rule,
            priority_fee=self.priority_fee_wei,
            gas_price=self.gas_price_wei,
            max_gas=self.max_gas,
        )


def list_networks(file: Path | None = None) -> dict[str, Network]:
    """Every network by name: those that ship and those of `file`, which win. Raises NetworkUnusable."""
    shipped = tomllib.loads(files("gridweave.chain").joinpath("networks.toml").read_text())
    return _parse(shipped, "networks.toml") | (_parse(_read(file), str(file)) if file else {})


def find_network(name: str, file: Path | None = None) -> Network:
    """The network of that name. Raises NetworkUnusable."""
    known = list_networks(file)
    if name not in known:
        raise NetworkUnusable(
            f"no network is called {name}: name one of {', '.join(known)}, or describe it in a file and name that in "
            "GRIDWEAVE_NETWORKS"
        )
    return known[name]


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise NetworkUnusable(f"GRIDWEAVE_NETWORKS: {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise NetworkUnusable(f"GRIDWEAVE_NETWORKS: {file} is no TOML: {error}") from error


def _parse(content: dict[str, Any], place: str) -> dict[str, Network]:
    return {name: _network(name, fields, place) for name, fields in content.items()}


def _network(name: str, fields: Any, place: str) -> Network:
    if not isinstance(fields, dict):
        raise NetworkUnusable(f"{place}: {name} is no network; a network is a table [{name}]")
    try:
        return Network(**{**fields, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise NetworkUnusable(f"{place}: {field} of network {name}: {first['msg']}") from error
