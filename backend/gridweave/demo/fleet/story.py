"""The fleet's day, from the factory to the audit: who does what, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gridweave.client import GridweaveClient, Wallet
from gridweave.demo.fleet.air import Air, Ways
from gridweave.demo.fleet.fleet import Live, go_live
from gridweave.demo.fleet.intruders import Watch
from gridweave.demo.fleet.makers import Batch, claim_all, make
from gridweave.demo.fleet.measures import Measures
from gridweave.demo.fleet.outcome import FleetOutcome, Reread
from gridweave.demo.fleet.rollout import ALL_BP, BAD, HALF_BP, MENDED, Stewardship
from gridweave.demo.fleet.sharing import Sharing
from gridweave.demo.hood_data import HoodDay
from gridweave.demo.waiter import Waiter
from gridweave.domain.telemetry.readings import Reading

__all__ = ["FleetCast", "FleetPlan", "Told", "live_the_day"]

_PER_HOUR = 4
_HOUR_S, _HOUR_MS = 3_600, 3_600_000
_LIFE_S = 86_400 * 3
_PATIENCE = 4_000
_FORGED, _CLONED, _REPLAYED, _CHANGED, _REVOKED = 2, 5, 9, 11, 18
_RELEASED, _RAMPED, _WITHDRAWN, _MENDED, _ALL = 8, 10, 14, 15, 16
"""Hours of the day."""
_SHARED_FROM, _SHARED_UNTIL, _ERASED = 16, 20, 3
_SHARED_AT, _SOLD_AT = 21, 22
_SOLD, _PROVED, _NOON = 10, 17, 12
"""Live meters of which one is sold, and one proves what it measured at noon."""


class Told(Protocol):
    """Who is told how far it is."""

    def begin(self, stage: str) -> None: ...

    def so_far(self, done: int, total: int, note: str) -> None: ...


@dataclass(frozen=True)
class FleetPlan:
    """How large it is: devices of the batch, of which the first are live, and of those the first measure quickly."""

    enrolled: int = 1_000
    live: int = 100
    quick: int = 2


@dataclass
class FleetCast:
    """Those whose roles the deployment gave, and the citizens that come to own the live devices."""

    operator: Wallet
    maker: Wallet
    citizens: list[Wallet]
    buyer: Wallet = field(default_factory=Wallet.create)


@dataclass
class _Stage:
    client: GridweaveClient
    url: str
    waiter: Waiter
    air: Air
    cast: FleetCast
    batch: Batch
    live: list[Live]
    stewardship: Stewardship
    watch: Watch
    sharing: Sharing
    day: HoodDay
    deadline: int
    read_back: Callable[[list[Live]], Reread]
    running: list[dict[int, int]] = field(default_factory=list)


def live_the_day(
    client: GridweaveClient,
    url: str,
    waiter: Waiter,
    cast: FleetCast,
    plan: FleetPlan,
    day: HoodDay,
    seed: int,
    folder: Path,
    ways: Ways,
    told: Told,
    read_back: Callable[[list[Live]], Reread],
) -> FleetOutcome:
    """Makes the fleet, lives its day, has all of it read back, and says what came of it.

    Raises ServiceError, RequestRejected, TimeoutError."""
    deadline = waiter.clock.now() + _LIFE_S
    told.begin(f"{plan.enrolled:,} devices claim themselves")
    batch = make(plan.enrolled)
    owners = [each.address for each in cast.citizens] + [cast.operator.address] * (plan.enrolled - plan.live)

    def claimed(done: int, of: int) -> None:
        told.so_far(done, of, f"{done:,} of {of:,}")

    claim_all(client, waiter, batch, cast.maker, owners, deadline, claimed)
    with Air(url, folder / "gateway", ways, lambda: waiter.clock.now() * 1_000) as air:
        told.begin(f"{plan.live} go live over {ways.name}")
        measures = Measures.of(day, plan.live, plan.quick, seed)
        keys = batch.keys[: plan.live]
        live = go_live(client, waiter, air, cast.citizens, keys, measures, folder / "devices", deadline)
        stewardship = Stewardship(client, waiter, cast.maker, plan.live)
        stewardship.begin(live)
        stage = _Stage(
            client=client,
            url=url,
            waiter=waiter,
            air=air,
            cast=cast,
            batch=batch,
            live=live,
            stewardship=stewardship,
            watch=Watch(client, url, waiter, air, folder),
            sharing=Sharing(client, waiter, live[_SOLD], cast.buyer),
            day=day,
            deadline=deadline,
            read_back=read_back,
        )
        told.begin("living the day")
        for hour in range(24):
            _live_hour(stage, hour)
            told.so_far(hour + 1, 24, f"{hour + 1:02d}:00")
        told.begin("proving, sharing, forgetting")
        return _conclude(stage)


def _live_hour(stage: _Stage, hour: int) -> None:
    """What happens in it, and then what was measured meanwhile."""
    for at, act in _events(stage).items():
        if at == hour:
            act(hour * _PER_HOUR)
    first = hour * _PER_HOUR
    stage.waiter.advance_to(stage.day.starts_at + (hour + 1) * _HOUR_S)
    for each in stage.live:
        if each.meter.ended is None:
            _measure(stage, each, range(first, first + _PER_HOUR))
    ran: dict[int, int] = {}
    for each in stage.live:
        if each.meter.ended is None:
            ran[each.meter.firmware] = ran.get(each.meter.firmware, 0) + 1
    stage.running += [dict(ran)] * _PER_HOUR
    _until_kept(stage)


def _events(stage: _Stage) -> dict[int, Callable[[int], None]]:
    stewardship, watch, live = stage.stewardship, stage.watch, stage.live

    def released(slot: int) -> None:
        stewardship.release(BAD, floor=1)
        stewardship.start(BAD)
        stewardship.install(BAD, live)
        stewardship.note(slot, BAD, "three of five keys release it; one device in ten is its canary")

    def ramped(slot: int) -> None:
        stewardship.raise_to(BAD, HALF_BP)
        stewardship.install(BAD, live)
        stewardship.note(slot, BAD, "it is raised to half of the devices, and does not start on every other board")

    def withdrawn(slot: int) -> None:
        stewardship.revoke(BAD)
        stewardship.note(slot, BAD, "three of five keys revoke it, from the block of its release on")

    def mended(slot: int) -> None:
        stewardship.release(MENDED, floor=MENDED)
        stewardship.start(MENDED)
        stewardship.install(MENDED, live)
        stewardship.note(slot, MENDED, "the next release mends it")

    def everybody(slot: int) -> None:
        stewardship.raise_to(MENDED, ALL_BP)
        stewardship.install(MENDED, live)
        stewardship.note(slot, MENDED, "all devices take it, and none below its floor is trusted any more")

    def shared(slot: int) -> None:
        del slot
        first = stage.day.starts_at * 1_000
        stage.sharing.share(first + _SHARED_FROM * _HOUR_MS, first + _SHARED_UNTIL * _HOUR_MS, stage.deadline)

    def sold(slot: int) -> None:
        del slot
        stage.air.seal_now([stage.live[_SOLD].meter])
        _until_anchored(stage, stage.live[_SOLD])
        stage.sharing.sell(stage.air, stage.deadline)

    def at_ms(slot: int) -> int:
        return (stage.day.starts_at + slot * 900) * 1_000

    return {
        _FORGED: lambda slot: watch.forged(slot, stage.batch.listed, stage.cast.operator.address, stage.deadline),
        _CLONED: lambda slot: watch.cloned(slot, live[11], at_ms(slot)),
        _REPLAYED: lambda slot: watch.replayed(slot, live[12]),
        _CHANGED: lambda slot: watch.changed(slot, live[13], at_ms(slot)),
        _REVOKED: lambda slot: watch.revoked(slot, live[14], stage.cast.operator, stage.deadline),
        _RELEASED: released,
        _RAMPED: ramped,
        _WITHDRAWN: withdrawn,
        _MENDED: mended,
        _ALL: everybody,
        _SHARED_AT: shared,
        _SOLD_AT: sold,
    }


def _measure(stage: _Stage, each: Live, slots: range) -> None:
    for slot in slots:
        readings = list(each.measures.slot(slot))
        stage.air.measure(each.meter, readings)
        for at_ms, values in readings:
            each.seen.append(Reading(each.measured, at_ms, each.meter.firmware, values).pack())
            each.measured += 1


def _until_kept(stage: _Stage) -> None:
    """Lets the chain go on until the gateway has what was signed."""
    for _ in range(_PATIENCE):
        if stage.air.all_kept([each.meter for each in stage.live if each.meter.ended is None]):
            return
        stage.waiter.pass_time()
    raise TimeoutError("the gateway does not acknowledge what devices send")


def _until_anchored(stage: _Stage, *meters: Live) -> None:
    """Lets the chain go on until all that these meters measured is anchored."""
    wanted = {"0x" + each.stream.hex(): each.measured for each in meters}
    for _ in range(_PATIENCE):
        behind = [name for name, count in wanted.items() if _next_index(stage.client, name) < count]
        if not behind:
            return
        wanted = {name: wanted[name] for name in behind}
        stage.waiter.pass_time()
    raise TimeoutError(f"{len(wanted)} streams are not anchored")


def _next_index(client: GridweaveClient, stream: str) -> int:
    return int(client.get(f"/v1/streams/{stream}")["nextIndex"])


def _conclude(stage: _Stage) -> FleetOutcome:
    """Seals and anchors the rest of the day, and asks for what it came to."""
    lasting = [each for each in stage.live if each.meter.ended is None]
    stage.air.seal_now([each.meter for each in lasting])
    _until_anchored(stage, *lasting)
    sharing, midnight = stage.sharing, stage.day.starts_at * 1_000
    sold_at = _SOLD_AT * _PER_HOUR * stage.sharing.live.measures.per_slot
    prover = Sharing(stage.client, stage.waiter, stage.live[_PROVED], stage.cast.buyer)
    proved, evidence = prover.prove(_NOON * _PER_HOUR * prover.live.measures.per_slot)
    back = stage.read_back(lasting)
    sharing.erase(midnight + _ERASED * _HOUR_MS, midnight + (_ERASED + 1) * _HOUR_MS)
    prover.erase(midnight, midnight + _HOUR_MS)
    prover.still_proved(evidence)
    return FleetOutcome(
        day=stage.day.day.isoformat(),
        way=stage.air.ways.name,
        enrolled=len(stage.batch.keys),
        live=len(stage.live),
        kept_out=stage.watch.kept_out,
        proved=proved,
        reread=back,
        seen=sharing.seen(sold_at),
        shared_hours=(_SHARED_FROM, _SHARED_UNTIL),
        steps=stage.stewardship.steps,
        running=stage.running,
        source=stage.day.source,
        attribution=stage.day.attribution,
        licence=stage.day.licence,
    )
