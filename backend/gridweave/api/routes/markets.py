"""Markets, slots, books, prices."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from gridweave.api.answers import one, page
from gridweave.api.depends import FROM, CursorQuery, InWorld, LimitQuery, MarketPath, SlotPath
from gridweave.api.fields import Id
from gridweave.api.posted.markets import MarketIn, TermsIn
from gridweave.api.shapes.accepted import ACCEPTED
from gridweave.api.shapes.errors import FINDS, READS
from gridweave.api.shapes.markets import ArrearsOut, BalanceOut, BookOut, MarketOut, MarketsOut, PricesOut, SlotOut
from gridweave.domain.names import camel
from gridweave.domain.terms import MarketTerms
from gridweave.services import markets, operations, registry
from gridweave.services.errors import NotFound
from gridweave.store.reading import Row

__all__ = ["router"]

router = APIRouter(tags=["markets"])

_TERM_NAMES = {field.name: TermsIn.model_fields[field.name].alias or camel(field.name) for field in fields(MarketTerms)}


@router.post("/markets", **ACCEPTED)
async def post_market(request: Request, world: InWorld, body: MarketIn) -> JSONResponse:
    """Opens a market: the operator creates it, the utility underwrites it."""
    answer = await registry.create_market(world, body.terms.terms(), body.operator.act(), body.utility.act())
    return one(request, answer)


@router.post("/markets/{market}/terms", **ACCEPTED)
async def post_terms(request: Request, world: InWorld, market: MarketPath, body: MarketIn) -> JSONResponse:
    """Changes a market's terms from `terms.fromSlot` on, beyond the order horizon; its utility consents."""
    acts = body.operator.act(), body.utility.act()
    return one(request, await registry.change_market(world, market, body.terms.terms(), *acts))


@router.get("/markets", response_model=MarketsOut, responses=READS)
async def get_markets(world: InWorld) -> dict[str, Any]:
    """Every market with its terms."""
    found = await markets.all_terms(world)
    return {"items": [_market(market, versions) for market, versions in sorted(found.items())]}


@router.get("/markets/{market}", response_model=MarketOut, responses=FINDS)
async def get_market(world: InWorld, market: MarketPath) -> dict[str, Any]:
    """One market: the newest terms, and every version."""
    versions = (await markets.all_terms(world)).get(market)
    if not versions:
        raise NotFound("UnknownMarket", "no such market; see GET /v1/markets", {"market": market})
    return _market(market, versions)


@router.get("/markets/{market}/slots/{slot}", response_model=SlotOut, responses=FINDS)
async def get_slot(world: InWorld, market: MarketPath, slot: SlotPath) -> dict[str, Any]:
    """A slot's times, status and clearing."""
    return await markets.slot_state(world, market, slot)


@router.get("/markets/{market}/slots/{slot}/book", response_model=BookOut, responses=FINDS)
async def get_book(world: InWorld, market: MarketPath, slot: SlotPath) -> dict[str, Any]:
    """Depth per tick of the live orders."""
    return await markets.book(world, market, slot)


@router.get("/markets/{market}/prices", response_model=PricesOut, responses=FINDS)
async def get_prices(
    world: InWorld,
    market: MarketPath,
    from_: Annotated[Id | None, FROM] = None,
    to: Id | None = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 1_000,
) -> dict[str, Any]:
    """Clearings of slots from..to by slot."""
    found = await markets.prices(world, market, from_, to, cursor, limit)
    return page(world, found, _price)


@router.get("/markets/{market}/balance", response_model=BalanceOut, responses=FINDS)
async def get_balance(
    world: InWorld,
    market: MarketPath,
    from_: Annotated[Id, FROM],
    to: Id,
) -> dict[str, Any]:
    """Energy and money of a market slot by slot: traded, metered, deviations, fees. `more`: the slot to go on from."""
    return await operations.balance(world, market, from_, to)


@router.get("/markets/{market}/arrears", response_model=ArrearsOut, responses=FINDS)
async def get_arrears(world: InWorld, market: MarketPath) -> dict[str, Any]:
    """Who owes the market's utility, and whom it owes."""
    return await operations.arrears(world, market)


def _market(market: int, versions: list[MarketTerms]) -> dict[str, Any]:
    shown = [{"version": number, **_terms(terms)} for number, terms in enumerate(versions, start=1)]
    return {"market": market, "terms": shown[-1], "versions": shown}


def _terms(terms: MarketTerms) -> dict[str, Any]:
    return {alias: getattr(terms, name) for name, alias in _TERM_NAMES.items()}


def _price(row: Row) -> dict[str, Any]:
    return {"slot": row["slot"]} | markets.clearing_json(row)
