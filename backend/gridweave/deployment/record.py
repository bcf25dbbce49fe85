"""The deployment record: one JSON file that says what stands where, and what is under way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from gridweave.chain import Contracts, Node, Role
from gridweave.deployment.errors import DeploymentError
from gridweave.disk import sync, write_through

__all__ = ["ContractVersion", "Deployment", "PendingTransaction", "write_atomically"]

FORMAT = 1
Json = dict[str, Any]


@dataclass(frozen=True)
class ContractVersion:
    """One deployed contract. Without a transaction, and block 0, it was there before us."""

    address: str
    block: int
    transaction: str


@dataclass(frozen=True)
class PendingTransaction:
    """Signed bytes that may or may not have been sent. Sending them again is always safe."""

    step: str
    hash: str
    raw: str


@dataclass(frozen=True)
class Deployment:
    """What stands on one chain. Hashes are 0x hex here, addresses EIP-55 text.

    `contracts` lists every version of a contract, the newest last: the newest takes new business, indexer and audit
    follow all. `roles` are the members that the deployment planned; `gridweave deploy` adds to them.
    """

    chain_id: int
    genesis_hash: str
    deployer: str
    slot_length: int
    hold_length: int
    compensation: int
    own_currency: bool
    block: int
    contracts: Mapping[str, tuple[ContractVersion, ...]] = field(default_factory=dict)
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    complete: bool = False
    pending: PendingTransaction | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Address of every contract's newest version, by name."""
        return {name: versions[-1].address for name, versions in self.contracts.items()}

    @property
    def every_address(self) -> dict[str, str]:
        """Contract name by address, all versions: what indexer and audit follow."""
        return {version.address: name for name, versions in self.contracts.items() for version in versions}

    def bundle(self, node: Node) -> Contracts:
        """The facades of the newest versions. DeploymentError while the deployment is incomplete."""
        if not self.complete:
            raise DeploymentError("the deployment is incomplete: run `gridweave deploy` again")
        return Contracts.at(node, self.addresses)

    def with_contract(self, name: str, version: ContractVersion) -> Deployment:
        """The record once `version` is the only version of `name`."""
        return replace(self, contracts={**self.contracts, name: (version,)})

    def without(self, name: str) -> Deployment:
        """The record without a contract that the chain does not hold (any more)."""
        return replace(self, contracts={key: value for key, value in self.contracts.items() if key != name})

    def save(self, path: Path) -> None:
        """Writes the record so that a crash at any instant leaves the old file or the new one."""
        write_atomically(path, json.dumps(self._json(), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """The record at `path`. FileNotFoundError if there is none, DeploymentError if it is no record."""
        text = path.read_text()
        try:
            return cls._parse(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise DeploymentError(f"{path} is no deployment record of format {FORMAT}") from error

    def _json(self) -> Json:
        return {
            "format": FORMAT,
            "chainId": self.chain_id,
            "genesisHash": self.genesis_hash,
            "deployer": self.deployer,
            "block": self.block,
            "slotLength": self.slot_length,
            "holdLength": self.hold_length,
            "compensation": self.compensation,
            "ownCurrency": self.own_currency,
            "complete": self.complete,
            "contracts": {name: _contract_json(versions) for name, versions in self.contracts.items()},
            "roles": {role.name: list(members) for role, members in self.roles.items()},
            "pending": vars(self.pending) if self.pending else None,
        }

    @classmethod
    def _parse(cls, content: Json) -> Self:
        if content["format"] != FORMAT:
            raise ValueError("another format")
        return cls(
            chain_id=int(content["chainId"]),
            genesis_hash=content["genesisHash"],
            deployer=content["deployer"],
            block=int(content["block"]),
            slot_length=int(content["slotLength"]),
            hold_length=int(content["holdLength"]),
            compensation=int(content["compensation"]),
            own_currency=bool(content["ownCurrency"]),
            complete=bool(content["complete"]),
            contracts={
                name: tuple(ContractVersion(**version) for version in entry["versions"])
                for name, entry in content["contracts"].items()
            },
            roles={Role[name]: tuple(members) for name, members in content["roles"].items()},
            pending=PendingTransaction(**content["pending"]) if content["pending"] else None,
        )


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file: temporary file beside it, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as file:
        write_through(file, text)
    temporary.replace(path)
    sync(path.parent)


def _contract_json(versions: tuple[ContractVersion, ...]) -> Json:
    newest = versions[-1]
    return {"address": newest.address, "block": newest.block, "versions": [vars(version) for version in versions]}
