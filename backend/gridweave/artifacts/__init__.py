"""What the compiler made of `contracts/`: ABI, bytecode, immutables, storage layout, and the table of all errors.

The JSON files beside this module are written by `scripts/tools/compile.py` and committed; nothing here compiles. Every
deployment, every facade and every check of deployed code uses these bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

__all__ = [
    "Artifact",
    "ArtifactMissing",
    "ErrorEntry",
    "Immutable",
    "deployables",
    "errors",
    "evm_level",
    "load",
    "source_hash",
]

Json = dict[str, Any]


class ArtifactMissing(LookupError):
    """No artifact of that name is shipped. In a clone, `make artifacts` writes them."""


@dataclass(frozen=True)
class Immutable:
    """Where the constructor writes one immutable into the runtime code: `places` are (start, length) in bytes."""

    name: str
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Artifact:
    """One compiled contract or interface (an interface has empty code)."""

    name: str
    kind: str  # deployable, interface or mock
    abi: tuple[Json, ...]
    bytecode: bytes  # creation code, without constructor arguments
    runtime: bytes  # as deployed, immutables zero
    immutables: tuple[Immutable, ...]
    storage_layout: Json

    def masked(self, code: bytes) -> bytes:
        """`code` with the places of this contract's immutables set to zero, so that it compares with `runtime`."""
        masked = bytearray(code)
        for immutable in self.immutables:
            for start, length in immutable.places:
                masked[start : start + length] = bytes(len(masked[start : start + length]))
        return bytes(masked)


@dataclass(frozen=True)
class ErrorEntry:
    """One custom error: `inputs` are (name, canonical type) in order, `contracts` those that declare or inherit it."""

    selector: bytes
    name: str
    signature: str
    inputs: tuple[tuple[str, str], ...]
    contracts: tuple[str, ...]


@cache
def load(name: str) -> Artifact:
    """The artifact of contract or interface `name`; `ArtifactMissing` if none is shipped."""
    content = _read(name)
    return Artifact(
        name=content["contractName"],
        kind=content["kind"],
        abi=tuple(content["abi"]),
        bytecode=_code(content["bytecode"]),
        runtime=_code(content["deployedBytecode"]),
        immutables=tuple(
            Immutable(label, tuple((place["start"], place["length"]) for place in places))
            for label, places in content["immutableReferences"].items()
        ),
        storage_layout=content.get("storageLayout", {}),
    )


@cache
def errors() -> Mapping[bytes, ErrorEntry]:
    """Every custom error of the contracts, by its four-byte selector."""
    table = {bytes.fromhex(selector[2:]): entry for selector, entry in _read("errors").items()}
    return MappingProxyType(
        {
            selector: ErrorEntry(
                selector=selector,
                name=entry["name"],
                signature=entry["signature"],
                inputs=tuple((field["name"], field["type"]) for field in entry["inputs"]),
                contracts=tuple(entry["contracts"]),
            )
            for selector, entry in table.items()
        }
    )


@cache
def deployables() -> tuple[str, ...]:
    """Names of the contracts that a deployment can consist of, in alphabetical order."""
    index = _read("index")["artifacts"]
    return tuple(sorted(name for name, entry in index.items() if entry["kind"] == "deployable"))


def evm_level() -> str:
    """The EVM level that the contracts are compiled for."""
    return str(_read("index")["compiler"]["evmVersion"])


def source_hash() -> str:
    """Hash of sources, library, compiler and settings that these artifacts come from."""
    return str(_read("index")["sourceHash"])


def _read(name: str) -> Json:
    resource = files(__name__).joinpath(f"{name}.json")
    if not resource.is_file():
        raise ArtifactMissing(f"no artifact of {name}: in a clone, run `make artifacts`")
    content: Json = json.loads(resource.read_text())
    return content


def _code(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
