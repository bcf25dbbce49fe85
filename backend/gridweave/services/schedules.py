"""Schedules: orders or cancels of one account for many slots and meters under one signature, with a result per line.

A schedule is one item and one transaction. What a key may sign is checked line by line, as for single orders; where no
key has the right, the account's wallet is asked, as the contract will ask it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.chain.hexes import to_hex
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import DomainError, DuplicateInBatch, WrongSigner
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule
from gridweave.domain.signatures import COMPACT_LENGTH, recover, to_compact
from gridweave.outbox.kinds import Kind
from gridweave.services.collateral import cannot_lock, locks, short_of
from gridweave.services.errors import ServiceError, TooManyUnderWay
from gridweave.services.intake import Answer, Candidate, Limit, admit, refusal
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

__all__ = ["MOST_LINES", "LineRefused", "SignedSchedule", "submit_schedule"]

MOST_LINES = 100
"""Lines of one schedule, which is one transaction."""

_RSV_LENGTH = 65


@dataclass(frozen=True)
class SignedSchedule:
    """A schedule with the signature as it came: 64 or 65 bytes of a key, or what the account's wallet takes."""

    schedule: Schedule | CancelSchedule
    signature: bytes

    @property
    def lines(self) -> Sequence[Order | Cancel]:
        """Its orders or cancels."""
        said = self.schedule
        return said.orders if isinstance(said, Schedule) else said.cancels


class LineRefused(ServiceError):
    """The first line that cannot be taken, under its own reason; nothing of the schedule was accepted."""

    def __init__(self, line: int, fault: ServiceError) -> None:
        super().__init__(fault.name, f"line {line}: {fault.body['message']}", {**fault.body["args"], "line": line})
        self.status = fault.status


async def submit_schedule(world: World, signed: SignedSchedule) -> Answer:
    """Acknowledges a schedule whole, or says why not. Raises StoreUnavailable, NodeUnavailable."""
    hash_ = digest(world.domain("EnergyAuction"), signed.schedule)
    try:
        candidate = await _examine(world, signed, hash_)
    except ServiceError as fault:
        candidate = Candidate(to_hex(hash_), error=fault, signature=signed.signature)
    (answer,) = await admit(world, [candidate])
    return answer


async def _examine(world: World, signed: SignedSchedule, hash_: bytes) -> Candidate:
    """The schedule as an item. Raises LineRefused, ServiceError."""
    compact, signer = _read(hash_, signed.signature)
    look = await look_at(world, signed.lines, [signer] * len(signed.lines))
    by_wallet = signer is None or not _is_known(look, signed, signer)
    if by_wallet and not all(await approved(world, [Question(signed.schedule.account, hash_, signed.signature)])):
        raise refusal(WrongSigner())
    closes, limits = _examine_lines(world, look, signed, None if by_wallet else signer)
    await _check_money(world, look, signed)
    signature = signed.signature if by_wallet else compact
    item = _item(world, signed, hash_, signature, closes)
    return Candidate(to_hex(hash_), item, limits=(_carried_at_once(world, signed), *limits), signature=signature)


async def _check_money(world: World, look: Look, signed: SignedSchedule) -> None:
    """Raises InArrears, AvailableTooSmall if the account surely cannot lock what any of the lines asks for."""
    account = signed.schedule.account
    least = min(locks(look, line) if isinstance(line, Order) else 0 for line in signed.lines)
    if least <= 0 or account not in (short := await short_of(world, {account: least})):
        return
    if error := cannot_lock(account, least, short[account]):
        raise error


def _carried_at_once(world: World, signed: SignedSchedule) -> Limit:
    """Each has a transaction of its own, as an act has."""
    account, most = signed.schedule.account, world.settings.most_acts_under_way
    return Limit(_lane(account), most, TooManyUnderWay(account, most))


def _lane(account: str) -> str:
    return f"schedules:{account}"


def _read(hash_: bytes, signature: bytes) -> tuple[bytes, str | None]:
    """(compact form, whose key signed); nobody's where it is no key's signature."""
    if len(signature) not in (COMPACT_LENGTH, _RSV_LENGTH):
        return signature, None
    try:
        compact = to_compact(signature)
        return compact, recover(hash_, compact)
    except DomainError:
        return signature, None


def _is_known(look: Look, signed: SignedSchedule, signer: str) -> bool:
    """Whether the key is the account's or a delegate's of it, be it within its scope or not."""
    account = signed.schedule.account
    return signer == account or bool(look.scopes.get((account, signer)))


def _examine_lines(
    world: World, look: Look, signed: SignedSchedule, signer: str | None
) -> tuple[int, tuple[Limit, ...]]:
    """The chain time from which the first line can no longer be executed, and what room the lines need."""
    closes: list[int] = []
    seen: set[tuple[int, int]] = set()
    for number, act in enumerate(signed.lines, start=1):
        try:
            account, last = check_act(world, look, act)
            if account != signed.schedule.account:
                raise WrongSigner
            if not (signer is None or speaks(look, account, signer, act)):
                raise not_allowed(look, account, signer, act)
            if (act.meter, act.slot) in seen:
                raise DuplicateInBatch
            check_version(look, act)
        except (DomainError, ServiceError) as fault:
            raise LineRefused(number, refusal(fault)) from fault
        seen.add((act.meter, act.slot))
        closes.append(last)
    return min(closes), tuple(replacements(world, look, act) for act in signed.lines)


def _item(world: World, signed: SignedSchedule, hash_: bytes, signature: bytes, closes: int) -> NewItem:
    said, auction, domain = signed.schedule, world.contracts.auction, world.domain("EnergyAuction")
    lines = signed.lines
    words = [act.pack() for act in lines]
    places = auction.place_schedule if isinstance(said, Schedule) else auction.cancel_schedule
    call = places(said.account, words, signature)
    meters = sorted({act.meter for act in lines})
    item = NewItem(
        id=to_hex(hash_),
        kind=Kind.SCHEDULE if isinstance(said, Schedule) else Kind.CANCEL_SCHEDULE,
        nonce_key=None,  # each line has its version
        lanes=(
            f"account:{said.account}",
            _lane(said.account),
            *(f"meter:{meter}" for meter in meters),
            *(position_lane(act) for act in lines),
        ),
        payload={
            "to": call.to,
            "data": to_hex(call.data),
            "lines": [to_hex(digest(domain, act)) for act in lines],
            "late": "GateClosed",
        },
        commit_before=closes,
        account=said.account,
    )
    return world.acknowledge(item, signature)
