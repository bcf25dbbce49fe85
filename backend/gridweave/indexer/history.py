"""The history that auditors read: every event as it stands, and where each subject is named.

A subject is `kind:value`, the kind one of `KINDS`; slots have ten digits, so that text sorts as numbers do.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

from gridweave.chain.errors import error_name
from gridweave.chain.events import EVENTS, Event
from gridweave.domain.anchors import Span, device_of
from gridweave.domain.meters import Meter
from gridweave.domain.names import camel
from gridweave.domain.orders import CANCEL_WORD, ORDER_WORD
from gridweave.domain.readings import READING_WORD
from gridweave.domain.terms import MarketTerms
from gridweave.domain.words import WordLayout

__all__ = ["History"]

Row = dict[str, Any]
Show = Callable[[Any], Any]
Name = Callable[[Any], Iterable[str]]

_PLACE = frozenset(field.name for field in fields(Event))
_POSITION_BYTES = 14  # market, slot, meter, version
_EXACT = 2**53
"""Beyond this, programs that read JSON numbers as floats would lose digits: such integers are decimal text."""

_NAMES = {"sender": "from"}
"""The contract's parameter names that Python reserves."""

_WORDS = {"order": ORDER_WORD, "cancel": CANCEL_WORD, "reading": READING_WORD}
_SPANS = frozenset({("BatchAnchored", "span"), ("BatchRefused", "span"), ("EpochBegun", "tip")})
_NO_ACCOUNTS = frozenset({"contract", "module", "target", "authority", "key"})
"""Parameters that name contracts or keys."""

_KINDS = {"meter": "meter:%d", "ended": "meter:%d", "begun": "meter:%d", "market": "market:%d", "model": "model:%d"}
_KINDS |= dict.fromkeys(("device", "identity"), "device:%s")
_KINDS |= dict.fromkeys(("slot", "from_slot", "until_slot"), "slot:%010d")


class History:
    """Rows of `history` and `history_subjects`, gathered from events in chain order."""

    def __init__(self) -> None:
        self._block = -1
        self._rows: list[Row] = []
        self._named: list[Row] = []
        self._places: dict[str, list[str]] = defaultdict(list)

    def add(self, event: Event, key: Row) -> None:
        """Takes an event, `key` saying where it stands."""
        if event.block_number != self._block:
            self._end_block()
            self._block = event.block_number
        shape, log = _SHAPES[type(event)], str(event.log_index)
        self._rows.append(key | {"contract": event.contract, "event": shape.name, "args": shape.arguments(event)})
        for subject in shape.subjects(event, key["tx_hash"]):
            self._places[subject].append(log)

    def rows(self) -> dict[str, list[Row]]:
        """All of them, by table."""
        self._end_block()
        return {"history": self._rows, "history_subjects": self._named} if self._rows else {}

    def _end_block(self) -> None:
        for subject, logs in self._places.items():
            self._named.append({"subject": subject, "block_number": self._block, "logs": ",".join(logs)})
        self._places.clear()


class _Shape:
    """What is written of the events of one class, worked out once: a million of them pass here in a minute."""

    def __init__(self, kind: type[Event]) -> None:
        self.name = kind.__name__
        self._event = f"event:{self.name}"
        own = [field for field in fields(kind) if field.name not in _PLACE]
        self._shows = [(field.name, _shower(self.name, field.name, str(field.type))) for field in own]
        pairs = (f'"{camel(_NAMES.get(field.name, field.name))}":%s' for field in own)
        self._json = f"{{{','.join(pairs)}}}"
        self._formats = [(field.name, text) for field in own if (text := _format(field.name, str(field.type)))]
        self._namers = [(field.name, name) for field in own if (name := _namer(field.name, str(field.type)))]

    def arguments(self, event: Event) -> str:
        """The parameters as a JSON object by the contract's names: words by their fields, reasons by name."""
        return self._json % tuple([show(getattr(event, name)) for name, show in self._shows])

    def subjects(self, event: Event, tx_hash: str) -> Iterable[str]:
        """What a filter may ask for and this event names, each once."""
        found = [f"contract:{event.contract}", self._event, f"transaction:{tx_hash}"]
        found += [text % getattr(event, name) for name, text in self._formats]
        for name, of in self._namers:
            found += of(getattr(event, name))
        return dict.fromkeys(found)


def _shower(event: str, name: str, kind: str) -> Show:
    """The parameter as JSON text."""
    if layout := _WORDS.get(name):
        return _taken_apart(layout)
    if (event, name) == ("MeterRegistered", "terms"):
        return lambda word: json.dumps(_plain(Meter.unpack(word.to_bytes(32, "big"))), separators=(",", ":"))
    if (event, name) in _SPANS:
        return lambda word: json.dumps(_plain(Span.unpack(word.to_bytes(32, "big"))), separators=(",", ":"))
    if (event, name) == ("BodyAnchored", "body"):
        return lambda body: f'{{"sha256":"0x{hashlib.sha256(body).hexdigest()}","bytes":{len(body)}}}'
    if name == "reason":
        return lambda reason: f'"{error_name(reason[:4])}"'
    if name != "label" and kind in _SHOWN:
        return _SHOWN[kind]
    return lambda value: json.dumps(_plain(value), separators=(",", ":"))


_SHOWN: dict[str, Show] = {
    "str": lambda text: f'"{text}"',
    "bytes": lambda raw: f'"0x{raw.hex()}"',
    "bool": lambda truth: "true" if truth else "false",
    "int": lambda number: number if -_EXACT <= number <= _EXACT else f'"{number}"',
}


def _taken_apart(layout: WordLayout) -> Show:
    """A word by its fields, whose numbers are all small enough."""
    places = [(at, mask) for _, at, mask in layout.places]
    pairs = (f'"{name}":%d' for name, _, _ in layout.places)
    text = f"{{{','.join(pairs)}}}"

    def show(word: bytes) -> str:
        number = int.from_bytes(word)
        return text % tuple([number >> at & mask for at, mask in places])

    return show


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value) if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {camel(field.name): _plain(getattr(value, field.name)) for field in fields(value)}


def _format(name: str, kind: str) -> str | None:
    """A subject as a format of the parameter's value."""
    is_account = kind == "str" and name not in _NO_ACCOUNTS and name != "label"
    return _KINDS.get(name) or ("account:%s" if is_account else None)


def _namer(name: str, kind: str) -> Name | None:
    """Subjects in a parameter that holds several."""
    if name == "terms" and kind == "MarketTerms":
        return _of_terms
    several: dict[str, Name] = {
        "meters": _of_meters,
        "keys": _of_keys,
        "ref": _of_reference,
        "order": _of_position,
        "cancel": _of_position,
        "stream": _of_stream,
    }
    return several.get(name)


def _of_terms(terms: MarketTerms) -> Iterable[str]:
    return f"account:{terms.utility}", f"account:{terms.operator}"


def _of_stream(stream: bytes) -> Iterable[str]:
    """A stream's name begins with its device."""
    return (f"device:{device_of(stream)}",)


def _of_meters(meters: Sequence[int]) -> Iterable[str]:
    return [f"meter:{meter}" for meter in meters]


def _of_keys(keys: Sequence[str]) -> Iterable[str]:
    return [f"account:{key}" for key in keys]


def _of_position(word: bytes) -> Iterable[str]:
    """An order's or cancel's word begins with market, slot and meter, four bytes each."""
    position = int.from_bytes(word[:12])
    market, slot, meter = position >> 64, position >> 32 & 0xFFFFFFFF, position & 0xFFFFFFFF
    return f"market:{market}", f"slot:{slot:010d}", f"meter:{meter}"


def _of_reference(ref: bytes) -> Iterable[str]:
    """A move of the auction's is for a position, whose word has zeros behind its version; a bond's names a relayer."""
    return () if any(ref[_POSITION_BYTES:]) else _of_position(ref)


_SHAPES = {kind: _Shape(kind) for kind in EVENTS.values()}
