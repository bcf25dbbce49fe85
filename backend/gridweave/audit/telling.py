"""A walk told step by step, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from gridweave.audit.differences import Place
from gridweave.audit.walk import Walk, WalkedOrder
from gridweave.chain.hexes import to_hex
from gridweave.domain.names import camel
from gridweave.domain.orders import Side
from gridweave.domain.units import format_amount, format_energy_kwh, format_price

__all__ = ["Step", "walk_json", "walk_steps"]


@dataclass(frozen=True)
class Step:
    """One station of a walk: what it is, one sentence, the facts behind it, whether it comes out the same again.

    `check` says how to see that without us.
    """

    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    holds: bool
    check: str


def walk_steps(way: Walk) -> list[Step]:
    """payment, settlement, price, orders, reading, device, maker."""
    return [_payment(way), _settlement(way), _price(way), _orders(way), _reading(way), _device(way), _maker(way)]


def walk_json(way: Walk) -> dict[str, Any]:
    """The whole walk, names in camelCase, hashes and keys as 0x hex; and `steps`, the same told for people."""
    steps = [{**vars(step), "facts": dict(step.facts)} for step in walk_steps(way)]
    return {**_json(way), "holds": way.holds, "steps": steps}


def _payment(way: Walk) -> Step:
    account = way.payments[0].account if way.payments else "nobody"
    pot, utility = sum(p.from_pot for p in way.payments), sum(p.from_utility for p in way.payments)
    held = sum(p.hold for p in way.payments)
    sentence = (
        f"Meter {way.meter} of account {account} was paid {format_amount(pot)} from the slot's pot and "
        f"{format_amount(utility)} from the utility for slot {way.slot} of market {way.market}."
    )
    facts = [(f"payment {i + 1}", _where(payment.place)) for i, payment in enumerate(way.payments)]
    facts.insert(0, ("held until corrections end", format_amount(held)))
    check = "eth_getTransactionReceipt of each: that log is Paid, of the Vault, with this account and these amounts"
    return Step("payment", sentence, tuple(facts), bool(way.payments), check)


def _settlement(way: Walk) -> Step:
    found = way.settlement
    basis = "the default reading" if found.by_default else "its reading"
    sentence = (
        f"It bought {_kwh(found.bought_wh)} and sold {_kwh(found.sold_wh)}; by {basis} its cash is "
        f"{format_amount(found.cash)}."
    )
    parts = (("trade", found.trade), ("grid fee", -found.fee), ("deviation", found.deviation))
    facts = tuple((name, f"{format_amount(value // 1000)}") for name, value in parts)
    check = "put price, fills and reading into the settlement of docs/market.md and compare with Settled in the log"
    return Step("settlement", sentence, (*facts, ("transaction", _where(found.place))), found.holds, check)


def _price(way: Walk) -> Step:
    found = way.price
    check = (
        f"eth_getLogs of the EnergyAuction: Placed and Cancelled of slot {way.slot} before block {found.place.block} "
        "are the book; clear it by docs/market.md and compare with Cleared in the log"
    )
    if found.price is None or found.low is None or found.high is None:
        return Step("price", "Nobody traded in the slot.", (("transaction", _where(found.place)),), found.holds, check)
    sentence = (
        f"The slot cleared {_kwh(found.volume_wh)} at {format_price(found.price)} per kWh, in the middle of "
        f"[{format_price(found.low)}, {format_price(found.high)}]."
    )
    return Step("price", sentence, (("transaction", _where(found.place)),), found.holds, check)


def _orders(way: Walk) -> Step:
    bids = sum(order.side == Side.BID for order in way.orders)
    sentence = f"That price follows from {bids} bids and {len(way.orders) - bids} asks, each signed by its account."
    facts = tuple((f"meter {order.meter}{' (this one)' if order.own else ''}", _order(order)) for order in way.orders)
    check = "hash each Order by EIP-712 in the EnergyAuction's domain; its signature stands in the transaction's input"
    return Step("orders", sentence, facts, all(order.holds for order in way.orders), check)


def _order(order: WalkedOrder) -> str:
    side = "bid" if order.side == Side.BID else "ask"
    return (
        f"{side} {_kwh(order.energy_wh)} at {format_price(order.limit_price)}, filled {_kwh(order.filled_wh)}, "
        f"signed by {order.signer or 'a wallet contract'}: id {to_hex(order.digest)}, {_where(order.place)}"
    )


def _reading(way: Walk) -> Step:
    found = way.reading
    if found is None:
        sentence = "No reading came in time; the rules for silent meters settled the slot."
        return Step("reading", sentence, (), True, "eth_getLogs of the MeterLedger has no ReadingRecorded for it")
    sentence = (
        f"The meter read {_kwh(found.import_wh)} in and {_kwh(found.export_wh)} out, version {found.version}, "
        "signed by its device."
    )
    signature = to_hex(found.signature) if found.signature else "checked by the contract only"
    facts = (("digest", to_hex(found.digest)), ("signature", signature), ("transaction", _where(found.place)))
    check = "verify the signature over the digest, the Reading by EIP-712 in the MeterLedger's domain, by the key below"
    return Step("reading", sentence, facts, found.holds, check)


def _device(way: Walk) -> Step:
    found = way.device
    sentence = f"Device {found.device} of {found.owner} signs with a {found.key_kind.name} key."
    facts = (("x", to_hex(found.x)), ("y", to_hex(found.y)), ("transaction", _where(found.place)))
    check = "eth_getTransactionReceipt: that log is DeviceKeyChanged, of the DeviceRegistry, with this x and y"
    return Step("device key", sentence, facts, True, check)


def _maker(way: Walk) -> Step:
    found = way.maker
    signature = to_hex(found.signature) if found.signature else "checked by the contract only"
    facts = (("signature", signature), ("transaction", _where(found.place)))
    check = "recover the maker from the signature over the Endorsement, by EIP-712 in the DeviceRegistry's domain"
    return Step("maker", f"Maker {found.maker} endorsed device, key and owner.", facts, found.holds, check)


def _kwh(energy_wh: int) -> str:
    return f"{format_energy_kwh(energy_wh)} kWh"


def _where(place: Place) -> str:
    return f"{place.transaction} in block {place.block}, log {place.log_index}"


def _json(value: Any) -> Any:
    if is_dataclass(value):
        return {camel(field.name): _json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, Enum):
        return value.name.lower()
    return [_json(item) for item in value] if isinstance(value, tuple) else value
