"""The history that auditors read: every event as it stands, and where each subject is named.

A subject is `kind:value`, the kind one of `KINDS`; slots have ten digits, so that text sorts as numbers do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from gridweave.chain.errors import error_name
from gridweave.chain.events import EVENTS, Event
from gridweave.chain.hexes import to_hex
from gridweave.domain.meters import Meter
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.readings import Reading
from gridweave.domain.terms import MarketTerms

__all__ = ["arguments_json", "history_rows", "subjects_of"]

Row = dict[str, Any]
Subjects = Iterator[str]

_POSITION_BYTES = 14  # market, slot, meter, version
_PLACE = frozenset(field.name for field in fields(Event))
_EXACT = 2**53
"""Beyond this, programs that read JSON numbers as floats would lose digits: such integers are decimal text."""

_NAMES = {"sender": "from"}
"""The contract's parameter names that Python reserves."""

_WORDS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("Placed", "order"): Order.unpack,
    ("Compensated", "order"): Order.unpack,
    ("Cancelled", "cancel"): Cancel.unpack,
    ("ReadingRecorded", "reading"): Reading.unpack,
    ("MeterRegistered", "terms"): lambda word: Meter.unpack(word.to_bytes(32, "big")),
}
_CONTRACTS = frozenset({"contract", "module", "target", "authority"})
"""Parameters that name contracts, which are no accounts."""

_NUMBERED = {"meter": "meter", "ended": "meter", "begun": "meter", "market": "market"} | dict.fromkeys(
    ("slot", "from_slot", "until_slot"), "slot"
)


def history_rows(events: Iterable[Event]) -> dict[str, list[Row]]:
    """Rows of `history` and `history_subjects` for all events of some blocks."""
    rows: list[Row] = []
    places: dict[tuple[str, int], list[str]] = {}
    for event in events:
        block, log = event.block_number, event.log_index
        row: Row = {"block_number": block, "log_index": log, "tx_hash": to_hex(event.transaction_hash)}
        rows.append(row | {"contract": event.contract, "event": type(event).__name__, "args": arguments_json(event)})
        for subject in subjects_of(event, row["tx_hash"]):
            places.setdefault((subject, block), []).append(str(log))
    named = [
        {"subject": subject, "block_number": block, "logs": ",".join(logs)} for (subject, block), logs in places.items()
    ]
    return {"history": rows, "history_subjects": named} if rows else {}


def arguments_json(event: Event) -> str:
    """The parameters as a JSON object under the contract's names: words by their fields, errors by name."""
    shown = {name: show(getattr(event, of)) for name, of, show in _ARGUMENTS[type(event)]}
    return json.dumps(shown, separators=(",", ":"))


def subjects_of(event: Event, transaction: str) -> set[str]:
    """What a filter may ask for and this event names."""
    found = {f"contract:{event.contract}", f"event:{type(event).__name__}", f"transaction:{transaction}"}
    for of, name in _NAMING[type(event)]:
        found.update(name(getattr(event, of)))
    return found


def _arguments(kind: type[Event]) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    """Each parameter: its name, its field, and how it is shown."""
    own = [field.name for field in fields(kind) if field.name not in _PLACE]
    return tuple((_camel(_NAMES.get(name, name)), name, _shower(kind.__name__, name)) for name in own)


def _shower(event: str, name: str) -> Callable[[Any], Any]:
    if unpack := _WORDS.get((event, name)):
        return lambda word: _fields(unpack(word))
    return error_name if name == "reason" else _shown


def _shown(value: Any) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value) if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, bytes):
        return to_hex(value)
    return _fields(value) if isinstance(value, MarketTerms) else [_shown(item) for item in value]


def _fields(value: Any) -> dict[str, Any]:
    return {_camel(field.name): _shown(getattr(value, field.name)) for field in fields(value)}


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _naming(kind: type[Event]) -> tuple[tuple[str, Callable[[Any], Iterable[str]]], ...]:
    """Which parameters name subjects, and how."""
    found = [(field.name, _namer(field.name, str(field.type))) for field in fields(kind) if field.name not in _PLACE]
    return tuple((name, namer) for name, namer in found if namer is not None)


def _namer(name: str, kind: str) -> Callable[[Any], Iterable[str]] | None:
    special: dict[str, Callable[[Any], Iterable[str]]] = {
        "meters": lambda meters: [f"meter:{meter}" for meter in meters],
        "ref": _of_reference,
        "order": _of_position,
        "cancel": _of_position,
        "device": lambda device: (f"device:{device}",),
    }
    if name in special:
        return special[name]
    if name == "terms" and kind == "MarketTerms":
        return lambda terms: (f"account:{terms.utility}", f"account:{terms.operator}")
    if number := _NUMBERED.get(name):
        digits = "010d" if number == "slot" else "d"
        return lambda value: (f"{number}:{value:{digits}}",)
    if kind == "str" and name not in _CONTRACTS and name != "label":
        return lambda account: (f"account:{account}",)
    return None


def _of_position(word: bytes) -> Subjects:
    """An order's or cancel's word begins with market, slot and meter, four bytes each."""
    market, slot, meter = (int.from_bytes(word[at : at + 4]) for at in (0, 4, 8))
    yield from (f"market:{market}", f"slot:{slot:010d}", f"meter:{meter}")


def _of_reference(ref: bytes) -> Subjects:
    """A move of the auction's is for a position, whose word has zeros behind its version; a bond's names a relayer."""
    if not any(ref[_POSITION_BYTES:]):
        yield from _of_position(ref)


_ARGUMENTS = {kind: _arguments(kind) for kind in EVENTS.values()}
_NAMING = {kind: _naming(kind) for kind in EVENTS.values()}
