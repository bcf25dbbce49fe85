"""The first schema of the index."""

import sqlalchemy as sa
from alembic import op

from gridweave.store.columns import Micro

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "assets",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("asset", sa.BigInteger(), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("nameplate_w", sa.BigInteger(), nullable=False),
        sa.Column("storage_wh", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("assets_by_meter", "assets", ["meter"], unique=False)
    op.create_table(
        "balances",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("module", sa.String(length=42), nullable=False),
        sa.Column("utility", sa.String(length=42), nullable=False),
        sa.Column("operator", sa.String(length=42), nullable=False),
        sa.Column("to_operator", Micro(), nullable=False),
        sa.Column("pot_to_utility", Micro(), nullable=False),
        sa.Column("pot_to_operator", Micro(), nullable=False),
        sa.Column("utility_available", Micro(), nullable=False),
        sa.Column("operator_available", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("balances_by_utility", "balances", ["utility"], unique=False)
    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("parent_hash", sa.String(length=66), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("blocks_by_time", "blocks", ["timestamp"], unique=False)
    op.create_table(
        "cancellations",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("cancellations_by_digest", "cancellations", ["digest"], unique=False)
    op.create_index("cancellations_by_meter_slot", "cancellations", ["meter", "slot"], unique=False)
    op.create_index("cancellations_by_slot_market", "cancellations", ["slot", "market"], unique=False)
    op.create_table(
        "clearings",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("traded", sa.Boolean(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("low", sa.BigInteger(), nullable=True),
        sa.Column("high", sa.BigInteger(), nullable=True),
        sa.Column("volume_wh", sa.BigInteger(), nullable=False),
        sa.Column("long_side", sa.BigInteger(), nullable=False),
        sa.Column("shared_wh", sa.BigInteger(), nullable=False),
        sa.Column("long_wh", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("clearings_by_market_slot", "clearings", ["market", "slot"], unique=False)
    op.create_table(
        "closes",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("bid_dust_wh", sa.BigInteger(), nullable=False),
        sa.Column("ask_dust_wh", sa.BigInteger(), nullable=False),
        sa.Column("residue", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("closes_by_market_slot", "closes", ["market", "slot"], unique=False)
    op.create_table(
        "debts",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("debtor", sa.String(length=42), nullable=False),
        sa.Column("creditor", sa.String(length=42), nullable=False),
        sa.Column("owed", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("debts_by_creditor", "debts", ["creditor"], unique=False)
    op.create_index("debts_by_debtor_creditor", "debts", ["debtor", "creditor"], unique=False)
    op.create_table(
        "delegations",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("delegate", sa.String(length=42), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("max_energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("lowest_ask", Micro(), nullable=False),
        sa.Column("highest_bid", Micro(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", "meter"),
    )
    op.create_index("delegations_by_account_delegate", "delegations", ["account", "delegate"], unique=False)
    op.create_table(
        "device_keys",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("key_version", sa.BigInteger(), nullable=False),
        sa.Column("key_kind", sa.BigInteger(), nullable=False),
        sa.Column("x", sa.String(length=66), nullable=False),
        sa.Column("y", sa.String(length=66), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("device_keys_by_device", "device_keys", ["device"], unique=False)
    op.create_table(
        "device_statuses",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=42), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("device_statuses_by_device", "device_statuses", ["device"], unique=False)
    op.create_table(
        "devices",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("maker", sa.String(length=42), nullable=False),
        sa.Column("owner", sa.String(length=42), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("devices_by_device", "devices", ["device"], unique=False)
    op.create_index("devices_by_owner", "devices", ["owner"], unique=False)
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        comment="what this index was built from: chain id, genesis, contracts",
    )
    op.create_table(
        "markets",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("min_price", sa.BigInteger(), nullable=False),
        sa.Column("tick_size", sa.BigInteger(), nullable=False),
        sa.Column("tick_count", sa.BigInteger(), nullable=False),
        sa.Column("grid_fee", sa.BigInteger(), nullable=False),
        sa.Column("feed_in_price", sa.BigInteger(), nullable=False),
        sa.Column("retail_price", sa.BigInteger(), nullable=False),
        sa.Column("min_energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("utility", sa.String(length=42), nullable=False),
        sa.Column("gate_lead", sa.BigInteger(), nullable=False),
        sa.Column("reading_window", sa.BigInteger(), nullable=False),
        sa.Column("correction_window", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.String(length=42), nullable=False),
        sa.Column("default_wh", sa.BigInteger(), nullable=False),
        sa.Column("from_slot", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("markets_by_market_from_slot", "markets", ["market", "from_slot"], unique=False)
    op.create_table(
        "meter_ends",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("until_slot", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("meter_ends_by_meter", "meter_ends", ["meter"], unique=False)
    op.create_table(
        "meter_moves",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("from_slot", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("meter_moves_by_begun", "meter_moves", ["begun"], unique=False)
    op.create_table(
        "meters",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=42), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("import_capacity_w", sa.BigInteger(), nullable=False),
        sa.Column("export_capacity_w", sa.BigInteger(), nullable=False),
        sa.Column("scale_wh", sa.BigInteger(), nullable=False),
        sa.Column("has_mandate", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("meters_by_account", "meters", ["account"], unique=False)
    op.create_index("meters_by_device", "meters", ["device"], unique=False)
    op.create_index("meters_by_market", "meters", ["market"], unique=False)
    op.create_index("meters_by_meter", "meters", ["meter"], unique=False)
    op.create_table(
        "moves",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("counterparty", sa.String(length=42), nullable=False),
        sa.Column("ref", sa.String(length=66), nullable=True),
        sa.Column("amount", Micro(), nullable=False),
        sa.Column("from_pot", Micro(), nullable=True),
        sa.Column("from_utility", Micro(), nullable=True),
        sa.Column("hold", Micro(), nullable=True),
        sa.Column("available", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", "account"),
    )
    op.create_index(
        "moves_by_account_block_number_log_index", "moves", ["account", "block_number", "log_index"], unique=False
    )
    op.create_table(
        "payments",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("debtor", sa.String(length=42), nullable=False),
        sa.Column("creditor", sa.String(length=42), nullable=False),
        sa.Column("amount", Micro(), nullable=False),
        sa.Column("debtor_available", Micro(), nullable=False),
        sa.Column("creditor_available", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("payments_by_creditor", "payments", ["creditor"], unique=False)
    op.create_index("payments_by_debtor", "payments", ["debtor"], unique=False)
    op.create_table(
        "placements",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("market", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.BigInteger(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("limit_price", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("placements_by_digest", "placements", ["digest"], unique=False)
    op.create_index("placements_by_meter_slot", "placements", ["meter", "slot"], unique=False)
    op.create_index("placements_by_slot_market", "placements", ["slot", "market"], unique=False)
    op.create_table(
        "reading_refusals",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("reading_refusals_by_meter_slot", "reading_refusals", ["meter", "slot"], unique=False)
    op.create_table(
        "readings",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("import_wh", sa.BigInteger(), nullable=False),
        sa.Column("export_wh", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("readings_by_meter_slot", "readings", ["meter", "slot"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("digest", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("refusals_by_digest", "refusals", ["digest"], unique=False)
    op.create_index("refusals_by_meter_slot", "refusals", ["meter", "slot"], unique=False)
    op.create_table(
        "releases",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("amount", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("releases_by_meter_slot", "releases", ["meter", "slot"], unique=False)
    op.create_table(
        "settlement_refusals",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("settlement_refusals_by_meter_slot", "settlement_refusals", ["meter", "slot"], unique=False)
    op.create_table(
        "settlements",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("meter", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("reading_version", sa.BigInteger(), nullable=False),
        sa.Column("bought_wh", sa.BigInteger(), nullable=False),
        sa.Column("sold_wh", sa.BigInteger(), nullable=False),
        sa.Column("cash", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_index("settlements_by_meter_slot", "settlements", ["meter", "slot"], unique=False)
    op.create_index("settlements_by_slot", "settlements", ["slot"], unique=False)
    op.create_table(
        "skims",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.String(length=66), nullable=False),
        sa.Column("recipient", sa.String(length=42), nullable=False),
        sa.Column("amount", Micro(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back; restore a backup instead")
