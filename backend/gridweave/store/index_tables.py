"""All tables of the index: those of devices, and here the market's, its accounts' and the history."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from gridweave.store.columns import Address, Bytes32, Micro, Number
from gridweave.store.device_tables import metadata
from gridweave.store.event_tables import col, events

__all__ = ["EVENT_TABLES", "metadata"]

meters = events(
    "meters",
    col("meter", Number),
    col("device", Address),
    col("account", Address),
    col("market", Number),
    col("import_capacity_w", Number),
    col("export_capacity_w", Number),
    col("scale_wh", Number),
    col("has_mandate", Boolean),
    by=(("meter",), ("device",), ("account",), ("market",)),
)
meter_ends = events("meter_ends", col("meter", Number), col("until_slot", Number), by=(("meter",),))
meter_moves = events(
    "meter_moves",
    col("device", Address),
    col("ended", Number),
    col("begun", Number),
    col("from_slot", Number),
    by=(("begun",),),
)
assets = events(
    "assets",
    col("asset", Number),
    col("meter", Number),
    col("feeder", Number),
    col("kind", Number),
    col("nameplate_w", Number),
    col("storage_wh", Number),
    by=(("asset",), ("meter",), ("feeder", "kind")),
)
asset_states = events(
    "asset_states", col("asset", Number), col("state", Number), col("since", Number), by=(("asset",),)
)
markets = events(
    "markets",
    col("market", Number),
    col("version", Number),
    col("min_price", Number),
    col("tick_size", Number),
    col("tick_count", Number),
    col("grid_fee", Number),
    col("feed_in_price", Number),
    col("retail_price", Number),
    col("min_energy_wh", Number),
    col("utility", Address),
    col("gate_lead", Number),
    col("reading_window", Number),
    col("correction_window", Number),
    col("operator", Address),
    col("default_wh", Number),
    col("from_slot", Number),
    by=(("market", "from_slot"),),
)
delegations = events(
    "delegations",
    Column("meter", Number, primary_key=True, autoincrement=False),
    col("account", Address),
    col("delegate", Address),
    col("market", Number),
    col("max_energy_wh", Number),
    col("lowest_ask", Micro),
    col("highest_bid", Micro),
    col("until", Number),
    by=(("account", "delegate"),),
)
placements = events(
    "placements",
    col("digest", Bytes32),
    col("market", Number),
    col("slot", Number),
    col("meter", Number),
    col("version", Number),
    col("deadline", Number),
    col("side", Number),
    col("energy_wh", Number),
    col("limit_price", Number),
    by=(("digest",), ("meter", "slot"), ("slot", "market")),
)
cancellations = events(
    "cancellations",
    col("digest", Bytes32),
    col("market", Number),
    col("slot", Number),
    col("meter", Number),
    col("version", Number),
    col("deadline", Number),
    by=(("digest",), ("meter", "slot"), ("slot", "market")),
)
refusals = events(
    "refusals",
    col("digest", Bytes32),
    col("meter", Number),
    col("slot", Number),
    col("reason", String(64)),
    by=(("digest",), ("meter", "slot")),
)
clearings = events(
    "clearings",
    col("market", Number),
    col("slot", Number),
    col("traded", Boolean),
    col("price", Number, null=True),
    col("low", Number, null=True),
    col("high", Number, null=True),
    col("volume_wh", Number),
    col("long_side", Number),
    col("shared_wh", Number),
    col("long_wh", Number),
    by=(("market", "slot"),),
)
readings = events(
    "readings",
    col("meter", Number),
    col("slot", Number),
    col("version", Number),
    col("import_wh", Number),
    col("export_wh", Number),
    by=(("meter", "slot"),),
)
reading_refusals = events(
    "reading_refusals",
    col("meter", Number),
    col("slot", Number),
    col("version", Number),
    col("reason", String(64)),
    by=(("meter", "slot"),),
)
settlements = events(
    "settlements",
    col("meter", Number),
    col("slot", Number),
    col("reading_version", Number),
    col("bought_wh", Number),
    col("sold_wh", Number),
    col("cash", Micro),
    by=(("meter", "slot"), ("slot",)),
)
settlement_refusals = events(
    "settlement_refusals",
    col("meter", Number),
    col("slot", Number),
    col("reason", String(64)),
    by=(("meter", "slot"),),
)
releases = events("releases", col("meter", Number), col("slot", Number), col("amount", Micro), by=(("meter", "slot"),))
closes = events(
    "closes",
    col("market", Number),
    col("slot", Number),
    col("bid_dust_wh", Number),
    col("ask_dust_wh", Number),
    col("residue", Micro),
    by=(("market", "slot"),),
)
moves = events(
    "moves",
    Column("account", Address, primary_key=True),
    col("kind", String(12)),
    col("counterparty", Address),
    col("ref", Bytes32, null=True),
    col("amount", Micro),
    col("from_pot", Micro, null=True),
    col("from_utility", Micro, null=True),
    col("hold", Micro, null=True),
    col("available", Micro),
    by=(("account", "block_number", "log_index"),),
)
balances = events(
    "balances",
    col("module", Address),
    col("utility", Address),
    col("operator", Address),
    col("to_operator", Micro),
    col("pot_to_utility", Micro),
    col("pot_to_operator", Micro),
    col("utility_available", Micro),
    col("operator_available", Micro),
    by=(("utility",),),
)
payments = events(
    "payments",
    col("debtor", Address),
    col("creditor", Address),
    col("amount", Micro),
    col("debtor_available", Micro),
    col("creditor_available", Micro),
    by=(("debtor",), ("creditor",)),
)
debts = events(
    "debts",
    col("debtor", Address),
    col("creditor", Address),
    col("owed", Micro),
    by=(("debtor", "creditor"), ("creditor",)),
)
skims = events("skims", col("recipient", Address), col("amount", Micro))

bonds = events(
    "bonds",
    col("sponsor", Address),
    col("relayer", Address),
    col("kind", String(12)),
    col("bond", Micro),
    col("leaving", Micro),
    col("redeemable_at", Number, null=True),
    by=(("relayer", "sponsor"),),
)
compensations = events(
    "compensations",
    col("digest", Bytes32),
    col("sponsor", Address),
    col("relayer", Address),
    col("meter", Number),
    col("slot", Number),
    col("account", Address),
    col("amount", Micro),
    by=(("relayer",),),
)
refusal_proofs = events(
    "refusal_proofs",
    col("digest", Bytes32),
    col("meter", Number),
    col("slot", Number),
    col("request", Bytes32),
    col("signature_hash", Bytes32),
    by=(("digest",),),
)

history = events("history", col("contract", Address), col("event", String(40)), col("args", Text))
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

EVENT_TABLES: dict[str, Table] = {
    name: table for name, table in metadata.tables.items() if "block_number" in table.columns
}
"""Every table of what events left, by name, in the order in which they are declared."""
