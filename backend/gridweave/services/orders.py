"""Orders and cancels: checked early, answered in the contract's words, decided by the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridweave.chain.hexes import to_hex
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import (
    BeyondHorizon,
    DomainError,
    GateClosed,
    MarketUnknown,
    OrderExpired,
    OrderMeterOfOtherMarket,
    OrderMeterUnknown,
    VersionNotNewer,
    WrongSigner,
)
from gridweave.domain.market import order_tick
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.signatures import recover, to_compact
from gridweave.domain.slots import HORIZON
from gridweave.domain.terms import MarketTerms
from gridweave.outbox.kinds import Kind
from gridweave.services.errors import GateTooClose, Refused, RequestInvalid, ServiceError, TooManyReplacements
from gridweave.services.intake import Answer, Candidate, Limit, admit, refusal
from gridweave.services.world import World
from gridweave.store.reading import Row
from gridweave.store.records import NewItem

__all__ = ["SignedOrder", "submit_cancels", "submit_orders"]

_THREAD_FROM = 16
_KINDS = (Kind.ORDER, Kind.CANCEL)


@dataclass(frozen=True)
class SignedOrder:
    """An order or cancel with the signature as it came: 64 or 65 bytes."""

    act: Order | Cancel
    signature: bytes


@dataclass(frozen=True)
class _Look:
    """What the checks need of the world, read once per request."""

    now: int
    current_slot: int
    meters: dict[int, Row]
    acts: dict[int, dict[int, Row]]
    terms: dict[tuple[int, int], MarketTerms | None]
    relayed: dict[tuple[int, int], int]


async def submit_orders(world: World, orders: Sequence[SignedOrder]) -> list[Answer]:
    """Acknowledges orders, or says per order why not. Raises StoreUnavailable, NodeUnavailable."""
    return await _submit(world, orders, Kind.ORDER)


async def submit_cancels(world: World, cancels: Sequence[SignedOrder]) -> list[Answer]:
    """The same for cancels."""
    return await _submit(world, cancels, Kind.CANCEL)


async def _submit(world: World, signed: Sequence[SignedOrder], kind: Kind) -> list[Answer]:
    domain = world.domain("EnergyAuction")
    look = await _look(world, [entry.act for entry in signed])

    def examine() -> list[Candidate]:
        return [_examine(world, look, entry, digest(domain, entry.act), kind) for entry in signed]

    candidates = examine() if len(signed) < _THREAD_FROM else await asyncio.to_thread(examine)
    if kind is Kind.ORDER:
        candidates = await _with_money(world, look, signed, candidates)
    return await admit(world, candidates)


async def _look(world: World, acts: Sequence[Order | Cancel]) -> _Look:
    markets = {(act.market, act.slot) for act in acts}
    return _Look(
        now=world.heads.time,
        current_slot=world.clock.slot_at(world.heads.time),
        meters=await world.books.meters.get({act.meter for act in acts}),
        acts=await world.books.acts.get({act.slot for act in acts}),
        terms={place: await world.terms.at(*place) for place in markets},
        relayed=await world.outbox.relayed({(act.meter, act.slot) for act in acts}, _KINDS),
    )


def _examine(world: World, look: _Look, entry: SignedOrder, hash_: bytes, kind: Kind) -> Candidate:
    id_ = to_hex(hash_)
    act = entry.act
    try:
        terms = look.terms[(act.market, act.slot)]
        if terms is None:
            raise MarketUnknown
        closes = _check_time(world, look, act, terms)
        if isinstance(act, Order):
            order_tick(terms, act)
        account = _check_meter(look, act)
        compact = to_compact(entry.signature)
        if recover(hash_, compact) != account:
            raise WrongSigner
        _check_version(look, act)
    except (DomainError, ServiceError) as error:
        return Candidate(id_, error=refusal(error))
    item = _item(world, act, kind, hash_, compact, account, closes)
    return Candidate(id_, item=item, limits=(_replacements(world, look, act),))


def _check_time(world: World, look: _Look, act: Order | Cancel, terms: MarketTerms) -> int:
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


def _check_meter(look: _Look, act: Order | Cancel) -> str:
    """The account that must have signed."""
    meter = look.meters.get(act.meter)
    if meter is None:
        raise OrderMeterUnknown
    if meter["market"] != act.market:
        raise OrderMeterOfOtherMarket
    return str(meter["account"])


def _check_version(look: _Look, act: Order | Cancel) -> None:
    newest = look.acts[act.slot].get(act.meter)
    if newest is not None and act.version <= newest["version"]:
        raise VersionNotNewer


def _replacements(world: World, look: _Look, act: Order | Cancel) -> Limit:
    """How many versions of the position may still be under way: refused ones count, for they were relayed as well."""
    most = world.settings.most_replacements
    newest = look.acts[act.slot].get(act.meter)
    done = max(newest["acts"] if newest else 0, look.relayed.get((act.meter, act.slot), 0))
    return Limit(_position_lane(act), most + 1 - done, TooManyReplacements(most))


def _position_lane(act: Order | Cancel) -> str:
    return f"position:{act.meter}:{act.slot}"


async def _with_money(
    world: World, look: _Look, signed: Sequence[SignedOrder], candidates: list[Candidate]
) -> list[Candidate]:
    """Refuses what an account surely cannot lock: only what the chain itself confirms, with nothing under way."""
    wanted: dict[str, int] = {}
    for entry, candidate in zip(signed, candidates, strict=True):
        if candidate.item is not None and isinstance(entry.act, Order):
            account = candidate.item.account or ""
            wanted[account] = max(wanted.get(account, 0), _locks(look, entry.act))
    short = await _short(world, {account: amount for account, amount in wanted.items() if amount > 0})
    return [
        _poor(look, candidate, entry.act, short) if candidate.item and candidate.item.account in short else candidate
        for entry, candidate in zip(signed, candidates, strict=True)
    ]


async def _short(world: World, wanted: dict[str, int]) -> dict[str, tuple[int, int]]:
    """(available, arrear) by account, of those that the chain says cannot lock so much."""
    standing = await world.books.standing.get(wanted)
    short: dict[str, tuple[int, int]] = {}
    for account, amount in wanted.items():
        available, owes = standing.get(account, (0, False))
        if (available >= amount and not owes) or world.lanes.busy([f"account:{account}"]):
            continue
        balance = await world.contracts.vault.account_of(account)
        if balance.arrear or balance.available < amount:
            short[account] = balance.available, balance.arrear
    return short


def _poor(look: _Look, candidate: Candidate, act: Order | Cancel, short: dict[str, tuple[int, int]]) -> Candidate:
    account = candidate.item.account or "" if candidate.item else ""
    available, arrear = short[account]
    amount = _locks(look, act) if isinstance(act, Order) else 0
    if amount <= 0:
        return candidate
    if arrear:
        return Candidate(candidate.id, error=Refused("InArrears", {"account": account, "arrear": arrear}))
    if available >= amount:
        return candidate
    arguments = {"account": account, "available": available, "amount": amount}
    return Candidate(candidate.id, error=Refused("AvailableTooSmall", arguments))


def _locks(look: _Look, order: Order) -> int:
    """What the order locks beyond what the meter's standing order in that slot has locked, micro."""
    terms = look.terms[(order.market, order.slot)]
    if terms is None:
        return 0
    standing = look.acts[order.slot].get(order.meter)
    freed = 0
    if standing is not None and standing["energy_wh"] is not None:
        freed = terms.collateral(Side(standing["side"]), standing["limit_price"], standing["energy_wh"])
    return terms.collateral(order.side, order.limit_price, order.energy_wh) - freed


def _item(
    world: World, act: Order | Cancel, kind: Kind, hash_: bytes, compact: bytes, account: str, closes: int
) -> NewItem:
    late = "OrderExpired" if closes == act.deadline + 1 else "GateClosed"
    payload: dict[str, Any] = {"word": to_hex(act.pack()), "signature": to_hex(compact), "late": late}
    return NewItem(
        id=to_hex(hash_),
        kind=kind,
        nonce_key=f"position:{act.meter}:{act.slot}:{act.version}",
        lanes=(f"account:{account}", f"meter:{act.meter}", _position_lane(act)),
        payload=payload,
        commit_before=closes,
        acknowledgement=world.acknowledge(hash_, closes),
        market=act.market,
        slot=act.slot,
        meter=act.meter,
        account=account,
    )
