"""Signed acts that have a transaction of their own: enrolment, markets, meters, assets, money.

Signatures are checked here; everything else the contract says itself, by executing the call before it is promised.
While something that the act may depend on is still under way (its account, device or market), the contract's answer
would be about yesterday, so the act is accepted and executed again, without a trace, when its turn comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridweave.chain.contracts import Act
from gridweave.chain.errors import NodeError, Reverted
from gridweave.chain.hexes import to_hex
from gridweave.chain.types import Call
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import recover, to_compact
from gridweave.outbox.kinds import AT_ONCE, Kind
from gridweave.services.backing import acts_lanes
from gridweave.services.errors import GateTooClose, Refused, RequestDiffers, RequestInvalid, TooManyUnderWay
from gridweave.services.intake import MOST_TIME, Answer, Candidate, Limit, admit
from gridweave.services.world import World
from gridweave.store.records import REJECTED, Item, NewItem

__all__ = ["Consent", "Plan", "submit_act"]

_WHATEVER_COMES = frozenset({"NotAMaker", "SignerNotAllowed", "WrongSignature"})
"""Refusals that nothing of what is under way can turn into a yes."""


@dataclass(frozen=True)
class Consent:
    """A person's signature over a message in a contract's domain. `act` is how the contract takes it."""

    contract: str
    message: Message
    act: Act


@dataclass(frozen=True)
class Plan:
    """One transaction to be. The first consent names it: its digest is the request's id, its nonce is used up.

    `lanes` are what it touches, `depends_on` what must stand before it, `deadline` the chain time (seconds) after which
    it cannot be executed. `request` is kept beside the call, for whoever reads the outbox; what it and the consents say
    must be all that is relayed, since it tells one request under an id from another.
    """

    kind: Kind
    call: Call
    consents: tuple[Consent, ...]
    lanes: tuple[str, ...]
    deadline: int
    request: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    market: int | None = None
    meter: int | None = None
    account: str | None = None
    id: bytes | None = None
    nonce_key: str | None = None


async def submit_act(world: World, plan: Plan) -> Answer:
    """Acknowledges an act. Raises ServiceError with the contract's own name, NodeUnavailable, StoreUnavailable."""
    first = plan.consents[0] if plan.consents else None
    id_ = plan.id or (digest(world.domain(first.contract), first.message) if first else b"")
    request = _request(world, plan)
    known = await world.outbox.item(to_hex(id_))
    if known is not None and not (known.status == REJECTED and plan.kind in AT_ONCE):
        return _same(known, request)
    by_contract = [await _check_consent(world, consent) for consent in plan.consents]
    _check_deadline(world, plan.deadline)
    busy = world.lanes.busy((*plan.lanes, *plan.depends_on))
    try:
        await rehearse(world, plan.call)
    except Refused as refused:
        if not busy or any(by_contract) or refused.name in _WHATEVER_COMES:
            raise
    item = _item(world, plan, id_, request)
    limit = Limit(_signer_lane(plan), most := world.settings.most_acts_under_way, TooManyUnderWay(_signer(plan), most))
    (answer,) = await admit(world, [Candidate(to_hex(id_), item=item, limits=(limit,))])
    if answer.item is None:
        raise answer.error or RequestDiffers(answer.id)
    return _same(answer.item, request)


async def rehearse(world: World, call: Call) -> None:
    """Executes the call on top of the newest block without a trace. Raises Refused if the contract refuses it, and
    NodeError if the node will not hear of it now."""
    try:
        await world.node.call(call, sender=world.relayer.address)
    except Reverted as reverted:
        raise Refused(reverted.name or "TransactionReverted", reverted.arguments) from reverted
    except NodeError as error:
        if error.is_of_the_moment:
            raise
        raise Refused("TransactionReverted", {"reason": str(error)}) from error


async def _check_consent(world: World, consent: Consent) -> bool:
    """Whether the signer is a contract, which alone can say if the signature is good. Raises Refused."""
    hash_ = digest(world.domain(consent.contract), consent.message)
    try:
        if recover(hash_, to_compact(consent.act.signature)) == consent.act.signer:
            return False
    except SignatureMalformed:
        pass
    if await world.node.code(consent.act.signer):
        return True
    raise Refused("WrongSignature", {"signer": consent.act.signer})


def _check_deadline(world: World, deadline: int) -> None:
    now, margin = world.heads.time, world.settings.commit_margin
    if now > deadline:
        raise Refused("ActExpired", {"deadline": deadline})
    if now + margin >= deadline:
        raise GateTooClose(deadline, margin, now)


def _request(world: World, plan: Plan) -> dict[str, Any]:
    """Everything that is relayed but the signatures themselves: the same request twice is the same here."""
    consents = [
        {"digest": to_hex(digest(world.domain(consent.contract), consent.message)), "signer": consent.act.signer}
        for consent in plan.consents
    ]
    return plan.request | {"consents": consents}


def _same(item: Item, request: dict[str, Any]) -> Answer:
    """The earlier answer to the same request. Raises RequestDiffers if the id stands for another."""
    if item.payload.get("request") != request:
        raise RequestDiffers(item.id)
    return Answer(item.id, item)


def _signer(plan: Plan) -> str:
    """Who is counted for the act."""
    return plan.consents[0].act.signer if plan.consents else plan.account or ""


def _signer_lane(plan: Plan) -> str:
    return f"signer:{_signer(plan)}"


def _nonce_key(consent: Consent) -> str:
    return f"{consent.contract}:{consent.act.signer}:{consent.act.nonce}"


def _item(world: World, plan: Plan, id_: bytes, request: dict[str, Any]) -> NewItem:
    closes = min(plan.deadline + 1, MOST_TIME)
    if plan.call.to is None:
        raise RequestInvalid("NotACall", "a request calls a contract")
    item = NewItem(
        id=to_hex(id_),
        kind=plan.kind,
        nonce_key=plan.nonce_key or (_nonce_key(plan.consents[0]) if plan.consents else None),
        lanes=(*plan.lanes, *acts_lanes(plan.lanes), _signer_lane(plan)),
        payload={
            "to": plan.call.to,
            "data": to_hex(plan.call.data),
            "request": request,
            "dependsOn": plan.depends_on,
            "late": "ActExpired",
        },
        commit_before=closes,
        market=plan.market,
        meter=plan.meter,
        account=plan.account,
    )
    return world.acknowledge(item, b"")


def earliest(acts: Sequence[Act]) -> int:
    """The first deadline among acts."""
    return min(act.deadline for act in acts)
