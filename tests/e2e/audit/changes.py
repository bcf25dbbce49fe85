"""A second chapter of the street's day: other hands that sign, and other days' terms and people."""

from __future__ import annotations

from dataclasses import replace

from gridweave.chain import Receipt
from gridweave.chain.contracts import SignedWord
from gridweave.domain.acts import ChangeMarket, Mandate, MeterEnd, MeterMove, UnderwriteChange
from gridweave.domain.delegations import Delegation, Scope
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.domain.signatures import sign_compact
from gridweave.domain.terms import MarketTerms

from .street import FAR, SLOT, Home, Party, Street


async def schedule(street: Street, home: Home, signer: Party, *words: SignedWord) -> Receipt:
    """Orders of the home's account under one signature."""
    lines = [word for word, _, _ in words]
    said = Schedule(home.account, tuple(map(Order.unpack, lines)))
    signature = sign_compact(signer.secret, digest(street.domain("EnergyAuction"), said))
    return await street.send(street.contracts.auction.place_schedule(home.account, lines, signature))


async def cancel_schedule(street: Street, home: Home, signer: Party, *words: SignedWord) -> Receipt:
    """Cancels likewise."""
    lines = [word for word, _, _ in words]
    said = CancelSchedule(home.account, tuple(map(Cancel.unpack, lines)))
    signature = sign_compact(signer.secret, digest(street.domain("EnergyAuction"), said))
    return await street.send(street.contracts.auction.cancel_schedule(home.account, lines, signature))


async def delegate(street: Street, home: Home, delegate: Party, meters: tuple[int, ...], scope: Scope) -> None:
    bounds = scope.max_energy_wh, scope.lowest_ask, scope.highest_bid, scope.until
    said = Delegation(home.account, delegate.address, scope.market, meters, *bounds, street.nonce(), FAR)
    act = street.act("EnergyAuction", said, home.party.secret, home.account)
    await street.send(street.contracts.auction.set_delegation(said, act))


async def change_market(street: Street, terms: MarketTerms) -> None:
    change = ChangeMarket(street.market, terms, street.nonce(), FAR)
    underwritten = UnderwriteChange(street.market, terms, street.nonce(), FAR)
    operator = street.act("EnergyAuction", change, street.operator.secret, street.operator.address)
    utility = street.act("EnergyAuction", underwritten, street.utility.secret, street.utility.address)
    await street.send(street.contracts.auction.change_market(street.market, terms, operator, utility))


async def move(street: Street, home: Home, to: Party, from_slot: int) -> Home:
    """The home's device becomes the next meter of another account, with a mandate."""
    device = home.device
    said = MeterMove(device, street.market, to.address, 9_000, 9_000, 1, True, from_slot, street.nonce(), FAR)
    operator = street.act("DERRegistry", said, street.operator.secret, street.operator.address)
    consent = Mandate(device, street.market, to.address, street.nonce(), FAR)
    mandate = street.act("DERRegistry", consent, to.secret, to.address)
    await street.send(street.contracts.meters.move_meter(said, operator, mandate))
    return Home(to, home.key, meter=await street.contracts.meters.meter_count(), first_key=home.first_key)


async def end(street: Street, home: Home, until_slot: int) -> None:
    said = MeterEnd(home.meter, until_slot, street.nonce(), FAR)
    operator = street.act("DERRegistry", said, street.operator.secret, street.operator.address)
    await street.send(street.contracts.meters.end_meter(said, operator))


async def change(street: Street, wallet: Home) -> None:
    """Other hands and other days: schedules, a delegate, changed terms, a home that moves, one that ends."""
    one, two, three, four = street.homes
    agent, auction = Party.of("agent"), street.contracts.auction
    now = street.time // SLOT
    soon, ahead = range(now + 4, now + 7), now + 195

    # a delegate of one for all its meters, of two within a scope
    await delegate(street, one, agent, (), Scope(0, 700, 100_000, 0, FAR))
    await delegate(street, two, agent, (two.meter,), Scope(street.market, 500, 0, 250_000, FAR))
    await delegate(street, three, agent, (), Scope(0, 500, 0, 250_000, FAR))
    await delegate(street, three, agent, (), Scope(0, 500, 0, 250_000, 0))

    # schedules by: the account, a delegate with a line beyond its scope, one who is none any more, a wallet
    await schedule(street, one, one.party, *(street.ask(one, slot, 600, 130_000) for slot in soon))
    await schedule(street, two, agent, street.bid(two, soon[0], 500, 200_000), street.bid(two, soon[1], 501, 200_000))
    await schedule(street, three, agent, street.bid(three, soon[0], 100, 200_000))
    await schedule(street, wallet, wallet.party, street.bid(wallet, soon[1], 300, 240_000))
    await schedule(street, wallet, agent, street.bid(wallet, soon[2], 300, 240_000))
    await street.place(street.sign_word("EnergyAuction", _ask(street, one, soon[1]), agent.secret))
    await cancel_schedule(street, one, agent, street.cancelling(one, soon[2]), street.cancelling(two, soon[2]))

    # later terms and later people
    await change_market(street, replace(street.terms(), grid_fee=10_000, retail_price=400_000, from_slot=ahead))
    moved = await move(street, three, one.party, ahead)
    await end(street, four, ahead)

    # two prices in one transaction, and what they come to
    clearings = [auction.clear(street.market, slot).data for slot in soon[:2]]
    await street.send(auction.call("multicall", clearings), at=soon[1] * SLOT)
    await street.settle(
        soon[0], street.reading(one, soon[0], 0, 610), street.reading(two, soon[0], 450, 0), at=(soon[1] + 1) * SLOT
    )
    await street.settle(soon[1], street.reading(one, soon[1], 0, 640), street.reading(wallet, soon[1], 300, 0))

    # on both sides of the change
    await street.place(
        street.bid(three, ahead - 1, 200, 200_000),
        street.bid(three, ahead, 200, 200_000),
        street.bid(moved, ahead - 1, 200, 200_000),
        street.bid(moved, ahead, 200, 200_000),
        street.ask(two, ahead, 300, 100_000),
        at=(ahead - 3) * SLOT,
    )
    await street.settle(ahead - 1, street.reading(three, ahead - 1, 250, 0), at=(ahead + 1) * SLOT)
    await street.settle(
        ahead,
        street.reading(three, ahead, 250, 0),
        street.reading(moved, ahead, 250, 0),
        street.reading(two, ahead, 0, 310),
    )


def _ask(street: Street, home: Home, slot: int) -> Order:
    return Order(street.market, slot, home.meter, home.next_version(slot), FAR, Side.ASK, 650, 120_000)
