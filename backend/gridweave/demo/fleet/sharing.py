"""What an owner does with a stream: proves a reading, opens hours to the city, sells the meter, forgets an hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridweave.client import DeviceHolder, GridweaveClient, Wallet
from gridweave.client.telemetry import (
    ClosedSection,
    Handover,
    Ledger,
    Openings,
    PartyKeys,
    ReadingEvidence,
    ServiceSource,
    StreamKeys,
    StreamOwner,
    StreamReader,
    epoch_act,
    grant_act,
    hand_over,
    prove_one,
)
from gridweave.client.wire import Json
from gridweave.demo.fleet.air import Air
from gridweave.demo.fleet.fleet import Live
from gridweave.demo.waiter import Waiter
from gridweave.domain.telemetry.parties import PartySuite
from gridweave.domain.telemetry.readings import Reading
from gridweave.domain.telemetry.windows import window_at

__all__ = ["Proved", "Seen", "Sharing"]


@dataclass(frozen=True)
class Proved:
    """A reading that the contract found, and what it said of it."""

    owner: str
    reading: Reading
    power_w: int
    device: str
    block: int
    is_trusted: bool
    siblings: int


@dataclass(frozen=True)
class Seen:
    """What a party opens of one stream: `before` the sale and `after` it, readings each; `told` says why."""

    party: str
    why: str
    before: int
    after: int


class Sharing:
    """`stream` is the one that all of this is done to; `city` and `buyer` have keys of their own."""

    def __init__(self, client: GridweaveClient, waiter: Waiter, live: Live, buyer: Wallet) -> None:
        self.client, self.waiter, self.live, self.buyer = client, waiter, live, buyer
        self.source = ServiceSource(client)
        self.city, self.maker = PartyKeys.fresh(), PartyKeys.fresh()

    def prove(self, index: int) -> tuple[Proved, ReadingEvidence]:
        """One reading, checked without a chain and then by the contract. Raises ServiceError, a ProofRefusal."""
        evidence = prove_one(self._reader(Openings.of_owner(self.live.keys)), index)
        reading = evidence.check()
        found = self.client.post_plain("/v1/readings/verify", evidence.call())
        shown = Proved(
            owner=self.live.name,
            reading=reading,
            power_w=reading.values[0],
            device=str(found["device"]),
            block=int(found["blockNumber"]),
            is_trusted=bool(found["isTrusted"]),
            siblings=len(evidence.proof.path),
        )
        return shown, evidence

    def still_proved(self, evidence: ReadingEvidence) -> Json:
        """The same proof once more. Raises ServiceError."""
        return self.client.post_plain("/v1/readings/verify", evidence.call())

    def share(self, from_ms: int, end_ms: int, deadline: int) -> None:
        """Opens [from, end) to the city, on chain, sealed for whoever collects for a quantum computer."""
        first, end = window_at(from_ms), window_at(end_ms - 1) + 1
        given = hand_over(self.live.keys, 1, first, end, self.city.public, PartySuite.HYBRID)
        said = grant_act(given, self.city.account, deadline)
        self.waiter.require([StreamOwner(self.client, self.live.owner).grant(said, given)])

    def sell(self, air: Air, deadline: int) -> None:
        """The owner hands the device to the buyer with the device's word; the buyer begins an epoch of fresh keys."""
        device, own = self.live.device, self.live.meter.own
        offered = DeviceHolder(self.client, self.live.owner).offer(device, self.buyer.address, deadline, deadline)
        self.waiter.require([offered])
        word = own.hand_over(self.buyer.address, deadline)
        self.waiter.require([DeviceHolder(self.client, self.buyer).accept(word)])
        keys = StreamKeys(self.live.stream, self.live.keys.schema, ()).with_epoch(self.buyer.address, 2)
        air.give(self.live.stream, keys.of(2).keys)
        said = epoch_act(self.live.stream, 2, deadline)
        self.waiter.require([StreamOwner(self.client, self.buyer).begin_epoch(said)])
        self.live.bought = keys

    def erase(self, from_ms: int, end_ms: int) -> None:
        """The former owner forgets [from, end): what is left of the keys does not lead there."""
        self.live.keys = self.live.keys.without(window_at(from_ms), window_at(end_ms - 1) + 1)

    def seen(self, sold_at: int) -> list[Seen]:
        """Who opens what of the stream, before and behind reading `sold_at`."""
        assert self.live.bought is not None
        grants = [given.handover() for given in self.source.grants(self.city.account, self.live.stream)]
        stream, schema = self.live.stream, self.live.keys.schema
        given = Openings.of_grants(stream, schema, [grant.open(self.city) for grant in grants])
        others = Openings.of_grants(stream, schema, [])
        rows: Sequence[tuple[str, str, Openings]] = (
            (
                "citizen who sold",
                "the first epoch's keys, but for an erased hour",
                Openings.of_owner(self.live.keys),
            ),
            ("citizen who bought", "the second epoch's keys", Openings.of_owner(self.live.bought)),
            ("city", "a grant of four hours, on chain", given),
            ("utility", "nothing was granted", others),
            ("maker", "nothing was granted", others),
        )
        return [Seen(party, why, *self._counted(openings, sold_at)) for party, why, openings in rows]

    def opened_by_others(self, grants: Sequence[Handover]) -> bool:
        """Whether somebody else's key opens what was sealed for the city."""
        return any(_opens(lambda grant=grant: grant.open(self.maker)) for grant in grants)  # type: ignore[misc]

    def _counted(self, openings: Openings, sold_at: int) -> tuple[int, int]:
        before = after = 0
        for part in self._reader(openings).runs():
            if isinstance(part, ClosedSection):
                continue
            early = max(0, min(part.end_index, sold_at) - part.first_index)
            before, after = before + early, after + len(part) - early
        return before, after

    def _reader(self, openings: Openings) -> StreamReader:
        ledger = Ledger.check(self.source, self.live.stream)
        return StreamReader(ledger, self.source, openings, self.client.deployment.domain("TelemetryAnchor"))


def _opens(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except Exception:  # noqa: BLE001 - whatever stands in the way
        return False
    return True
