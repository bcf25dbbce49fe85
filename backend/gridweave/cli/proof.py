"""One payment walked back by the audit, told step by step."""

from __future__ import annotations

from gridweave.audit import Walk
from gridweave.audit.differences import Place
from gridweave.audit.walk import WalkedOrder
from gridweave.demo.clock import clock_label
from gridweave.demo.outcome import Fact, WalkStep
from gridweave.demo.report import kwh_exact, money, price
from gridweave.domain.orders import Side

__all__ = ["told_walk"]


def told_walk(walk: Walk, name: str, slot_of_day: int) -> tuple[WalkStep, ...]:
    """The steps from the payment of `name`'s meter to its maker, each with where it stands on the chain."""
    return (
        _payment(walk, name, slot_of_day),
        _price(walk),
        _orders(walk, name),
        *_reading(walk),
        _device(walk),
        _maker(walk),
    )


def _payment(walk: Walk, name: str, slot_of_day: int) -> WalkStep:
    paid = walk.settlement
    span = f"{clock_label(slot_of_day)} to {clock_label(slot_of_day + 1)}"
    parts = f"({paid.trade:,} − {paid.fee:,} + {paid.deviation:,}) / 1,000, rounded down, in millionths"
    return WalkStep(
        "Payment",
        f"{name}'s account gained {money(paid.cash, 6)} for {span}. Computed again, it is {_verdict(paid.holds)}.",
        (*_where(paid.place), Fact("cash", f"{money(paid.cash, 6)} = {parts}")),
    )


def _price(walk: Walk) -> WalkStep:
    cleared = walk.price
    low, high = price(cleared.low), price(cleared.high)
    place = "the one price that balances" if low == high else f"the middle of {low} to {high}"
    return WalkStep(
        "Price",
        f"The slot cleared at {price(cleared.price)} per kWh, {place}, for "
        f"{kwh_exact(cleared.volume_wh)} kWh. Cleared again, it is {_verdict(cleared.holds)}.",
        (*_where(cleared.place), Fact("slot", f"{walk.slot:,}")),
    )


def _orders(walk: Walk, name: str) -> WalkStep:
    own = [order for order in walk.orders if order.own]
    asks = sum(1 for order in walk.orders if order.side is Side.ASK)
    facts = [fact for order in own for fact in _order(order)]
    return WalkStep(
        "Orders",
        f"{len(walk.orders) - asks} bids and {asks} asks stood in the book. That each meter's account signed its own "
        f"{_proof(all(order.holds for order in walk.orders))}. {name}'s own:",
        tuple(facts),
    )


def _order(order: WalkedOrder) -> list[Fact]:
    verb = "sell" if order.side is Side.ASK else "buy"
    return [
        Fact("it wanted to", f"{verb} {kwh_exact(order.energy_wh)} kWh at {price(order.limit_price)} per kWh"),
        Fact("and got", f"{kwh_exact(order.filled_wh)} kWh"),
        Fact("digest", "0x" + order.digest.hex(), code=True),
        Fact("signed by", order.signer or order.account, code=True),
        *_where(order.place),
    ]


def _reading(walk: Walk) -> list[WalkStep]:
    if walk.reading is None:
        return []
    reading = walk.reading
    signature = "seen by the contract alone" if reading.signature is None else "0x" + reading.signature.hex()
    sentence = f"The meter counted {kwh_exact(reading.import_wh)} kWh in and {kwh_exact(reading.export_wh)} kWh out"
    return [
        WalkStep(
            "Reading",
            f"{sentence}, and its device signed that, which {_proof(reading.holds)}.",
            (
                Fact("meter", f"{walk.meter}, version {reading.version}"),
                Fact("digest", "0x" + reading.digest.hex(), code=True),
                Fact("signature", signature, code=True),
            ),
        )
    ]


def _device(walk: Walk) -> WalkStep:
    device = walk.device
    named = "The device is named after it"
    if device.key_version > 1:
        named = f"It is the device's key number {device.key_version}; the device is named after its first one"
    doubt = " Whether the device alone held it then is in doubt." if device.in_doubt else ""
    return WalkStep(
        "Device key",
        f"A {device.key_kind.curve} key that lives in the meter. {named}.{doubt}",
        (
            Fact("device", device.device, code=True),
            Fact("public key", "0x" + device.x.hex() + device.y.hex(), code=True),
            Fact("owner", device.owner, code=True),
        ),
    )


def _maker(walk: Walk) -> WalkStep:
    maker = walk.maker
    key = "that key" if walk.device.key_version == 1 else "the device's first key"
    facts = [Fact("maker", maker.maker, code=True)]
    if maker.batch is None:
        said = f"The maker endorsed {key}, and the device proved that it held it"
    else:
        said = f"The maker registered a batch that has {key} in it, and with that key the device claimed itself from it"
        facts.append(Fact("batch", "0x" + maker.batch.hex(), code=True))
    return WalkStep("Maker", f"{said}, which {_proof(maker.holds)}.", (*facts, *_where(maker.place)))


def _where(place: Place) -> list[Fact]:
    return [Fact("transaction", str(place.transaction), code=True), Fact("block", f"{place.block:,}")]


def _proof(holds: bool) -> str:
    return "was checked again and holds" if holds else "was checked again and does NOT hold"


def _verdict(holds: bool) -> str:
    return "the same" if holds else "NOT the same"
