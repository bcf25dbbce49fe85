"""Codecs made once from an artifact's ABI: functions through eth_abi, events through decoders of their own.

The contracts' own events are made of words, so decoding one is slicing, ten times faster than a general decoder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from struct import Struct
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from gridweave import artifacts
from gridweave.domain.addresses import checksum_address
from gridweave.domain.hashing import keccak

__all__ = ["Abi", "EventAbi", "Function", "abi_of", "canonical_type", "snake_case"]

Json = dict[str, Any]
Convert = Callable[[bytes], Any]
Decoder = Callable[[Sequence[bytes], bytes], list[Any]]

_WORD = 32
_STRING = re.compile(r"\bstring\b")
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(name: str) -> str:
    """energyWh -> energy_wh."""
    return _SNAKE.sub("_", name).lower()


def canonical_type(field: Json) -> str:
    """The ABI type as signatures spell it: tuples by their components."""
    kind = str(field["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(canonical_type(part) for part in field['components'])}){kind.removeprefix('tuple')}"


@dataclass(frozen=True)
class Function:
    """One function: its selector, and its arguments and results as eth_abi types."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, *arguments: Any) -> bytes:
        """Call data. Structs are tuples, addresses text. eth_abi's EncodingError for a value that does not fit."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """The results; eth_abi's DecodingError for anything but this function's answer."""
        return decode(self.outputs, data)


@dataclass(frozen=True)
class EventAbi:
    """One event: its first topic and its parameters as (snake_case name, indexed, type)."""

    name: str
    topic: bytes
    parameters: tuple[tuple[str, bool, str], ...]
    structs: tuple[tuple[str, tuple[str, ...]], ...]  # parameter name -> its members' types, for structs of words

    def values(self, topics: Sequence[bytes], data: bytes) -> list[Any]:
        """Parameters in their order, a struct as the list of its members. ValueError if the log is no such event."""
        return self._decoder(topics, data)

    @cached_property
    def _decoder(self) -> Decoder:
        return _decoder(self)


class Abi:
    """All codecs of one contract. Overloaded functions are refused: give them names."""

    def __init__(self, name: str, entries: Sequence[Json]) -> None:
        self.name = name
        self.functions = {entry["name"]: _function(entry) for entry in entries if entry["type"] == "function"}
        self.events = {entry["name"]: _event(entry) for entry in entries if entry["type"] == "event"}
        self.constructor = next((_kinds(entry["inputs"]) for entry in entries if entry["type"] == "constructor"), ())
        if len(self.functions) < sum(entry["type"] == "function" for entry in entries):
            raise ValueError(f"{name} overloads a function")

    def selector(self, function: str) -> bytes:
        """The four bytes that call `function`; KeyError if there is none."""
        return self.functions[function].selector

    def creation_arguments(self, *arguments: Any) -> bytes:
        """What follows the bytecode in a creation transaction."""
        return encode(self.constructor, arguments)


@cache
def abi_of(name: str) -> Abi:
    """The codecs of the artifact `name`."""
    return Abi(name, artifacts.load(name).abi)


def _kinds(fields: Sequence[Json]) -> tuple[str, ...]:
    return tuple(canonical_type(field) for field in fields)


def _function(entry: Json) -> Function:
    inputs = _kinds(entry["inputs"])
    selector = keccak(f"{entry['name']}({','.join(inputs)})".encode())[:4]
    return Function(entry["name"], selector, inputs, _kinds(entry["outputs"]))


def _event(entry: Json) -> EventAbi:
    signature = f"{entry['name']}({','.join(_kinds(entry['inputs']))})"
    return EventAbi(
        name=entry["name"],
        topic=keccak(signature.encode()),
        parameters=tuple((snake_case(f["name"]), bool(f["indexed"]), canonical_type(f)) for f in entry["inputs"]),
        structs=tuple(
            (snake_case(f["name"]), _kinds(f["components"])) for f in entry["inputs"] if f["type"] == "tuple"
        ),
    )


def _decoder(event: EventAbi) -> Decoder:
    """Topics and data are read as one row of values, the indexed ones first, from which each parameter is taken."""
    indexed = [kind for _, is_indexed, kind in event.parameters if is_indexed]
    places, plain = _places(event, len(indexed))
    topic_count, in_order = len(indexed) + 1, places == [*range(len(places))]
    row_of = (_words_decoder if all(map(_is_word, plain)) else _general_decoder)(indexed, plain)

    def values(topics: Sequence[bytes], data: bytes) -> list[Any]:
        if len(topics) != topic_count:
            raise ValueError(f"{event.name} has {topic_count - 1} indexed parameters")
        row = row_of(topics[1:], data)
        return row if in_order else [row[place] for place in places]

    return values


def _places(event: EventAbi, indexed: int) -> tuple[list[int | slice], list[str]]:
    """Where each parameter stands in the row, a struct of words as a stretch, and types of what is not indexed."""
    structs, topics = dict(event.structs), iter(range(indexed))
    places: list[int | slice] = []
    plain: list[str] = []
    for name, is_indexed, kind in event.parameters:
        at = indexed + len(plain)
        if is_indexed:
            places.append(next(topics))
        elif name in structs and all(map(_is_word, structs[name])):
            plain += structs[name]
            places.append(slice(at, indexed + len(plain)))
        else:
            plain.append(kind)
            places.append(at)
    return places, plain


def _words_decoder(indexed: Sequence[str], plain: Sequence[str]) -> Decoder:
    """For values that are words, one behind the other."""
    converts = [_word_converter(kind) for kind in (*indexed, *plain)]
    cut = Struct(f"{_WORD}s" * len(plain))

    def row(topics: Sequence[bytes], data: bytes) -> list[Any]:
        if len(data) < cut.size:
            raise ValueError(f"log data of {len(data)} bytes, {cut.size} expected")
        return [convert(word) for convert, word in zip(converts, (*topics, *cut.unpack_from(data)), strict=True)]

    return row


def _general_decoder(indexed: Sequence[str], plain: Sequence[str]) -> Decoder:
    converts = [_word_converter(kind) for kind in indexed]
    kinds = [_STRING.sub("bytes", kind) for kind in plain]

    def row(topics: Sequence[bytes], data: bytes) -> list[Any]:
        try:
            values = decode(kinds, data)
        except DecodingError as error:
            raise ValueError(f"log data of {len(data)} bytes: {error}") from error
        shown = [_shown(kind, value) for kind, value in zip(plain, values, strict=True)]
        return [*(convert(topic) for convert, topic in zip(converts, topics, strict=True)), *shown]

    return row


def _shown(kind: str, value: Any) -> Any:
    """Text is what a contract emits as such: nothing holds it to UTF-8."""
    if kind == "string":
        return value.decode(errors="replace")
    if kind.endswith("[]"):
        return tuple(_shown(kind.removesuffix("[]"), item) for item in value)
    if kind.startswith("("):  # no struct of ours nests deeper than one level
        return tuple(map(_shown, kind[1:-1].split(","), value))
    return checksum_address(value) if kind == "address" else value


def _is_word(kind: str) -> bool:
    return kind not in ("bytes", "string") and not kind.endswith("]") and not kind.startswith("(")


@lru_cache(maxsize=65_536)
def _address(word: bytes) -> str:
    return checksum_address(word[12:])


def _word_converter(kind: str) -> Convert:
    if kind == "address":
        return _address
    if kind == "bool":
        return lambda word: word[31] == 1
    if kind.startswith("uint"):
        return int.from_bytes
    if kind.startswith("int"):
        return lambda word: int.from_bytes(word, signed=True)
    size = int(kind.removeprefix("bytes"))
    return lambda word: word[:size]
