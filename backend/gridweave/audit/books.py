"""What storage must hold once the replay has come to the audited block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gridweave.audit.bonds import Bonds
from gridweave.audit.differences import Subject
from gridweave.audit.identity import Identities
from gridweave.audit.money import Money
from gridweave.audit.roles import ADMIN, Roles
from gridweave.audit.storage import Claim
from gridweave.audit.trade import Trade
from gridweave.chain.abi import abi_of
from gridweave.domain.ledger import Stored
from gridweave.domain.orders import Side
from gridweave.domain.slotbook import SlotBook
from gridweave.domain.slots import ring_index

__all__ = [
    "claims_of_bonds",
    "claims_of_identities",
    "claims_of_money",
    "claims_of_readings",
    "claims_of_roles",
    "claims_of_trade",
]

Addresses = Mapping[str, str]


def claims_of_money(money: Money, addresses: Addresses, now: int) -> Iterator[Claim]:
    """Accounts, pots, debts and totals of the Vault, as of chain time `now`, and the tokens that it holds."""
    for party in sorted(money.accounts):
        account = money.account(party, now)
        said = (account.available, account.held, account.arrear)
        yield Claim("Vault", "accountOf", (party,), ("available", "held", "arrear"), said, Subject(account=party))
    for module in sorted({*money.pots, *(addresses[name] for name in _MODULES)}):
        yield Claim("Vault", "potOf", (module,), ("pot",), (money.pot(module),), Subject(account=module))
    for debtor, creditor in sorted(money.touched):
        subject = Subject(account=debtor, creditor=creditor)
        yield Claim("Vault", "owed", (debtor, creditor), ("owed",), (money.owed(debtor, creditor),), subject)
    whole = Subject(account=addresses["Vault"])
    yield Claim("Vault", "totalTracked", (), ("total",), (money.total_tracked,), whole)
    yield Claim("Vault", "currency", (), ("currency",), (addresses["LocalCurrency"],), whole)
    yield Claim("LocalCurrency", "balanceOf", (addresses["Vault"],), ("balance",), (money.tokens,), whole)


def claims_of_trade(trade: Trade, markets: Mapping[int, Sequence[int]]) -> Iterator[Claim]:
    """Markets, delegations, and every slot and position whose place in the ring is its own.

    `markets` are the slots from which a market's versions are in force, by market.
    """
    yield Claim("EnergyAuction", "marketCount", (), ("count",), (len(markets),), Subject(field="markets"))
    for key, scope in sorted(trade.book.delegations.scopes.items()):
        said = (int.from_bytes(scope.pack(), "big"),)
        yield Claim("EnergyAuction", "delegationOf", key, ("scope",), said, Subject(account=key[0], meter=key[2]))
    for market, slot in ((market, slot) for market, slots in markets.items() for slot in slots):
        terms = trade.book.terms_of(market, slot)
        names = tuple(vars(terms))
        yield Claim(
            "EnergyAuction", "termsOf", (market, slot), names, tuple(vars(terms).values()), Subject(market=market)
        )
    newest = _newest_positions(trade)
    for (market, _), book in sorted(trade.book.places.items()):
        yield from _claims_of_slot(market, book)
        for meter in sorted({*book.book.lines, *book.defaulted}):
            if newest[meter, ring_index(book.slot)] == book.slot:
                yield _claim_of_position(meter, book)
                yield _claim_of_version(meter, book)


def _newest_positions(trade: Trade) -> dict[tuple[int, int], int]:
    """The newest slot of each (meter, ring index): the one whose position is stored there."""
    newest: dict[tuple[int, int], int] = {}
    for book in trade.book.places.values():
        for meter in {*book.book.lines, *book.defaulted}:
            key = meter, ring_index(book.slot)
            newest[key] = max(newest.get(key, 0), book.slot)
    return newest


def _claims_of_slot(market: int, book: SlotBook) -> Iterator[Claim]:
    subject = Subject(market=market, slot=book.slot)
    found = book.clearing
    if found:
        side = int(found.long_side or 0)
        ticks = found.price_tick if found.traded else None, found.low_tick, found.high_tick
        said = (True, book.closed, found.traded, side, *ticks, found.volume_wh, found.shared_wh, found.long_wh)
    else:
        said = (False, book.closed, False, 0, 0, 0, 0, 0, 0, 0)
    yield Claim("EnergyAuction", "clearingOf", (market, book.slot), _CLEARING, said, subject)
    state = (book.pot, book.open_wh[Side.BID], book.open_wh[Side.ASK], book.bought_wh, book.sold_wh)
    yield Claim("EnergyAuction", "slotStateOf", (market, book.slot), _STATE, state, subject)


def _claim_of_position(meter: int, book: SlotBook) -> Claim:
    position = book.position(meter)
    line = position.line
    said = (
        int(line.side or 0),
        line.version,
        line.tick,
        line.energy_wh,
        position.filled_wh,
        position.released,
        position.settled_by_default,
    )
    return Claim(
        "EnergyAuction", "positionOf", (meter, book.slot), _POSITION, said, Subject(slot=book.slot, meter=meter)
    )


def _claim_of_version(meter: int, book: SlotBook) -> Claim:
    line = book.line(meter)
    said, subject = (line.version, line.taken_at), Subject(slot=book.slot, meter=meter)
    return Claim("EnergyAuction", "lastVersionOf", (meter, book.slot), ("version", "takenAt"), said, subject)


def claims_of_bonds(bonds: Bonds) -> Iterator[Claim]:
    """Every bond that ever was, and what became of acknowledged orders."""
    book, of = bonds.book, bonds.subjects
    for (sponsor, relayer), bond in sorted(book.bonds.items()):
        said, subject = (bond.amount, bond.leaving, bond.redeemable_at), Subject(account=sponsor, relayer=relayer)
        yield Claim("RelayerBond", "bondOf", (sponsor, relayer), _BOND, said, subject)
    for key, time in sorted(book.refused_at.items()):
        yield Claim("RelayerBond", "refusedAt", key, ("time",), (time,), of[key[0]])
    for digest, relayer in sorted(book.compensated):
        subject = replace(of[digest], relayer=relayer)
        yield Claim("RelayerBond", "isCompensated", (digest, relayer), ("compensated",), (True,), subject)


def claims_of_readings(readings: Mapping[tuple[int, int], Stored]) -> Iterator[Claim]:
    """The newest version of each reading, by meter and slot."""
    for (meter, slot), stored in readings.items():
        said = (stored.version, stored.import_wh, stored.export_wh)
        names = ("version", "importWh", "exportWh")
        yield Claim("MeterLedger", "readingOf", (meter, slot), names, said, Subject(slot=slot, meter=meter))


def claims_of_identities(identities: Identities) -> Iterator[Claim]:
    """Meters and assets."""
    for number, registration in identities.meters.items():
        word = int.from_bytes(registration.meter.pack(), "big")
        binding = int.from_bytes(registration.binding.pack(), "big")
        names = ("terms", "binding")
        yield Claim("DERRegistry", "meteringOf", ([number],), names, (word, binding), Subject(meter=number))
    for number, asset in identities.assets.items():
        yield Claim("DERRegistry", "assetOf", (number,), _ASSET, asset, Subject(asset=number))
    meters, assets = len(identities.meters), len(identities.assets)
    yield Claim("DERRegistry", "meterCount", (), ("count",), (meters,), Subject(field="meters"))
    yield Claim("DERRegistry", "assetCount", (), ("count",), (assets,), Subject(field="assets"))


def claims_of_roles(roles: Roles, addresses: Addresses, now: int) -> Iterator[Claim]:
    """Members and settings of the Authority, as of chain time `now`."""
    for (role, account), membership in roles.members.items():
        since = membership.since if membership else 0
        waits = membership.delay.at(now) if membership else 0
        yield _role("getAccess", (role, account), ("since", "delay"), (since, waits), Subject(account=account))
    for target, function in sorted({*roles.functions, *_functions(addresses)}):
        role = roles.functions.get((target, function), ADMIN)
        yield _role("getTargetFunctionRole", (target, function), ("role",), (role,), Subject(account=target))
    for target, closed in roles.closed.items():
        yield _role("isTargetClosed", (target,), ("closed",), (closed,), Subject(account=target))
    for role, admin in roles.admins.items():
        yield _role("getRoleAdmin", (role,), ("admin",), (admin,), Subject(field=f"role {role}"))
    for role, guardian in roles.guardians.items():
        yield _role("getRoleGuardian", (role,), ("guardian",), (guardian,), Subject(field=f"role {role}"))
    for role, delay in roles.grant_delays.items():
        subject = Subject(field=f"role {role}")
        yield _role("getRoleGrantDelay", (role,), ("delay",), (delay.at(now),), subject)
    for target, delay in roles.admin_delays.items():
        subject = Subject(account=target)
        yield _role("getTargetAdminDelay", (target,), ("delay",), (delay.at(now),), subject)


def _functions(addresses: Addresses) -> Iterator[tuple[str, bytes]]:
    """Every function of every contract that obeys the Authority, as (target, selector)."""
    for name, address in addresses.items():
        if name != "Authority":
            yield from ((address, function.selector) for function in abi_of(name).functions.values())


def _role(
    function: str, arguments: tuple[object, ...], names: tuple[str, ...], said: tuple[object, ...], subject: Subject
) -> Claim:
    return Claim("Authority", function, arguments, names, said, subject)


_MODULES = ("EnergyAuction", "RelayerBond", "DemandResponse")
_CLEARING = (
    "cleared",
    "closed",
    "traded",
    "longSide",
    "priceTick",
    "lowTick",
    "highTick",
    "volumeWh",
    "sharedWh",
    "longWh",
)
_STATE = ("pot", "openBidWh", "openAskWh", "boughtWh", "soldWh")
_POSITION = ("side", "version", "tick", "energyWh", "filledWh", "released", "settledByDefault")
_BOND = ("amount", "leaving", "redeemableAt")
_ASSET = ("meter", "kind", "state", "nameplateW", "storageWh", "feeder", "registeredAt", "stateSince")
