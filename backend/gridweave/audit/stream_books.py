"""What the TelemetryAnchor must answer and hold once the replay has come to the audited block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gridweave.audit.differences import Subject
from gridweave.audit.storage import Claim, WordClaim
from gridweave.audit.streams import CONTRACT, Streams
from gridweave.chain.hexes import to_hex
from gridweave.chain.stream_words import words_of_stream

__all__ = ["claims_of_streams", "words_of_streams"]


def claims_of_streams(streams: Streams) -> Iterator[Claim]:
    """What anybody who asks the anchor is told of each stream, of a page that is still open too."""
    for stream, record in streams.book.streams.items():
        subject = Subject(stream=to_hex(stream), device=record.device)
        kept = record.keeper, record.epoch
        named = (record.device, record.schema_hash, record.mode)
        yield Claim(CONTRACT, "streamOf", named, ("stream",), (stream,), subject)
        yield Claim(CONTRACT, "keeperOf", (stream,), ("owner", "epoch"), kept, subject)
        yield Claim(CONTRACT, "tipHashOf", (stream,), ("tipHash",), (record.tip.hash,), subject)
        for page, root in enumerate([*record.pages, bytes(32)]):
            yield Claim(CONTRACT, "pageOf", (stream, page), (f"page {page}",), (root,), subject)


def words_of_streams(streams: Streams) -> Iterator[WordClaim]:
    """Every word that the anchor keeps of streams."""
    for stream, record in streams.book.streams.items():
        subject = Subject(stream=to_hex(stream), device=record.device)
        for word in words_of_stream(stream, record):
            yield WordClaim(CONTRACT, word.slot, (word.word,), replace(subject, field=f"word.{word.field}"))
