"""What an order needs to know of its market: the slot's times, and the numbers behind a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gridweave.cli.terminal import at_time
from gridweave.client.errors import ServiceError
from gridweave.client.prosumer import Offer
from gridweave.client.service import GridweaveClient
from gridweave.domain.orders import Side
from gridweave.domain.slots import SlotClock
from gridweave.domain.units import format_amount, format_energy_kwh, format_price

__all__ = ["explaining", "times_of"]

_DEPOSIT = "deposit with: gridweave account deposit AMOUNT --key NAME"


def times_of(client: GridweaveClient, market: int, slot: int) -> str:
    """When the slot starts and its gate closes, UTC. Raises ServiceError."""
    state = client.slot(market, slot)
    return f"starts {at_time(int(state['startsAt']))} UTC, gate closes {at_time(int(state['gateAt']))} UTC"


@contextmanager
def explaining(client: GridweaveClient, market: int, offer: Offer) -> Iterator[None]:
    """Adds to a refused offer's message the numbers that it would have had to keep to. Raises ServiceError."""
    try:
        yield
    except ServiceError as fault:
        detail = _detail(client, market, offer, fault)
        if detail:
            fault.message = f"{fault.message}; {detail}"
        raise


def _detail(client: GridweaveClient, market: int, offer: Offer, fault: ServiceError) -> str:
    if fault.name == "AvailableTooSmall" and {"amount", "available"} <= fault.arguments.keys():
        needed, available = (format_amount(int(fault.arguments[name])) for name in ("amount", "available"))
        return f"{needed} is needed, {available} is available; {_DEPOSIT}"
    if fault.name == "InArrears" and "arrear" in fault.arguments:
        return f"{format_amount(int(fault.arguments['arrear']))} is owed"
    if fault.name == "WrongSigner" and "limit" in fault.arguments:
        return _delegated(fault.arguments)
    if fault.name == "EnergyAboveCapacity":
        return _capacity(client, offer)
    if fault.name not in ("PriceOffGrid", "EnergyTooSmall", "GateClosed", "GateTooClose"):
        return ""
    terms = client.market(market)["terms"]
    if fault.name == "PriceOffGrid":
        return _grid(terms, offer.side)
    if fault.name == "EnergyTooSmall":
        return f"the least is {int(terms['minEnergyWh'])} Wh"
    return _first_open(client, terms)


def _delegated(arguments: dict[str, Any]) -> str:
    """What the account allowed its delegate, in the units of the command's options."""
    limit, allowed = str(arguments["limit"]), arguments["allowed"]
    if allowed is None or not limit.endswith(("MicroPerKwh", "Wh")):
        return ""
    number = int(allowed)
    return f"that is {format_price(number)} per kWh" if "Micro" in limit else f"that is {format_energy_kwh(number)} kWh"


def _capacity(client: GridweaveClient, offer: Offer) -> str:
    """The most that the meter can draw or give in a slot."""
    meter = client.get(f"/v1/meters/{offer.meter}")
    watts = int(meter["importCapacityW" if offer.side is Side.BID else "exportCapacityW"])
    return f"the most is {watts * client.deployment.slot_length // 3_600} Wh"


def _grid(terms: dict[str, Any], side: Side) -> str:
    """The limits that a side may name."""
    step, fee = int(terms["tickMicroPerKwh"]), int(terms["gridFeeMicroPerKwh"]) if side is Side.BID else 0
    low = int(terms["minPriceMicroPerKwh"]) + fee
    high = low + step * (int(terms["tickCount"]) - 1)
    return f"{side.label}s run from {format_price(low)} to {format_price(high)} in steps of {format_price(step)}"


def _first_open(client: GridweaveClient, terms: dict[str, Any]) -> str:
    """The first slot that an order can still reach, with the time to reach it."""
    state = client.get("/v1/deployment")
    clock = SlotClock(int(state["slotLength"]))
    reach = int(state["chainTime"]) + int(state["commitMargin"]) + int(terms["gateLeadSeconds"])
    slot = clock.slot_at(reach) + 1
    gate = clock.start(slot) - int(terms["gateLeadSeconds"])
    return f"the first open slot is {slot}: starts {at_time(clock.start(slot))} UTC, gate closes {at_time(gate)} UTC"
