"""What became of a request: the chain's rows first, the outbox where the chain says nothing yet.

accepted -> committed -> cleared -> settled, or cancelled, or rejected(reason). Until it is final, a status may fall
back. Rows are read one after another while the index goes on, so each state is told as of the block it began with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gridweave.chain.hexes import from_hex
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading
from gridweave.outbox.kinds import SCHEDULES, Kind
from gridweave.services.errors import NotFound
from gridweave.services.fills import filled_wh
from gridweave.services.world import World
from gridweave.store.orders import OrderTrace
from gridweave.store.reading import Row
from gridweave.store.records import ACCEPTED, COMMITTED, REJECTED, Item

__all__ = ["Status", "order_status", "orders_of_meter", "request_status", "wish_json"]

_MOST_ORDERS = 200
_POSITION = ("market", "slot", "meter", "version", "deadline")


@dataclass(frozen=True)
class Status:
    """One request's state. `block` and `transaction` are where the chain holds it; `more` depends on the kind."""

    id: str | None
    kind: str
    status: str
    final: bool
    reason: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    transaction: str | None = None
    block: int | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """As the API shows it."""
        base = {"id": self.id, "kind": self.kind, "status": self.status, "reason": self.reason, "final": self.final}
        places = {"reasonArgs": self.arguments, "transaction": self.transaction, "block": self.block}
        return base | places | self.more

    @property
    def body_of_line(self) -> dict[str, Any]:
        """What a schedule's state says of a line that the chain does not have."""
        return {"status": self.status, "reason": self.reason, "final": self.final}


async def order_status(world: World, digest: str) -> Status:
    """The state of an order or cancel. Raises NotFound for a digest that neither outbox nor chain knows."""
    world = world.still()
    item = await world.outbox.item(digest)
    trace = (await world.reads.orders.traces([digest])).get(digest)
    if item is not None and item.kind not in (Kind.ORDER, Kind.CANCEL):
        item = None
    if item is None and trace is None:
        raise NotFound("UnknownOrder", "no order with this digest was accepted here or seen on chain", {"id": digest})
    return await _of_order(world, digest, item, trace)


async def orders_of_meter(world: World, meter: int, slot: int | None) -> list[Status]:
    """A meter's newest orders and cancels, accepted or on chain, oldest first. Raises NotFound (UnknownMeter).

    What the chain does not have is told without its id, from which its energy and price could be guessed.
    """
    world = world.still()
    kinds = (Kind.ORDER, Kind.CANCEL)
    items = {i.id: i for i in await world.outbox.items_of_meter(meter, slot, kinds, _MOST_ORDERS)}
    acts = await world.reads.orders.of_meter(meter, slot, _MOST_ORDERS)
    digests = list(dict.fromkeys([*(row["digest"] for row in acts), *items]))
    if not digests and await world.reads.meters.meter(meter) is None:
        raise NotFound("UnknownMeter", "no such meter is registered", {"meter": meter})
    traces = await world.reads.orders.traces(digests)
    seen = {row["digest"] for row in acts}  # of these the acts hold whatever came later, of older ones they may not
    states = [
        await _of_order(world, digest, items.get(digest), traces.get(digest), acts if digest in seen else None)
        for digest in digests
    ]
    return [state if state.id in traces else replace(state, id=None) for state in states]


async def request_status(world: World, id_: str) -> Status:
    """The state of any accepted request. Raises NotFound (UnknownRequest)."""
    world = world.still()
    item = await world.outbox.item(id_)
    if item is None or item.kind in (Kind.ORDER, Kind.CANCEL):
        try:
            return await order_status(world, id_)
        except NotFound as fault:
            message = "no request with this id was accepted here or seen on chain"
            raise NotFound("UnknownRequest", message, {"id": id_}) from fault
    if item.kind == Kind.READING:
        return await _of_reading(world, item)
    if item.kind in SCHEDULES:
        return await _of_schedule(world, item)
    return _of_item(world, item)


async def _of_schedule(world: World, item: Item) -> Status:
    """The schedule's own state, and under `lines` that of each: as accepted as the schedule until the chain has it."""
    digests = item.payload["lines"]
    traces = await world.reads.orders.traces(digests)
    lines = []
    for digest in digests:
        if digest in traces:
            lines.append((await _of_order(world, digest, None, traces[digest])).body)
        else:
            lines.append({"id": digest} | _of_item(world, item).body_of_line)
    return _of_item(world, item, {"lines": lines})


async def _of_order(
    world: World, digest: str, item: Item | None, trace: OrderTrace | None, acts: Sequence[Row] | None = None
) -> Status:
    """`acts`: the newest of its meter, if they are at hand."""
    if trace is not None and trace.placed is not None:
        return await _of_placed(world, digest, trace.placed, acts)
    if trace is not None and trace.cancelled is not None:
        row = trace.cancelled
        return _on_chain(world, digest, Kind.CANCEL, COMMITTED, row, _act_fields(row))
    if item is not None:
        return _of_item(world, item, _payload_fields(item))
    row = trace.refused if trace is not None and trace.refused is not None else {}
    return _on_chain(world, digest, Kind.ORDER, REJECTED, row, {}, reason=row.get("reason"), final=False)


async def _of_placed(world: World, digest: str, placed: Row, acts: Sequence[Row] | None) -> Status:
    """Committed, cancelled, cleared or settled, by the newest row that says more: it decides what is final.

    `transaction` and `block` are where this version was placed; `replacedBy` is the next version's digest, and
    `cancelledIn`, `clearedIn` and `settledIn` are the transactions that did so.
    """
    place = placed["meter"], placed["slot"]
    more = _act_fields(placed)
    after = await _next_act(world, placed, acts)
    if after is not None:
        by_cancel = after["energy_wh"] is None
        reason, link = ("Cancelled", "cancelledIn") if by_cancel else ("Replaced", "replacedBy")
        more[link] = after["tx_hash"] if by_cancel else after["digest"]
        final = world.heads.is_final(after["block_number"])
        return _on_chain(world, digest, Kind.ORDER, "cancelled", placed, more, reason=reason, final=final)
    clearing = await world.reads.markets.clearing(placed["market"], placed["slot"])
    if clearing is None:
        return _on_chain(world, digest, Kind.ORDER, COMMITTED, placed, more)
    terms = await world.terms.at(placed["market"], placed["slot"])
    filled = (
        filled_wh(terms, clearing, Side(placed["side"]), placed["limit_price"], placed["energy_wh"]) if terms else 0
    )
    more |= {"filledWh": filled, "priceMicroPerKwh": clearing["price"], "clearedIn": clearing["tx_hash"]}
    settled = await world.reads.orders.settlement(*place)
    if settled is None:
        final = world.heads.is_final(clearing["block_number"])
        return _on_chain(world, digest, Kind.ORDER, "cleared", placed, more, final=final)
    more |= {"cashMicro": settled["cash"], "settledIn": settled["tx_hash"]}
    final = world.heads.is_final(settled["block_number"])
    return _on_chain(world, digest, Kind.ORDER, "settled", placed, more, final=final)


async def _next_act(world: World, placed: Row, acts: Sequence[Row] | None) -> Row | None:
    """The act that took the order's place: the lowest higher version of the same meter in the same slot."""
    if acts is None:
        acts = await world.reads.orders.of_meter(placed["meter"], placed["slot"], _MOST_ORDERS)
    later = [act for act in acts if act["slot"] == placed["slot"] and act["version"] > placed["version"]]
    return min(later, key=lambda act: act["version"], default=None)


async def _of_reading(world: World, item: Item) -> Status:
    reading = Reading.unpack(from_hex(item.payload["word"]))
    more = {
        "meter": reading.meter,
        "slot": reading.slot,
        "version": reading.version,
        "importWh": reading.import_wh,
        "exportWh": reading.export_wh,
    }
    row = await world.reads.meters.reading(reading.meter, reading.slot, reading.version)
    if row is None or (row["import_wh"], row["export_wh"]) != (reading.import_wh, reading.export_wh):
        return _of_item(world, item, more)
    settled = await world.reads.orders.settlement(reading.meter, reading.slot)
    cash = settled["cash"] if settled is not None and settled["reading_version"] == reading.version else None
    return _on_chain(world, item.id, item.kind, "settled", row, more | {"cashMicro": cash})


def _of_item(world: World, item: Item, more: dict[str, Any] | None = None) -> Status:
    """The outbox's word. What is committed in a block that the index has not reached yet still counts as accepted."""
    ahead = item.block_number is not None and item.block_number > world.heads.number
    status = ACCEPTED if item.status == COMMITTED and ahead else item.status
    return Status(
        id=item.id,
        kind=item.kind,
        status=status,
        final=item.final and status == item.status,
        reason=item.reason,
        arguments=item.reason_args,
        transaction=item.tx_hash,
        block=item.block_number,
        more={"commitBefore": item.commit_before} | (more or {}),
    )


def _on_chain(
    world: World,
    id_: str,
    kind: str,
    status: str,
    row: Row,
    more: dict[str, Any],
    *,
    reason: str | None = None,
    final: bool | None = None,
) -> Status:
    block = row.get("block_number")
    settled = world.heads.is_final(block) if final is None else final
    return Status(id_, kind, status, settled, reason, transaction=row.get("tx_hash"), block=block, more=more)


def _act_fields(row: Row) -> dict[str, Any]:
    fields = {name: row[name] for name in _POSITION}
    if row.get("energy_wh") is None:
        return fields
    return fields | wish_json(row)


def wish_json(row: Row) -> dict[str, Any]:
    """What an order wants as the API shows it."""
    return {
        "side": Side(row["side"]).label,
        "energyWh": row["energy_wh"],
        "limitPriceMicroPerKwh": row["limit_price"],
    }


def _payload_fields(item: Item) -> dict[str, Any]:
    """Where it belongs. What is wished is its signer's own until the chain has it: others could trade upon it."""
    word = from_hex(item.payload["word"])
    act = Order.unpack(word) if item.kind == Kind.ORDER else Cancel.unpack(word)
    return {name: getattr(act, name) for name in _POSITION}
