"""Tables of the index: projections of the chain's events. Disposable: `gridweave index rebuild` gives the same rows.

Every row stands for one event (of `history_subjects` for one block) and carries the state that resulted, keyed by where
the event stands on the chain. Rows are only added, so undoing blocks is `delete where block_number > fork`, and the
current state of a thing is its latest row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, MetaData, String, Table, Text

from gridweave.store.columns import Address, Bytes32, Micro, Number

__all__ = ["EVENT_TABLES", "metadata"]

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
    comment="what this index was built from: chain id, genesis, contracts",
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("hash", Bytes32, nullable=False),
    Column("parent_hash", Bytes32, nullable=False),
    Column("timestamp", Number, nullable=False),
    Index("blocks_by_time", "timestamp"),
)


def _events(name: str, *columns: Column[Any], by: tuple[tuple[str, ...], ...] = ()) -> Table:
    """A table of events; a column of `columns` may extend the key where one event leaves several rows."""
    return Table(
        name,
        metadata,
        Column("block_number", Number, primary_key=True, autoincrement=False),
        Column("log_index", Number, primary_key=True, autoincrement=False),
        Column("tx_hash", Bytes32, nullable=False),
        *columns,
        *(Index(f"{name}_by_{'_'.join(keys)}", *keys) for keys in by),
    )


def _col(name: str, kind: Any, *, null: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=null)


devices = _events(
    "devices",
    _col("device", Address),
    _col("maker", Address),
    _col("owner", Address),
    _col("model", Number),
    _col("batch", Bytes32, null=True),
    by=(("device",), ("owner",)),
)
device_owners = _events("device_owners", _col("device", Address), _col("owner", Address), by=(("device",), ("owner",)))
device_keys = _events(
    "device_keys",
    _col("device", Address),
    _col("key_kind", Number),
    _col("x", Bytes32),
    _col("y", Bytes32),
    _col("counts", Boolean),
    by=(("device",),),
)
device_statuses = _events(
    "device_statuses", _col("device", Address), _col("status", Number), _col("by", Address), by=(("device",),)
)
device_doubts = _events(
    "device_doubts", _col("device", Address), _col("since_block", Number), _col("by", Address), by=(("device",),)
)
device_proposals = _events(
    "device_proposals",
    _col("device", Address),
    _col("key_kind", Number),
    _col("x", Bytes32),
    _col("y", Bytes32),
    _col("ready_at", Number),
    by=(("device",),),
)
device_vetoes = _events("device_vetoes", _col("device", Address), _col("key", Address), by=(("device",),))
device_offers = _events(
    "device_offers", _col("device", Address), _col("to", Address), _col("until", Number), by=(("device",), ("to",))
)
device_batches = _events(
    "device_batches",
    _col("root", Bytes32),
    _col("maker", Address),
    _col("model", Number),
    _col("size", Number),
    by=(("root",), ("maker",)),
)
device_batch_closings = _events("device_batch_closings", _col("root", Bytes32), _col("by", Address), by=(("root",),))
meters = _events(
    "meters",
    _col("meter", Number),
    _col("device", Address),
    _col("account", Address),
    _col("market", Number),
    _col("import_capacity_w", Number),
    _col("export_capacity_w", Number),
    _col("scale_wh", Number),
    _col("has_mandate", Boolean),
    by=(("meter",), ("device",), ("account",), ("market",)),
)
meter_ends = _events("meter_ends", _col("meter", Number), _col("until_slot", Number), by=(("meter",),))
meter_moves = _events(
    "meter_moves",
    _col("device", Address),
    _col("ended", Number),
    _col("begun", Number),
    _col("from_slot", Number),
    by=(("begun",),),
)
assets = _events(
    "assets",
    _col("asset", Number),
    _col("meter", Number),
    _col("feeder", Number),
    _col("kind", Number),
    _col("nameplate_w", Number),
    _col("storage_wh", Number),
    by=(("asset",), ("meter",), ("feeder", "kind")),
)
asset_states = _events(
    "asset_states", _col("asset", Number), _col("state", Number), _col("since", Number), by=(("asset",),)
)
firmware_models = _events("firmware_models", _col("model", Number), _col("maker", Address), by=(("model",), ("maker",)))
firmware_keys = _events(
    "firmware_keys",
    _col("model", Number),
    _col("version", Number),
    _col("threshold", Number),
    _col("members", Text),
    by=(("model", "version"),),
)
"""Release keys from then on; `members` are addresses that ascend, separated by commas."""

firmware_releases = _events(
    "firmware_releases",
    _col("model", Number),
    _col("counter", Number),
    _col("commitment", Bytes32),
    _col("floor", Number),
    _col("image_size", Micro),
    _col("image_hash", Bytes32),
    _col("manifest_hash", Bytes32),
    _col("bom_hash", Bytes32),
    _col("source", Text),
    _col("least_receipts", Number),
    _col("failure_limit_bp", Number),
    _col("deadline", Micro),
    by=(("model", "counter"),),
)
firmware_steps = _events(
    "firmware_steps",
    _col("model", Number),
    _col("counter", Number),
    _col("state", Number),
    _col("step", Number),
    _col("share_bp", Number, null=True),
    _col("by", Address, null=True),
    _col("told", Number, null=True),
    _col("failures", Number, null=True),
    by=(("model", "counter"),),
)
"""A rollout begun, raised or resumed has a share; one that was paused has the last three columns."""

firmware_floors = _events("firmware_floors", _col("model", Number), _col("floor", Number), by=(("model",),))
firmware_revocations = _events(
    "firmware_revocations",
    _col("model", Number),
    _col("counter", Number),
    _col("since_block", Number),
    by=(("model", "counter"),),
)
firmware_installs = _events(
    "firmware_installs",
    _col("device", Address),
    _col("model", Number),
    _col("counter", Number),
    _col("failure_code", Number),
    _col("time", Number),
    by=(("device",), ("model", "counter")),
)
firmware_refusals = _events(
    "firmware_refusals",
    _col("device", Address),
    _col("model", Number),
    _col("counter", Number),
    _col("reason", String(64)),
    by=(("device",), ("model", "counter")),
)
markets = _events(
    "markets",
    _col("market", Number),
    _col("version", Number),
    _col("min_price", Number),
    _col("tick_size", Number),
    _col("tick_count", Number),
    _col("grid_fee", Number),
    _col("feed_in_price", Number),
    _col("retail_price", Number),
    _col("min_energy_wh", Number),
    _col("utility", Address),
    _col("gate_lead", Number),
    _col("reading_window", Number),
    _col("correction_window", Number),
    _col("operator", Address),
    _col("default_wh", Number),
    _col("from_slot", Number),
    by=(("market", "from_slot"),),
)
delegations = _events(
    "delegations",
    Column("meter", Number, primary_key=True, autoincrement=False),
    _col("account", Address),
    _col("delegate", Address),
    _col("market", Number),
    _col("max_energy_wh", Number),
    _col("lowest_ask", Micro),
    _col("highest_bid", Micro),
    _col("until", Number),
    by=(("account", "delegate"),),
)
placements = _events(
    "placements",
    _col("digest", Bytes32),
    _col("market", Number),
    _col("slot", Number),
    _col("meter", Number),
    _col("version", Number),
    _col("deadline", Number),
    _col("side", Number),
    _col("energy_wh", Number),
    _col("limit_price", Number),
    by=(("digest",), ("meter", "slot"), ("slot", "market")),
)
cancellations = _events(
    "cancellations",
    _col("digest", Bytes32),
    _col("market", Number),
    _col("slot", Number),
    _col("meter", Number),
    _col("version", Number),
    _col("deadline", Number),
    by=(("digest",), ("meter", "slot"), ("slot", "market")),
)
refusals = _events(
    "refusals",
    _col("digest", Bytes32),
    _col("meter", Number),
    _col("slot", Number),
    _col("reason", String(64)),
    by=(("digest",), ("meter", "slot")),
)
clearings = _events(
    "clearings",
    _col("market", Number),
    _col("slot", Number),
    _col("traded", Boolean),
    _col("price", Number, null=True),
    _col("low", Number, null=True),
    _col("high", Number, null=True),
    _col("volume_wh", Number),
    _col("long_side", Number),
    _col("shared_wh", Number),
    _col("long_wh", Number),
    by=(("market", "slot"),),
)
readings = _events(
    "readings",
    _col("meter", Number),
    _col("slot", Number),
    _col("version", Number),
    _col("import_wh", Number),
    _col("export_wh", Number),
    by=(("meter", "slot"),),
)
reading_refusals = _events(
    "reading_refusals",
    _col("meter", Number),
    _col("slot", Number),
    _col("version", Number),
    _col("reason", String(64)),
    by=(("meter", "slot"),),
)
settlements = _events(
    "settlements",
    _col("meter", Number),
    _col("slot", Number),
    _col("reading_version", Number),
    _col("bought_wh", Number),
    _col("sold_wh", Number),
    _col("cash", Micro),
    by=(("meter", "slot"), ("slot",)),
)
settlement_refusals = _events(
    "settlement_refusals",
    _col("meter", Number),
    _col("slot", Number),
    _col("reason", String(64)),
    by=(("meter", "slot"),),
)
releases = _events(
    "releases", _col("meter", Number), _col("slot", Number), _col("amount", Micro), by=(("meter", "slot"),)
)
closes = _events(
    "closes",
    _col("market", Number),
    _col("slot", Number),
    _col("bid_dust_wh", Number),
    _col("ask_dust_wh", Number),
    _col("residue", Micro),
    by=(("market", "slot"),),
)
moves = _events(
    "moves",
    Column("account", Address, primary_key=True),
    _col("kind", String(12)),
    _col("counterparty", Address),
    _col("ref", Bytes32, null=True),
    _col("amount", Micro),
    _col("from_pot", Micro, null=True),
    _col("from_utility", Micro, null=True),
    _col("hold", Micro, null=True),
    _col("available", Micro),
    by=(("account", "block_number", "log_index"),),
)
balances = _events(
    "balances",
    _col("module", Address),
    _col("utility", Address),
    _col("operator", Address),
    _col("to_operator", Micro),
    _col("pot_to_utility", Micro),
    _col("pot_to_operator", Micro),
    _col("utility_available", Micro),
    _col("operator_available", Micro),
    by=(("utility",),),
)
payments = _events(
    "payments",
    _col("debtor", Address),
    _col("creditor", Address),
    _col("amount", Micro),
    _col("debtor_available", Micro),
    _col("creditor_available", Micro),
    by=(("debtor",), ("creditor",)),
)
debts = _events(
    "debts",
    _col("debtor", Address),
    _col("creditor", Address),
    _col("owed", Micro),
    by=(("debtor", "creditor"), ("creditor",)),
)
skims = _events("skims", _col("recipient", Address), _col("amount", Micro))

bonds = _events(
    "bonds",
    _col("sponsor", Address),
    _col("relayer", Address),
    _col("kind", String(12)),
    _col("bond", Micro),
    _col("leaving", Micro),
    _col("redeemable_at", Number, null=True),
    by=(("relayer", "sponsor"),),
)
compensations = _events(
    "compensations",
    _col("digest", Bytes32),
    _col("sponsor", Address),
    _col("relayer", Address),
    _col("meter", Number),
    _col("slot", Number),
    _col("account", Address),
    _col("amount", Micro),
    by=(("relayer",),),
)
refusal_proofs = _events(
    "refusal_proofs",
    _col("digest", Bytes32),
    _col("meter", Number),
    _col("slot", Number),
    _col("request", Bytes32),
    _col("signature_hash", Bytes32),
    by=(("digest",),),
)

history = _events("history", _col("contract", Address), _col("event", String(40)), _col("args", Text))
"""Every event of every contract, `args` its parameters as a JSON object."""

history_subjects = Table(
    "history_subjects",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("block_number", Number, primary_key=True, autoincrement=False),
    Column("logs", Text, nullable=False),
    Index("history_subjects_by_block_number", "block_number"),
    comment="where each subject is named: once a block, with the log indexes, ascending and separated by commas",
    sqlite_with_rowid=False,
)

streams = _events(
    "streams",
    _col("stream", Bytes32),
    _col("device", Address),
    _col("schema_hash", Bytes32),
    _col("mode", Number),
    by=(("stream",), ("device",)),
)
stream_epochs = _events(
    "stream_epochs",
    _col("stream", Bytes32),
    _col("owner", Address),
    _col("epoch", Number),
    _col("tip", Bytes32),
    by=(("stream",), ("owner",)),
)
stream_batches = _events(
    "stream_batches",
    _col("stream", Bytes32),
    _col("number", Number),
    _col("span", Bytes32),
    _col("head", Bytes32),
    _col("root", Bytes32),
    _col("body_hash", Bytes32),
    by=(("stream", "number"), ("body_hash",)),
)
stream_refusals = _events(
    "stream_refusals",
    _col("stream", Bytes32),
    _col("span", Bytes32),
    _col("reason", String(80)),
    by=(("stream",),),
)
stream_grants = _events(
    "stream_grants",
    _col("stream", Bytes32),
    _col("to", Address),
    _col("epoch", Number),
    _col("first_window", Number),
    _col("last_window", Number),
    _col("sealed", Text),
    by=(("stream",), ("to",)),
)

EVENT_TABLES: dict[str, Table] = {
    name: table for name, table in metadata.tables.items() if "block_number" in table.columns
}
"""Every table of what events left, by name, in the order in which they are declared."""
