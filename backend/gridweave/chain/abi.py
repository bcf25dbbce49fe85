"""Codecs made once from an artifact's ABI: functions through eth_abi, events through decoders of their own.

The contracts' own events are made of words, so decoding one is slicing, ten times faster than a general decoder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from gridweave import artifacts
from gridweave.domain.addresses import checksum_address
from gridweave.domain.hashing import keccak

__all__ = ["Abi", "EventAbi", "Function", "abi_of", "canonical_type", "snake_case"]

Json = dict[str, Any]
Convert = Callable[[bytes], Any]

_WORD = 32
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

    def values(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Parameters by name; a struct is a tuple. ValueError if the log is too short for the event."""
        return self._decoder(topics, data)

    @cached_property
    def _decoder(self) -> Callable[[Sequence[bytes], bytes], dict[str, Any]]:
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


def _decoder(event: EventAbi) -> Callable[[Sequence[bytes], bytes], dict[str, Any]]:
    structs = dict(event.structs)
    indexed = [(name, _word_converter(kind)) for name, is_indexed, kind in event.parameters if is_indexed]
    plain = [(name, kind) for name, is_indexed, kind in event.parameters if not is_indexed]
    body = _words_decoder(plain, structs) or _general_decoder(plain)

    def values(topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        if len(topics) != len(indexed) + 1:
            raise ValueError(f"{event.name} has {len(indexed)} indexed parameters")
        found = {name: convert(topic) for (name, convert), topic in zip(indexed, topics[1:], strict=True)}
        found.update(body(data))
        return found

    return values


def _words_decoder(
    plain: Sequence[tuple[str, str]], structs: dict[str, tuple[str, ...]]
) -> Callable[[bytes], dict[str, Any]] | None:
    """A decoder for parameters that are words or structs of words; None if one is dynamic."""
    steps: list[tuple[str, int, int | None]] = []  # the name, its first word, and for a struct where it ends
    words: list[tuple[Convert, int]] = []
    for name, kind in plain:
        kinds = structs.get(name, (kind,))
        if not all(_is_word(part) for part in kinds):
            return None
        steps.append((name, len(words), len(words) + len(kinds) if name in structs else None))
        words += [(_word_converter(part), _WORD * (len(words) + at)) for at, part in enumerate(kinds)]
    size = _WORD * len(words)

    def body(data: bytes) -> dict[str, Any]:
        if len(data) < size:
            raise ValueError(f"log data of {len(data)} bytes, {size} expected")
        values = [convert(data[at : at + _WORD]) for convert, at in words]
        return {name: values[first] if last is None else tuple(values[first:last]) for name, first, last in steps}

    return body


def _general_decoder(plain: Sequence[tuple[str, str]]) -> Callable[[bytes], dict[str, Any]]:
    kinds = [kind for _, kind in plain]

    def body(data: bytes) -> dict[str, Any]:
        try:
            values = decode(kinds, data)
        except DecodingError as error:
            raise ValueError(f"log data of {len(data)} bytes: {error}") from error
        return {
            name: checksum_address(value) if kind == "address" else value
            for (name, kind), value in zip(plain, values, strict=True)
        }

    return body


def _is_word(kind: str) -> bool:
    return kind not in ("bytes", "string") and not kind.endswith("]") and not kind.startswith("(")


def _word_converter(kind: str) -> Convert:
    if kind == "address":
        return lambda word: checksum_address(word[12:])
    if kind == "bool":
        return lambda word: word[31] == 1
    if kind.startswith("uint"):
        return int.from_bytes
    if kind.startswith("int"):
        return lambda word: int.from_bytes(word, signed=True)
    size = int(kind.removeprefix("bytes"))
    return lambda word: word[:size]
