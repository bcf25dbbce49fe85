"""Single orders and cancels: checked early, answered in the contract's words, decided by the contract.

Where no key has the right, the meter's account is asked: it may be a wallet contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from gridweave.chain.hexes import to_hex
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DomainError
from gridweave.domain.orders import Cancel, Order
from gridweave.domain.signatures import COMPACT_LENGTH, recover, to_compact
from gridweave.outbox.kinds import BY_WALLET, Kind
from gridweave.services.collateral import cannot_lock, locks, short_of
from gridweave.services.errors import ServiceError
from gridweave.services.intake import Answer, Candidate, admit, refusal
from gridweave.services.order_checks import (
    Look,
    check_act,
    check_version,
    look_at,
    not_allowed,
    position_lane,
    replacements,
    speaks,
)
from gridweave.services.wallets import Question, approved
from gridweave.services.world import World
from gridweave.store.records import NewItem

__all__ = ["SignedOrder", "submit_cancels", "submit_orders"]

_THREAD_FROM = 16


@dataclass(frozen=True)
class SignedOrder:
    """An order or cancel with the signature as it came: 64 or 65 bytes."""

    act: Order | Cancel
    signature: bytes


async def submit_orders(world: World, orders: Sequence[SignedOrder]) -> list[Answer]:
    """Acknowledges orders, or says per order why not. Raises StoreUnavailable, NodeUnavailable."""
    return await _submit(world, orders, Kind.ORDER)


async def submit_cancels(world: World, cancels: Sequence[SignedOrder]) -> list[Answer]:
    """The same for cancels."""
    return await _submit(world, cancels, Kind.CANCEL)


async def _submit(world: World, signed: Sequence[SignedOrder], kind: Kind) -> list[Answer]:
    domain = world.domain("EnergyAuction")

    def read() -> list[_Read]:
        return [_read(digest(domain, entry.act), entry.signature) for entry in signed]

    reads = read() if len(signed) < _THREAD_FROM else await asyncio.to_thread(read)
    look = await look_at(world, [entry.act for entry in signed], [each.signer for each in reads])
    by_wallet = await _said_by_wallets(world, look, signed, reads)
    candidates = [
        _examine(world, look, entry, read, kind, by_wallet=at in by_wallet)
        for at, (entry, read) in enumerate(zip(signed, reads, strict=True))
    ]
    if kind is Kind.ORDER:
        candidates = await _with_money(world, look, signed, candidates)
    return await admit(world, candidates)


@dataclass(frozen=True)
class _Read:
    """A signature as it was read: over which digest, in compact form, by whose key; or why it is no key's."""

    digest: bytes
    compact: bytes = b""
    signer: str | None = None
    fault: DomainError | None = None


def _read(hash_: bytes, signature: bytes) -> _Read:
    try:
        compact = to_compact(signature)
        return _Read(hash_, compact, recover(hash_, compact))
    except DomainError as fault:
        return _Read(hash_, signature, fault=fault)


async def _said_by_wallets(world: World, look: Look, signed: Sequence[SignedOrder], reads: Sequence[_Read]) -> Set[int]:
    """Places of the acts that no key may say and their account's wallet says. A wallet is shown 64 bytes, no others."""
    asked = {
        at: Question(str(look.meters[entry.act.meter]["account"]), read.digest, read.compact)
        for at, (entry, read) in enumerate(zip(signed, reads, strict=True))
        if len(read.compact) == COMPACT_LENGTH and _is_unsaid(look, entry.act, read.signer)
    }
    answers = await approved(world, list(asked.values()))
    return {at for at, says in zip(asked, answers, strict=True) if says}


def _is_unsaid(look: Look, act: Order | Cancel, signer: str | None) -> bool:
    meter = look.meters.get(act.meter)
    return meter is not None and not speaks(look, str(meter["account"]), signer, act)


def _examine(world: World, look: Look, entry: SignedOrder, read: _Read, kind: Kind, *, by_wallet: bool) -> Candidate:
    id_ = to_hex(read.digest)
    act = entry.act
    try:
        account, closes = check_act(world, look, act)
        if not by_wallet:
            _check_key(look, act, account, read)
        check_version(look, act)
    except (DomainError, ServiceError) as error:
        return Candidate(id_, error=refusal(error), signature=read.compact)
    item = _item(world, look, act, kind, read, account, closes, by_wallet=by_wallet)
    return Candidate(id_, item=item, limits=(replacements(world, look, act),), signature=read.compact)


def _check_key(look: Look, act: Order | Cancel, account: str, read: _Read) -> None:
    """Raises SignatureMalformed, WrongSigner, BeyondDelegation."""
    if read.fault is not None:
        raise read.fault
    if not speaks(look, account, read.signer, act):
        raise not_allowed(look, account, read.signer, act)


async def _with_money(
    world: World, look: Look, signed: Sequence[SignedOrder], candidates: list[Candidate]
) -> list[Candidate]:
    """Refuses what an account surely cannot lock: only what the chain itself confirms, with nothing under way."""
    wanted: dict[str, int] = {}
    for entry, candidate in zip(signed, candidates, strict=True):
        if candidate.item is not None and isinstance(entry.act, Order):
            account = candidate.item.account or ""
            wanted[account] = max(wanted.get(account, 0), locks(look, entry.act))
    short = await short_of(world, {account: amount for account, amount in wanted.items() if amount > 0})
    return [
        _poor(look, candidate, entry.act, short) if candidate.item and candidate.item.account in short else candidate
        for entry, candidate in zip(signed, candidates, strict=True)
    ]


def _poor(look: Look, candidate: Candidate, act: Order | Cancel, short: dict[str, tuple[int, int]]) -> Candidate:
    account = candidate.item.account or "" if candidate.item else ""
    amount = locks(look, act) if isinstance(act, Order) else 0
    error = cannot_lock(account, amount, short[account]) if amount > 0 else None
    return candidate if error is None else replace(candidate, item=None, error=error)


def _item(
    world: World,
    look: Look,
    act: Order | Cancel,
    kind: Kind,
    read: _Read,
    account: str,
    closes: int,
    *,
    by_wallet: bool,
) -> NewItem:
    late = "OrderExpired" if closes == act.deadline + 1 else "GateClosed"
    payload: dict[str, Any] = {"word": to_hex(act.pack()), "signature": to_hex(read.compact), "late": late}
    if by_wallet:
        payload[BY_WALLET] = True
    terms = look.terms[(act.market, act.slot)]
    if isinstance(act, Order) and terms is not None:
        payload |= {"tick": terms.tick(act.side, act.limit_price), "ownKey": read.signer == account}
    item = NewItem(
        id=to_hex(read.digest),
        kind=kind,
        nonce_key=f"position:{act.meter}:{act.slot}:{act.version}",
        lanes=(f"account:{account}", f"meter:{act.meter}", position_lane(act)),
        payload=payload,
        commit_before=closes,
        market=act.market,
        slot=act.slot,
        meter=act.meter,
        account=account,
    )
    return world.acknowledge(item, read.compact)
