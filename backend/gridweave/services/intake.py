"""From a checked request to an acknowledgement: one door for every kind of item.

A request that is known already gets the answer that it got before, even when it would be refused today.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import to_compact
from gridweave.outbox.kinds import Kind
from gridweave.services.backing import backed
from gridweave.services.errors import NonceTaken, Refused, RelayerOutOfFunds, ServiceError
from gridweave.services.world import World
from gridweave.store.records import Accepted, Item, NewItem

__all__ = ["MOST_TIME", "Answer", "Candidate", "Limit", "admit", "refusal"]

log = structlog.get_logger(__name__)

MOST_TIME = 2**40 - 1
"""The last moment that a promise can name."""

_NONCE_ERRORS = {
    Kind.ORDER: "VersionNotNewer",
    Kind.CANCEL: "VersionNotNewer",
    Kind.READING: "ReadingNotNewer",
    Kind.RELEASE_KEYS: "WrongKeySetVersion",
    Kind.RELEASE: "CounterNotIncreasing",
    Kind.ROLLOUT: "WrongRolloutState",
}


@dataclass(frozen=True)
class Limit:
    """At most `room` items under way may touch `lane`; `error` is what the next one is told."""

    lane: str
    room: int
    error: ServiceError


@dataclass(frozen=True)
class Candidate:
    """A request that was looked at: what to store, or why not. `id` is its digest, 0x hex.

    `signature` is what an order or a schedule is acknowledged with, or what came with what is refused.
    """

    id: str
    item: NewItem | None = None
    error: ServiceError | None = None
    limits: tuple[Limit, ...] = ()
    signature: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the sender of a request is told."""

    id: str
    item: Item | None = None
    error: ServiceError | None = None

    @property
    def body(self) -> dict[str, Any]:
        """{id, status, commitBefore, acknowledgement, sponsor} or {id, error}."""
        if self.item is None:
            return {"id": self.id, "error": self.error.body if self.error else None}
        return {
            "id": self.id,
            "status": self.item.status,
            "reason": self.item.reason,
            "commitBefore": self.item.commit_before,
            "acknowledgement": self.item.acknowledgement,
            "sponsor": self.item.sponsor,
        }


async def admit(world: World, candidates: list[Candidate]) -> list[Answer]:
    """Stores what may be stored and answers every candidate, in order. Raises StoreUnavailable."""
    within = _within_limits(world, candidates, ())
    if within != candidates:  # what is known already takes no room
        within = _within_limits(world, candidates, await world.outbox.items([c.id for c in candidates]))
    candidates = within
    wanted = backed(world, [(c.item, c.signature) for c in candidates if c.item is not None])
    with world.purse.asking(sum(world.purse.cost_of(item) for item in wanted)):
        accepted = await world.queue.accept(wanted)
    new = [item for item, found in zip(wanted, accepted, strict=True) if found.is_new]
    if new:
        world.purse.take(sum(world.purse.cost_of(item) for item in new))
        log.info("accepted", items=[item.id for item in new])
    stored = iter(accepted)
    refused = [c.id for c in candidates if c.item is None]
    known = await world.outbox.items(refused) if refused else {}
    return [
        _told(candidate, next(stored)) if candidate.item is not None else _again(candidate, known.get(candidate.id))
        for candidate in candidates
    ]


def _within_limits(world: World, candidates: Sequence[Candidate], known: Collection[str]) -> list[Candidate]:
    """The candidates, those for which there is no room refused. Nothing may be awaited between this and the queue."""
    taken: Counter[str] = Counter()
    cost = 0
    seen = set(known)
    within: list[Candidate] = []
    for candidate in candidates:
        if candidate.item is None or candidate.id in seen or world.queue.holds(candidate.id):
            within.append(candidate)
            continue
        over = next((x for x in candidate.limits if world.lanes.count(x.lane) + taken[x.lane] >= x.room), None)
        if over is not None:
            within.append(Candidate(candidate.id, error=over.error))
            continue
        cost += world.purse.cost_of(candidate.item)
        if not world.purse.can_take(cost):
            within.append(Candidate(candidate.id, error=RelayerOutOfFunds(world.relayer.address)))
            continue
        taken.update(limit.lane for limit in candidate.limits)
        seen.add(candidate.id)
        within.append(candidate)
    return within


def refusal(error: Exception) -> ServiceError:
    """A domain's refusal as the API says it."""
    if isinstance(error, ServiceError):
        return error
    return Refused(getattr(error, "name", type(error).__name__), getattr(error, "values", {}))


def _told(candidate: Candidate, accepted: Accepted) -> Answer:
    if accepted.item is not None:
        return Answer(candidate.id, accepted.item)
    kind = Kind(candidate.item.kind) if candidate.item else Kind.ORDER
    return Answer(candidate.id, error=NonceTaken(_NONCE_ERRORS.get(kind, "NonceUsed"), accepted.conflict or ""))


def _again(candidate: Candidate, known: Item | None) -> Answer:
    """What is refused now and known gets its earlier answer, if it comes as it came then: a guess comes unsigned."""
    if known is not None and _is_the_same(candidate, known):
        return Answer(candidate.id, known)
    return Answer(candidate.id, error=candidate.error)


def _is_the_same(candidate: Candidate, known: Item) -> bool:
    """Whether it came with the known one's signature, in either form."""
    forms = [candidate.signature] if candidate.signature else []
    with contextlib.suppress(SignatureMalformed):
        forms.append(to_compact(candidate.signature))
    kept = known.payload.get("signature") or known.payload.get("data", "")
    return any(form.hex() in kept for form in forms)
