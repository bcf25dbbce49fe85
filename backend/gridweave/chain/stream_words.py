"""The TelemetryAnchor's storage word by word: which slot must hold what, by the compiler's layout."""

from __future__ import annotations

from collections.abc import Iterator

from gridweave.chain.device_words import Word
from gridweave.chain.layout import entry_slot, member_slots, variable_slot
from gridweave.domain.stream_book import StreamRecord

__all__ = ["words_of_stream"]

_CONTRACT = "TelemetryAnchor"


def words_of_stream(stream: bytes, record: StreamRecord) -> Iterator[Word]:
    """Its record, the roots of its full pages, and that the page behind them is open."""
    base = entry_slot(variable_slot(_CONTRACT, "_records"), stream)
    members = member_slots(_CONTRACT, "Record")
    keeper = record.epoch << 160 | int(record.keeper, 16)
    yield Word(base + members["tipHash"], "tipHash", record.tip.hash)
    yield Word(base + members["keeper"], "keeper", keeper.to_bytes(32, "big"))
    for page, root in enumerate([*record.pages, bytes(32)]):
        yield Word(entry_slot(base + members["pages"], page), f"page {page}", root)
