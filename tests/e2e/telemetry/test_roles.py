"""Utility, maker, city and citizen see exactly their streams: who, which stream, which quarters, which epoch."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from gridweave.cli.telemetry_chain import ChainSource
from gridweave.client.telemetry import (
    AnchoredBatch,
    ClosedSection,
    Handover,
    KeyFile,
    Ledger,
    Openings,
    PartyKeys,
    StreamReader,
)
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.e2e.telemetry.conftest import PARTIES, Street
from tests.e2e.telemetry.world import PASSWORD, SCHEMA, START_MS

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]

QUARTERS = {1: range(8), 2: range(8, 10), 3: range(10, 12)}
"""Of an epoch."""
MAY_SEE = {
    ("citizen", "full", 1): range(8),
    ("citizen", "full", 2): range(8, 10),
    ("citizen", "kept", 1): range(8),
    ("buyer", "full", 3): range(10, 12),
    ("utility", "full", 1): range(4),
    ("city", "full", 1): range(2, 8),
    ("maker", "full", 1): range(4, 6),
    ("maker", "kept", 1): range(2),
}
"""Nobody sees anything else."""
EVERYBODY = ("citizen", "buyer", *PARTIES, "stranger")
RANGES = ((0, 2), (2, 4), (3, 5), (4, 6), (6, 8), (7, 9), (8, 10), (10, 12), (0, 12))


class Remembered(ChainSource):
    """One that asks for each body once."""

    def __init__(self, source: ChainSource) -> None:
        self.__dict__ |= source.__dict__
        self.body = cache(source.body)  # type: ignore[method-assign]


class Readers:
    def __init__(self, street: Street, source: ChainSource) -> None:
        self.street, self.source = street, Remembered(source)
        self.of = cache(self._of)

    def _of(self, who: str, which: str) -> StreamReader:
        meter = self.street.streams[which]
        ledger = Ledger.check(self.source, meter.stream)
        return StreamReader(ledger, self.source, self._openings(who, meter.stream), self.source.domain)

    def _openings(self, who: str, stream: bytes) -> Openings:
        home = self.street.world.home
        if who in ("citizen", "buyer"):
            owner = "owner" if who == "citizen" else who
            streams = KeyFile(home / f"{owner}.streams", PASSWORD).read().streams
            return Openings.of_owner(streams[stream]) if stream in streams else Openings(stream, SCHEMA, ())
        keys = PartyKeys.fresh() if who == "stranger" else PartyKeys.load(home / "keys" / f"{who}.party", PASSWORD)
        given = [event.handover() for event in self.source.grants(keys.account)]
        if who == "maker":
            given.append(Handover.of_file((home / "maker.grant").read_bytes()))
        return Openings.of_grants(stream, SCHEMA, [each.open(keys) for each in given])


@pytest.fixture(scope="module")
def readers(founded: Street, source: ChainSource) -> Readers:
    return Readers(founded, source)


@pytest.mark.parametrize("quarters", RANGES, ids=str)
@pytest.mark.parametrize(("who", "which", "epoch"), list(product(EVERYBODY, ("full", "kept"), (1, 2, 3))), ids=str)
def test_reader__sees_exactly_its_part(
    readers: Readers, who: str, which: str, epoch: int, quarters: tuple[int, int]
) -> None:
    reader, meter = readers.of(who, which), readers.street.streams[which]
    begin, end = (START_MS + quarter * WINDOW_MS for quarter in quarters)
    opened, closed = [], 0
    for batch in reader.ledger.between(begin, end):
        if batch.span.epoch == epoch:
            for part in _parts(reader, batch, begin, end):
                if isinstance(part, ClosedSection):
                    closed += part.count
                else:
                    opened.append(part)
    asked = [quarter for quarter in QUARTERS[epoch] if quarter in range(*quarters)]
    allowed = [quarter for quarter in asked if quarter in MAY_SEE.get((who, which, epoch), ())]
    assert b"".join(opened) == b"".join(meter.records(allowed))
    assert closed == len(meter.records(asked)) - len(meter.records(allowed))


def _parts(reader: StreamReader, batch: AnchoredBatch, begin: int, end: int) -> list[bytes | ClosedSection]:
    parts = reader.sections(batch, begin, end)
    return [part if isinstance(part, ClosedSection) else part.run.raw for part in parts]


def test_matrix__names_every_party_and_epoch_that_there_is() -> None:
    assert {who for who, _, _ in MAY_SEE} | {"stranger"} == set(EVERYBODY)
    assert {epoch for _, _, epoch in MAY_SEE} == set(QUARTERS)
