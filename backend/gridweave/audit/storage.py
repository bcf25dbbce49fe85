"""What the contracts' storage must hold at the audited block, asked of the node by eth_call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gridweave.audit.differences import Kind, Place, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.matching import text_of
from gridweave.audit.report import Checked
from gridweave.chain.abi import Function, abi_of
from gridweave.chain.errors import BlockNotAvailable, ChainError, NodeUnavailable, Reverted
from gridweave.chain.hexes import to_hex
from gridweave.chain.node import Node
from gridweave.chain.types import Call
from gridweave.domain.addresses import checksum_address

__all__ = ["Claim", "Either", "Storage", "WordClaim"]

_BATCH = 400


@dataclass(frozen=True)
class Either:
    """Any of `values`, of which the first is the likeliest."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Claim:
    """`function` of the contract named `contract` must return `expected`, whose `names` name its values.

    A value may be an Either; None: any value.
    """

    contract: str
    function: str
    arguments: tuple[Any, ...]
    names: tuple[str, ...]
    expected: tuple[Any, ...]
    subject: Subject


@dataclass(frozen=True)
class WordClaim:
    """Storage slot `slot` of the contract named `contract` must hold one of `words`, 32 bytes each."""

    contract: str
    slot: int
    words: tuple[bytes, ...]
    subject: Subject


class Storage:
    """Compares claims with one block's state, many in a round trip. Addresses by contract name."""

    def __init__(self, node: Node, addresses: dict[str, str], block: int, findings: Findings) -> None:
        self._node = node
        self._addresses = addresses
        self._block = block
        self._findings = findings
        self._waiting: list[Claim] = []
        self._words: list[WordClaim] = []

    def add_words(self, *claims: WordClaim) -> None:
        """Takes claims on words; `settle_all` compares them."""
        self._words += claims

    def add(self, *claims: Claim) -> None:
        """Takes claims; `settle` or `settle_all` compares them."""
        self._waiting += claims

    async def settle(self) -> None:
        """Compares what waits, if that is worth a round trip."""
        if len(self._waiting) >= _BATCH:
            await self.settle_all()

    async def settle_all(self) -> None:
        """Compares everything that waits. Raises NodeUnavailable, BlockNotAvailable."""
        claims, self._waiting = self._waiting, []
        for start in range(0, len(claims), _BATCH):
            await self._compare(claims[start : start + _BATCH])
        words, self._words = self._words, []
        for start in range(0, len(words), _BATCH):
            await self._compare_words(words[start : start + _BATCH])

    async def _compare_words(self, claims: Sequence[WordClaim]) -> None:
        asked = [(self._addresses[claim.contract], claim.slot) for claim in claims]
        for claim, answer in zip(claims, await self._node.storages(asked, self._block), strict=True):
            self._findings.count(Checked.STORED)
            if answer not in claim.words:
                self._findings.differ(
                    Kind.STORAGE, claim.subject, to_hex(claim.words[0]), to_hex(answer), place=Place(self._block)
                )

    async def _compare(self, claims: Sequence[Claim]) -> None:
        calls = [self._call(claim) for claim in claims]
        for claim, answer in zip(claims, await self._node.calls(calls, block=self._block), strict=True):
            self._findings.count(Checked.STORED)
            if isinstance(answer, NodeUnavailable | BlockNotAvailable):
                raise answer
            if isinstance(answer, ChainError):
                said = answer.name if isinstance(answer, Reverted) else str(answer)
                self._differ(claim, claim.function, "an answer", said)
            else:
                self._compare_values(claim, answer)

    def _call(self, claim: Claim) -> Call:
        function = abi_of(claim.contract).functions[claim.function]
        if _dynamic(function.inputs):
            return Call(self._addresses[claim.contract], function.encode(*claim.arguments))
        return Call(self._addresses[claim.contract], function.selector + b"".join(map(_word, claim.arguments)))

    def _compare_values(self, claim: Claim, answer: bytes) -> None:
        function = abi_of(claim.contract).functions[claim.function]
        words = b"".join(_word(_first(value)) for value in claim.expected if value is not None)
        if answer == words and not _dynamic(function.outputs):
            return
        try:
            values = _values(function, answer)
        except Exception as error:  # noqa: BLE001 - a lying node may answer with any bytes
            self._differ(claim, claim.function, "an answer", f"{type(error).__name__}")
            return
        for name, expected, found in zip(claim.names, claim.expected, values, strict=False):
            if expected is not None and not _accepts(expected, found):
                self._differ(claim, f"{claim.function}.{name}", text_of(_first(expected)), text_of(found))

    def _differ(self, claim: Claim, field: str, expected: str, found: str) -> None:
        subject = Subject(**{**claim.subject.to_json(), "field": field})
        self._findings.differ(Kind.STORAGE, subject, expected, found, place=Place(self._block))


def _first(expected: Any) -> Any:
    return expected.values[0] if isinstance(expected, Either) else expected


def _accepts(expected: Any, found: Any) -> bool:
    values = expected.values if isinstance(expected, Either) else (expected,)
    return any(_word(value) == _word(found) for value in values)


@cache
def _dynamic(types: tuple[str, ...]) -> bool:
    """Whether any of the types takes more than its own words."""
    return any("[" in kind or kind in ("bytes", "string") for kind in types)


def _word(value: Any) -> bytes:
    """A value as the ABI spells it: numbers and addresses to the right, bytes to the left."""
    if isinstance(value, bytes):
        return value.ljust(32, b"\0")
    number = int(value, 16) if isinstance(value, str) else int(value)
    return number.to_bytes(32, "big")


def _values(function: Function, answer: bytes) -> list[Any]:
    """A function's results, those of structs and arrays in their order. ValueError, DecodingError."""
    if _dynamic(function.outputs):
        return _flat(function.decode(answer))
    kinds = ",".join(function.outputs).replace("(", "").replace(")", "").split(",")
    if len(answer) != 32 * len(kinds):
        raise ValueError(f"{len(answer)} bytes")
    return [_value(kind, answer[32 * i : 32 * i + 32]) for i, kind in enumerate(kinds)]


def _value(kind: str, word: bytes) -> Any:
    if kind == "address":
        return checksum_address(word[12:])
    return word if kind.startswith("bytes") else int.from_bytes(word, "big")


def _flat(values: Any) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat += _flat(value) if isinstance(value, tuple | list) else [value]
    return flat
