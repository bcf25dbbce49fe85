"""A source that lies: every batch is checked against what the chain keeps, and every lie has a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from gridweave.cli.telemetry_chain import ChainSource
from gridweave.client.telemetry import AnchoredBatch, KeyFile, Ledger, Openings, StreamFacts, StreamReader
from gridweave.domain.errors import DomainError
from gridweave.domain.telemetry.errors import TelemetryRefusal
from gridweave.domain.telemetry.verifying import DeviceKey
from tests.e2e.telemetry.conftest import Street
from tests.e2e.telemetry.world import PASSWORD

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]

Batches = Sequence[AnchoredBatch]


class Liar:
    """Tells what the chain does, but for what a test makes of it."""

    def __init__(self, source: ChainSource) -> None:
        self._source = source
        self.facts_as: Callable[[StreamFacts], StreamFacts] = lambda facts: facts
        self.batches_as: Callable[[Batches], Batches] = lambda batches: batches
        self.body_as: Callable[[bytes], bytes] = lambda body: body
        self.keys: Sequence[DeviceKey] | None = None

    def facts(self, stream: bytes) -> StreamFacts:
        return self.facts_as(self._source.facts(stream))

    def batches(self, stream: bytes) -> Batches:
        return self.batches_as(self._source.batches(stream))

    def body(self, batch: AnchoredBatch) -> bytes:
        return self.body_as(self._source.body(batch))

    def device_keys(self, device: str, block: int) -> Sequence[DeviceKey]:
        return self._source.device_keys(device, block) if self.keys is None else self.keys


@pytest.fixture
def liar(source: ChainSource) -> Liar:
    return Liar(source)


def reader(street: Street, source: Liar | ChainSource) -> StreamReader:
    keys = KeyFile(street.world.home / "owner.streams", PASSWORD).read().of(street.full.stream)
    ledger = Ledger.check(source, street.full.stream)
    return StreamReader(ledger, source, Openings.of_owner(keys), street.world.domain())


def at(batches: Batches, number: int, **changes: object) -> Batches:
    """With batch `number` changed; of a span's fields those that begin with span_."""
    batch = batches[number - 1]
    spans = {name.removeprefix("span_"): value for name, value in changes.items() if name.startswith("span_")}
    others = {name: value for name, value in changes.items() if not name.startswith("span_")}
    span = replace(batch.span, **spans)  # type: ignore[arg-type]
    changed = replace(batch, **({"span": span} | others))  # type: ignore[arg-type]
    return [*batches[: number - 1], changed, *batches[number:]]


LIES: dict[str, tuple[Callable[[Batches], Batches], str]] = {
    "the last left out": (lambda b: b[:-1], "BatchesMissing"),
    "one left out": (lambda b: [*b[:4], *b[5:], b[-1]], "BatchNotNext"),
    "one twice": (lambda b: [*b[:4], b[3], *b[4:-1]], "BatchNotNext"),
    "two swapped": (lambda b: [*b[:4], b[5], b[4], *b[6:]], "BatchNotNext"),
    "another root": (lambda b: at(b, 7, root=bytes(32)), "BatchHeadWrong"),
    "another body": (lambda b: at(b, 7, body_hash=bytes(32)), "BatchHeadWrong"),
    "another head": (lambda b: at(b, 7, head=bytes(32)), "BatchHeadWrong"),
    "the last head": (lambda b: at(b, 36, head=bytes(32)), "BatchHeadWrong"),
    "another epoch": (lambda b: at(b, 7, span_epoch=2), "BatchHeadWrong"),
    "other times": (lambda b: at(b, 7, span_first_ms=b[6].span.first_ms + 1), "BatchHeadWrong"),
    "time that runs back": (lambda b: at(b, 7, span_first_ms=1), "BatchNotNext"),
    "no readings": (lambda b: at(b, 36, span_count=0), "BatchNotNext"),
    "another count": (lambda b: at(b, 7, span_count=29), "BatchHeadWrong"),
    "another block in a closed page": (lambda b: at(b, 7, time=b[6].time + 1), "PageDiffers"),
    "another nonce in a closed page": (lambda b: at(b, 7, span_device_nonce=9), "PageDiffers"),
    "another time in the open page": (lambda b: at(b, 34, time=b[33].time + 1), "TipDisagrees"),
    "of another stream": (lambda b: at(b, 7, stream=bytes(32)), "BatchNotNext"),
    "blocks that run back": (lambda b: at(b, 7, block=1), "BatchNotNext"),
}


@pytest.mark.parametrize("lie", LIES)
def test_check__of_batches_that_were_not_anchored_so__names_it(street: Street, liar: Liar, lie: str) -> None:
    liar.batches_as, name = LIES[lie]
    with pytest.raises(TelemetryRefusal) as refused:
        Ledger.check(liar, street.full.stream)
    assert refused.value.name == name


def test_check__of_another_tip__is_refused(street: Street, liar: Liar) -> None:
    liar.facts_as = lambda facts: replace(facts, tip_hash=bytes(32))
    with pytest.raises(TelemetryRefusal, match="TipDisagrees"):
        Ledger.check(liar, street.full.stream)
    liar.facts_as = lambda facts: replace(facts, tip_hash=bytes(32), tip_nonce=None, page_roots=None)
    with pytest.raises(TelemetryRefusal, match="TipDisagrees"):
        Ledger.check(liar, street.full.stream)


def test_check__of_history_cut_short__is_refused(street: Street, liar: Liar) -> None:
    """A source that forgets the last batch everywhere is found out by the tip that the chain keeps."""
    liar.facts_as = lambda facts: replace(facts, number=facts.number - 1)
    liar.batches_as = lambda batches: batches[:-1]
    with pytest.raises(TelemetryRefusal, match="TipDisagrees"):
        Ledger.check(liar, street.full.stream)


def test_check__without_the_tips_nonce__finds_it(street: Street, liar: Liar, source: ChainSource) -> None:
    liar.facts_as = lambda facts: replace(facts, tip_nonce=None, page_roots=None)
    for meter in street.streams.values():
        told = Ledger.check(liar, meter.stream)
        assert told.tip == Ledger.check(source, meter.stream).tip == meter.tip


def test_check__after_an_epoch_was_begun__finds_the_tip(passing: Street) -> None:
    passing.world.begin_epoch(passing.full, 4, owner="buyer")
    with ChainSource(passing.world.url, passing.world.home / "deployment.json") as now:
        liar = Liar(now)
        liar.facts_as = lambda facts: replace(facts, tip_nonce=None)
        assert Ledger.check(liar, passing.full.stream).tip == Ledger.check(now, passing.full.stream).tip
        assert Ledger.check(now, passing.full.stream).tip == passing.full.tip


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda body: body[:-1],
    "empty": lambda _: b"",
    "extended": lambda body: body + b"\0",
    "a bit changed": lambda body: bytes([*body[:200], body[200] ^ 1, *body[201:]]),
}


@pytest.mark.parametrize("lie", BODIES)
def test_read__of_a_body_that_was_not_signed__is_refused(street: Street, liar: Liar, lie: str) -> None:
    liar.body_as = BODIES[lie]
    with pytest.raises(TelemetryRefusal, match="BodyHashWrong"):
        list(reader(street, liar).runs())


@pytest.mark.parametrize(
    ("lie", "name"),
    [
        ("truncated", "BodyTruncated"),
        ("empty", "BodyTruncated"),
        ("extended", "BodyExtended"),
        ("a bit changed", "SectionAltered"),
    ],
)
def test_read__of_a_body_that_was_changed_before_it_was_anchored__is_refused(
    street: Street, liar: Liar, lie: str, name: str
) -> None:
    """A device that signs what its gateway made up: the hash is right, the ciphertext is not."""
    opened = reader(street, liar)
    liar.body_as = BODIES[lie]
    batches = tuple(
        replace(batch, body_hash=sha256(liar.body(batch)).digest()) if batch.number == 3 else batch
        for batch in opened.ledger.batches
    )
    opened.ledger = replace(opened.ledger, batches=batches)
    with pytest.raises(TelemetryRefusal) as refused:
        list(opened.sections(batches[2]))
    assert refused.value.name == name


def test_read__of_segments_that_the_device_did_not_sign__is_refused(street: Street, liar: Liar) -> None:
    liar.keys = [DeviceKey(street.kept.key.kind, street.kept.key.x, street.kept.key.y)]
    with pytest.raises(DomainError, match="SegmentSignatureInvalid"):
        list(reader(street, liar).runs())
    liar.keys = []
    with pytest.raises(DomainError, match="SegmentSignatureInvalid"):
        list(reader(street, liar).runs())
