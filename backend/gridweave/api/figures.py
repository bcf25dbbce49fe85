"""What /metrics says of the service beside the requests: a name, a meaning and where the figure comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gridweave.artifacts import errors
from gridweave.services.vitals import Vitals

__all__ = ["FIGURES", "Figure", "VitalsCollector"]

Sample = tuple[tuple[str, ...], float]

_ITEMS = ("accepted", "committed", "rejected")
_BATCHES = ("open", "mined")
_OTHER = "Other"
_OURS = frozenset({"ActExpired", "GateClosedByReorg", "OutOfGas", "TransactionReverted", "SlotForgotten"})


@dataclass(frozen=True)
class Figure:
    """One metric. `read` gives a sample per combination of `labels`, none for what is not known now."""

    name: str
    means: str
    read: Callable[[Vitals], Iterable[Sample]]
    labels: tuple[str, ...] = ()
    grows: bool = False

    def family(self, found: Vitals) -> Any:
        """The metric with its samples."""
        kind = CounterMetricFamily if self.grows else GaugeMetricFamily
        family = kind(self.name, self.means, labels=self.labels)
        for values, sample in self.read(found):
            family.add_metric(values, sample)
        return family


class VitalsCollector(Collector):
    """Turns the look that was taken last into metrics."""

    def __init__(self) -> None:
        self.found: Vitals | None = None

    def collect(self) -> Iterator[Any]:
        """Nothing before the first look."""
        if self.found is not None:
            for figure in FIGURES:
                yield figure.family(self.found)


def _one(read: Callable[[Vitals], float | None]) -> Callable[[Vitals], Iterator[Sample]]:
    def samples(found: Vitals) -> Iterator[Sample]:
        value = read(found)
        if value is not None:
            yield (), value

    return samples


def _items(found: Vitals) -> Iterator[Sample]:
    if found.outbox is not None:
        for status in _ITEMS:
            yield (status,), found.outbox.count(status)


def _kinds(found: Vitals) -> Iterator[Sample]:
    for row in found.outbox.standing if found.outbox else ():
        yield (row.kind, row.status), row.count


def _ages(found: Vitals) -> Iterator[Sample]:
    if found.outbox is not None:
        for status in _ITEMS:
            yield (status,), found.outbox.oldest_s(status)


def _batches(found: Vitals) -> Iterator[Sample]:
    if found.outbox is not None:
        for state in _BATCHES:
            yield (state,), found.outbox.batches[state]


def _refused(found: Vitals) -> Iterator[Sample]:
    """By the contracts' names: what a chain of its own may answer besides counts as one."""
    known = _OURS | {entry.name for entry in errors().values()}
    sums: dict[str, int] = {}
    for reason, count in found.tally.refused.items():
        name = reason if reason in known else _OTHER
        sums[name] = sums.get(name, 0) + count
    for name, count in sorted(sums.items()):
        yield (name,), count


def _of_databases(what: str) -> Callable[[Vitals], Iterator[Sample]]:
    def samples(found: Vitals) -> Iterator[Sample]:
        for name, timing in found.databases.items():
            yield (name,), getattr(timing, what)

    return samples


def _of_purse(read: Callable[[Any], float | None]) -> Callable[[Vitals], Iterator[Sample]]:
    return _one(lambda found: None if found.purse is None else read(found.purse))


def _gauge(name: str, means: str, read: Callable[[Vitals], float | None]) -> Figure:
    return Figure(name, means, _one(read))


def _counter(name: str, means: str, read: Callable[[Vitals], float | None]) -> Figure:
    return Figure(name, means, _one(read), grows=True)


FIGURES: tuple[Figure, ...] = (
    _gauge("gridweave_ready", "1 while requests can be served", lambda v: v.not_ready is None),
    Figure("gridweave_outbox_items", "Items not final yet", _items, ("status",)),
    Figure("gridweave_outbox_items_by_kind", "Items not final yet", _kinds, ("kind", "status")),
    Figure("gridweave_outbox_oldest_seconds", "Age of the oldest item not final yet", _ages, ("status",)),
    _gauge("gridweave_outbox_accepted", "Items ever accepted", lambda v: v.outbox.accepted if v.outbox else None),
    Figure("gridweave_outbox_batches", "Transactions not final yet", _batches, ("state",)),
    _counter("gridweave_outbox_committed", "Items that took effect", lambda v: v.tally.committed),
    Figure("gridweave_outbox_refused", "Items that the chain refused, or that were late", _refused, ("reason",), True),
    _counter("gridweave_transactions_resent", "Transactions sent again", lambda v: v.tally.resends),
    _counter("gridweave_transaction_fees_raised", "Fees raised", lambda v: v.tally.fee_raises),
    _counter("gridweave_transactions_reverted", "Transactions that failed as a whole", lambda v: v.tally.reverts),
    _counter("gridweave_transactions_refused_by_node", "Refused by the node", lambda v: v.tally.refused_by_node),
    _counter("gridweave_transactions_thrown_out", "Thrown out by a reorganisation", lambda v: v.tally.thrown_out),
    _counter("gridweave_nonces_lost", "Nonces that another transaction took", lambda v: v.tally.nonces_lost),
    _gauge("gridweave_node_block", "The node's newest block", lambda v: v.head.number if v.head else None),
    _gauge("gridweave_node_block_time_seconds", "Its time", lambda v: v.head.timestamp if v.head else None),
    _gauge("gridweave_indexed_block", "Newest indexed block", lambda v: v.indexed_block),
    _gauge("gridweave_chain_time_seconds", "Time of the newest indexed block", lambda v: v.chain_time),
    _gauge("gridweave_final_block", "Newest block that will not change any more", lambda v: v.final_block),
    _gauge("gridweave_index_lag_blocks", "Blocks that the index is behind the node", lambda v: v.lag_blocks),
    _gauge("gridweave_index_lag_seconds", "Chain time that it is behind", lambda v: v.lag_seconds),
    _gauge("gridweave_chain_unreached_seconds", "Since the chain was reached", lambda v: v.seconds_since_reached),
    _gauge("gridweave_reorganisations", "Reorganisations since the start", lambda v: v.reorgs.count),
    _gauge("gridweave_reorganisation_deepest_blocks", "The deepest since the start", lambda v: v.reorgs.deepest),
    _gauge("gridweave_keeper_due", "Clearings and settlements that are due", lambda v: v.keeper_due),
    _gauge("gridweave_keeper_given_up", "Due, and refused again and again", lambda v: v.keeper_given_up),
    Figure("gridweave_relayer_balance_wei", "What the relayer has for gas", _of_purse(lambda p: p.balance)),
    Figure("gridweave_relayer_owed_wei", "The most that what is accepted may cost", _of_purse(lambda p: p.owed)),
    Figure("gridweave_relayer_orders_left", "Orders that the balance pays for", _of_purse(lambda p: p.orders)),
    Figure("gridweave_relayer_hours_left", "Hours that it lasts at its pace of late", _of_purse(lambda p: p.hours)),
    _gauge("gridweave_relayer_low_balance", "1 while the balance is low", lambda v: v.low_balance),
    _gauge("gridweave_relayer_out_of_funds", "1 while new requests are refused for it", lambda v: v.out_of_funds),
    _gauge("gridweave_streams_open", "Connections that follow the events", lambda v: v.streams),
    _counter("gridweave_node_requests", "Requests to the node", lambda v: v.node.calls),
    _counter("gridweave_node_failures", "Of them unanswered", lambda v: v.node.failures),
    _counter("gridweave_node_seconds", "Time that they took", lambda v: v.node.seconds),
    Figure("gridweave_database_transactions", "Transactions", _of_databases("calls"), ("database",), True),
    Figure("gridweave_database_failures", "Of them unanswered", _of_databases("failures"), ("database",), True),
    Figure("gridweave_database_seconds", "Time that they took", _of_databases("seconds"), ("database",), True),
)
