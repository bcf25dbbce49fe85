"""Meters, assets and markets: how they come into being, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gridweave.chain.contracts import NO_ACT, Act
from gridweave.domain.acts import (
    AssetRegistration,
    ChangeMarket,
    CreateMarket,
    Mandate,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    Underwrite,
    UnderwriteChange,
)
from gridweave.domain.delegations import Delegation
from gridweave.domain.errors import DomainError
from gridweave.domain.terms import MarketTerms
from gridweave.outbox.kinds import Kind
from gridweave.services.acts import Consent, Plan, earliest, submit_act
from gridweave.services.errors import NotFound, RequestInvalid
from gridweave.services.intake import Answer, refusal
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

MOST_DELEGATED = 64
"""Meters of one delegation."""

__all__ = [
    "MOST_DELEGATED",
    "change_market",
    "create_market",
    "delegate",
    "end_meter",
    "meter",
    "meters",
    "move_meter",
    "register_asset",
    "register_meter",
]


async def create_market(world: World, terms: MarketTerms, operator: Act, utility: Act) -> Answer:
    """A market opens: the operator creates it, the utility underwrites it. Raises ServiceError."""
    try:
        terms.validate(world.clock)
    except DomainError as error:
        raise refusal(error) from error
    created = CreateMarket(terms, operator.nonce, operator.deadline)
    underwritten = Underwrite(terms, utility.nonce, utility.deadline)
    return await submit_act(
        world,
        Plan(
            kind=Kind.MARKET,
            call=world.contracts.auction.create_market(terms, operator, utility),
            consents=(Consent("EnergyAuction", created, operator), Consent("EnergyAuction", underwritten, utility)),
            lanes=("markets",),
            deadline=earliest((operator, utility)),
            request={"utility": terms.utility, "operator": terms.operator},
        ),
    )


async def register_meter(world: World, registration: MeterRegistration, operator: Act, mandate: Act | None) -> Answer:
    """A device becomes an account's meter in a market. Raises ServiceError."""
    consents = _consents(registration, operator, mandate)
    return await submit_act(
        world,
        Plan(
            kind=Kind.METER,
            call=world.contracts.meters.register_meter(registration, operator, mandate or NO_ACT),
            consents=consents,
            lanes=(f"device:{registration.device}", "meters"),
            depends_on=("markets",),
            deadline=earliest([consent.act for consent in consents]),
            request={"device": registration.device, "account": registration.account, "market": registration.market},
            market=registration.market,
            account=registration.account,
        ),
    )


async def change_market(world: World, market: int, terms: MarketTerms, operator: Act, utility: Act) -> Answer:
    """A market's terms change from a slot beyond the horizon on. Raises ServiceError."""
    try:
        terms.validate(world.clock)
    except DomainError as error:
        raise refusal(error) from error
    changed = ChangeMarket(market, terms, operator.nonce, operator.deadline)
    underwritten = UnderwriteChange(market, terms, utility.nonce, utility.deadline)
    return await submit_act(
        world,
        Plan(
            kind=Kind.MARKET,
            call=world.contracts.auction.change_market(market, terms, operator, utility),
            consents=(Consent("EnergyAuction", changed, operator), Consent("EnergyAuction", underwritten, utility)),
            lanes=("markets",),
            deadline=earliest((operator, utility)),
            request={"market": market, "fromSlot": terms.from_slot},
            market=market,
        ),
    )


async def delegate(world: World, delegation: Delegation, act: Act) -> Answer:
    """An account lets a key order in its name, or takes that back. Raises ServiceError."""
    if len(delegation.meters) > MOST_DELEGATED:
        raise RequestInvalid(
            "TooManyItems", f"name at most {MOST_DELEGATED} meters, or none for all", {"most": MOST_DELEGATED}
        )
    return await submit_act(
        world,
        Plan(
            kind=Kind.DELEGATION,
            call=world.contracts.auction.set_delegation(delegation, act),
            consents=(Consent("EnergyAuction", delegation, act),),
            lanes=(f"account:{delegation.account}",),
            deadline=delegation.deadline,
            request={"account": delegation.account, "delegate": delegation.delegate, "until": delegation.until},
            account=delegation.account,
        ),
    )


async def move_meter(world: World, move: MeterMove, operator: Act, mandate: Act | None) -> Answer:
    """A device's meter ends and its next one begins. Raises ServiceError."""
    consents = _consents(move, operator, mandate)
    return await submit_act(
        world,
        Plan(
            kind=Kind.METER,
            call=world.contracts.meters.move_meter(move, operator, mandate or NO_ACT),
            consents=consents,
            lanes=(f"device:{move.device}", "meters"),
            depends_on=("markets",),
            deadline=earliest([consent.act for consent in consents]),
            request={"device": move.device, "account": move.account, "fromSlot": move.from_slot},
            market=move.market,
            account=move.account,
        ),
    )


def _consents(said: MeterRegistration | MeterMove, operator: Act, mandate: Act | None) -> tuple[Consent, ...]:
    """The operator's, and the account's where it lets settlement debit it."""
    first = Consent("DERRegistry", said, operator)
    if mandate is None:
        return (first,)
    agreed = Mandate(said.device, said.market, said.account, mandate.nonce, mandate.deadline)
    return first, Consent("DERRegistry", agreed, mandate)


async def end_meter(world: World, end: MeterEnd, operator: Act) -> Answer:
    """A meter ends without a next one. Raises ServiceError."""
    return await submit_act(
        world,
        Plan(
            kind=Kind.METER,
            call=world.contracts.meters.end_meter(end, operator),
            consents=(Consent("DERRegistry", end, operator),),
            lanes=(f"meter:{end.meter}",),
            depends_on=("meters",),
            deadline=end.deadline,
            request={"meter": end.meter, "untilSlot": end.until_slot},
            meter=end.meter,
        ),
    )


async def register_asset(world: World, registration: AssetRegistration, operator: Act) -> Answer:
    """What stands behind a meter. Raises ServiceError."""
    return await submit_act(
        world,
        Plan(
            kind=Kind.ASSET,
            call=world.contracts.meters.register_asset(registration, operator),
            consents=(Consent("DERRegistry", registration, operator),),
            lanes=(f"meter:{registration.meter}",),
            depends_on=("meters",),
            deadline=registration.deadline,
            request={"meter": registration.meter, "kind": registration.kind.name.lower()},
            meter=registration.meter,
        ),
    )


async def meter(world: World, id_: int) -> Row:
    """A meter's row, its device's status, and its assets under `assets`. Raises NotFound."""
    row = await world.reads.meters.meter(id_)
    if row is None:
        raise NotFound("UnknownMeter", "no such meter is registered", {"meter": id_})
    (shown,) = await _with_status(world, [row])
    return shown | {"assets": await world.reads.meters.assets(id_)}


async def meters(
    world: World, *, device: str | None, account: str | None, market: int | None, cursor: str | None, limit: int
) -> Page:
    """Meters by device, account or market, each with its device's status. Raises CursorInvalid."""
    found = await world.reads.meters.page(device=device, account=account, market=market, cursor=cursor, limit=limit)
    return replace(found, rows=await _with_status(world, found.rows))


async def _with_status(world: World, rows: Sequence[Row]) -> list[Row]:
    statuses = await world.reads.devices.statuses([row["device"] for row in rows])
    return [row | {"device_status": statuses[row["device"]]} for row in rows]
