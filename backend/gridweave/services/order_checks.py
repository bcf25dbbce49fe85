"""What is checked of every order and cancel, alone or in a schedule: the contract's rules, before it is promised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gridweave.domain.delegations import NO_ASKS, NO_BIDS, Scope, covers, in_force
from gridweave.domain.errors import (
    BeyondHorizon,
    EnergyAboveCapacity,
    GateClosed,
    MarketUnknown,
    OrderExpired,
    OrderMeterNotInForce,
    OrderMeterOfOtherMarket,
    OrderMeterUnknown,
    VersionNotNewer,
    WrongSigner,
)
from gridweave.domain.market import order_tick
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.slots import HORIZON
from gridweave.domain.terms import MarketTerms
from gridweave.outbox.kinds import Kind
from gridweave.services.errors import BeyondDelegation, GateTooClose, RequestInvalid, TooManyReplacements
from gridweave.services.intake import Limit
from gridweave.services.meters import registered
from gridweave.services.world import World
from gridweave.store.meters import is_within_bounds
from gridweave.store.reading import Row

__all__ = ["Look", "check_act", "check_version", "look_at", "not_allowed", "position_lane", "replacements", "speaks"]

_KINDS = (Kind.ORDER, Kind.CANCEL)
_LIMITS = {
    "until": "until",
    "market": "market",
    "max_energy_wh": "maxEnergyWh",
    "highest_bid": "highestBidMicroPerKwh",
    "lowest_ask": "lowestAskMicroPerKwh",
}


@dataclass(frozen=True)
class Look:
    """What the checks need of the world, read once per request. `scopes` by account, delegate and meter."""

    now: int
    current_slot: int
    meters: dict[int, Row]
    acts: dict[int, dict[int, Row]]
    terms: dict[tuple[int, int], MarketTerms | None]
    relayed: dict[tuple[int, int], int]
    scopes: dict[tuple[str, str], dict[int, Row]]


async def look_at(world: World, acts: Sequence[Order | Cancel], signers: Iterable[str | None]) -> Look:
    """Reads what these acts are judged by; `signers` are the keys that signed them, one an act."""
    markets = {(act.market, act.slot) for act in acts}
    meters = await world.books.meters.get({act.meter for act in acts})
    pairs = {
        (str(meters[act.meter]["account"]), signer)
        for act, signer in zip(acts, signers, strict=True)
        if signer is not None and act.meter in meters and meters[act.meter]["account"] != signer
    }
    return Look(
        now=world.heads.time,
        current_slot=world.clock.slot_at(world.heads.time),
        meters=meters,
        acts=await world.books.acts.get({act.slot for act in acts}),
        terms={place: await world.terms.at(*place) for place in markets},
        relayed=await world.outbox.relayed({(act.meter, act.slot) for act in acts}, _KINDS),
        scopes=await world.books.scopes.get(pairs) if pairs else {},
    )


def check_act(world: World, look: Look, act: Order | Cancel) -> tuple[str, int]:
    """The account that must stand behind the act, and the chain time from which it can no longer be executed.

    Raises what the contract would refuse it with, GateTooClose, RequestInvalid.
    """
    terms = look.terms[(act.market, act.slot)]
    if terms is None:
        raise MarketUnknown
    closes = _check_time(world, look, act, terms)
    if isinstance(act, Order):
        order_tick(terms, act)
    return _check_meter(world, look, act), closes


def speaks(look: Look, account: str, signer: str | None, act: Order | Cancel) -> bool:
    """Whether the key may say that for the account: its own, or one to which it delegated."""
    if signer is None or signer == account:
        return signer is not None
    return covers(*_scopes(look, account, signer, act), act, look.now)


def not_allowed(look: Look, account: str, signer: str | None, act: Order | Cancel) -> Exception:
    """Why that key may not say this: a delegate is told the limit that it exceeds."""
    scope = None if signer is None else in_force(*_scopes(look, account, signer, act))
    limit = None if scope is None else scope.exceeded(act, look.now)
    if scope is None or limit is None or not scope.until:
        return WrongSigner()
    allowed = getattr(scope, limit)
    return BeyondDelegation(_LIMITS[limit], None if allowed in (NO_ASKS, NO_BIDS) else allowed)


def _scopes(look: Look, account: str, signer: str, act: Order | Cancel) -> tuple[Scope | None, Scope | None]:
    """What the account said of the act's meter, and of all its meters."""
    scopes = look.scopes.get((account, signer), {})
    return _scope(scopes.get(act.meter)), _scope(scopes.get(0))


def _scope(row: Row | None) -> Scope | None:
    if row is None:
        return None
    return Scope(row["market"], row["max_energy_wh"], row["lowest_ask"], row["highest_bid"], row["until"])


def _check_time(world: World, look: Look, act: Order | Cancel, terms: MarketTerms) -> int:
    """The chain time from which the act can no longer be executed."""
    gate = terms.gate(act.slot, world.clock)
    closes = min(gate, act.deadline + 1)
    margin = world.settings.commit_margin
    if act.slot > look.current_slot + HORIZON:
        raise BeyondHorizon
    if look.now >= gate:
        raise GateClosed
    if look.now > act.deadline:
        raise OrderExpired
    if look.now + margin >= closes:
        raise GateTooClose(closes, margin, look.now)
    if closes > look.now + world.settings.most_deadline_ahead + 1:
        most = look.now + world.settings.most_deadline_ahead
        raise RequestInvalid("DeadlineTooFar", f"sign with a deadline up to {most}", {"mostDeadline": most})
    return closes


def _check_meter(world: World, look: Look, act: Order | Cancel) -> str:
    """The account that must have signed."""
    meter = look.meters.get(act.meter)
    if meter is None:
        raise OrderMeterUnknown
    if meter["market"] != act.market:
        raise OrderMeterOfOtherMarket
    if not is_within_bounds(meter, act.slot):
        raise OrderMeterNotInForce
    if isinstance(act, Order) and not registered(meter).may_order(act, world.clock.length):
        raise EnergyAboveCapacity
    return str(meter["account"])


def check_version(look: Look, act: Order | Cancel) -> None:
    """Raises VersionNotNewer."""
    newest = look.acts[act.slot].get(act.meter)
    if newest is not None and act.version <= newest["version"]:
        raise VersionNotNewer


def replacements(world: World, look: Look, act: Order | Cancel) -> Limit:
    """How many versions of the position may still be under way: refused ones count, for they were relayed as well."""
    most = world.settings.most_replacements
    newest = look.acts[act.slot].get(act.meter)
    done = max(newest["acts"] if newest else 0, look.relayed.get((act.meter, act.slot), 0))
    return Limit(position_lane(act), most + 1 - done, TooManyReplacements(most))


def position_lane(act: Order | Cancel) -> str:
    """The lane of whatever is ordered for the meter in the slot."""
    return f"position:{act.meter}:{act.slot}"
