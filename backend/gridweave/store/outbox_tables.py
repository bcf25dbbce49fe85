"""Tables of the outbox: what is acknowledged and not yet final. Durable, never rebuilt.

items    one signed request each, in the order in which they were accepted
batches  one nonce of the relayer each: the call that carries some items
signed   every set of signed bytes of a batch; a fee replacement adds one

proposals  acts of release keys that too few of them have signed so far
approvals  their signatures, and those that were given again after a change of keys
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, MetaData, String, Table, Text, false

from gridweave.store.columns import Address, Bytes32, Micro, Number, Seq

__all__ = ["approvals", "batches", "facts", "items", "metadata", "proposals", "signed"]

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
    comment="what this outbox belongs to: chain id, genesis, relayer",
)

items = Table(
    "items",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=True),
    Column("id", Bytes32, nullable=False, unique=True),
    Column("kind", String(24), nullable=False),
    Column("nonce_key", String(160), nullable=True, unique=True, comment="what the signature may be used for once"),
    Column("lanes", Text, nullable=False, comment="JSON list: items that share a lane keep their order"),
    Column("market", Number, nullable=True),
    Column("slot", Number, nullable=True),
    Column("meter", Number, nullable=True),
    Column("account", Address, nullable=True),
    Column("payload", Text, nullable=False, comment="JSON: what the call needs, signatures included"),
    Column("commit_before", Number, nullable=False, comment="chain time from which it can no longer be executed"),
    Column("acknowledgement", Text, nullable=False),
    Column("sponsor", Address, nullable=True, comment="whose bond answers for the acknowledgement"),
    Column(
        "to_prove",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="refused on chain, which a bond does not know yet",
    ),
    Column("created_at_ms", Number, nullable=False),
    Column("status", String(12), nullable=False, comment="accepted, committed or rejected"),
    Column("reason", String(64), nullable=True),
    Column("reason_args", Text, nullable=True),
    Column("final", Boolean, nullable=False),
    Column("was_committed", Boolean, nullable=False, comment="a block held it once, perhaps one that is gone"),
    Column("attempts", Number, nullable=False),
    Column("batch", Number, nullable=True),
    Column("tx_hash", Bytes32, nullable=True),
    Column("block_number", Number, nullable=True),
    Index("items_by_batch", "batch"),
    Index("items_by_state", "final", "status", "seq"),
    Index("items_by_meter", "meter", "slot"),
    Index("items_to_prove", "to_prove"),
    sqlite_autoincrement=True,
)

batches = Table(
    "batches",
    metadata,
    Column("id", Seq, primary_key=True, autoincrement=True),
    Column("nonce", Number, nullable=False, unique=True),
    Column("kind", String(24), nullable=False),
    Column("to_address", Address, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", Number, nullable=False),
    Column("state", String(8), nullable=False, comment="open, mined, final or dead"),
    Column("tx_hash", Bytes32, nullable=True, comment="the one that was mined"),
    Column("block_number", Number, nullable=True),
    Column("block_hash", Bytes32, nullable=True),
    Column("gas_used", Number, nullable=True),
    Column("created_at_ms", Number, nullable=False),
    Index("batches_by_state", "state", "nonce"),
    sqlite_autoincrement=True,
)

signed = Table(
    "signed",
    metadata,
    Column("tx_hash", Bytes32, primary_key=True),
    Column("batch", Number, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("most_fee", Micro, nullable=False, comment="wei per gas"),
    Column("priority_fee", Micro, nullable=True, comment="wei per gas; null where there is one gas price"),
    Column("created_at_ms", Number, nullable=False),
    Index("signed_by_batch", "batch"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Bytes32, primary_key=True, comment="the act's EIP-712 digest"),
    Column("act", String(16), nullable=False),
    Column("model", Number, nullable=False),
    Column("counter", Number, nullable=True),
    Column("message", Text, nullable=False, comment="JSON: the act's fields"),
    Column("maker", Text, nullable=True, comment="JSON: the maker's consent, where a model is opened"),
    Column("deadline", Micro, nullable=False),
    Column("proposer", Address, nullable=False, comment="who signed it first"),
    Column("kept", Boolean, nullable=False, comment="of a release that stands: bundles carry the approvals"),
    Column("created_at_ms", Number, nullable=False),
    Index("proposals_by_model", "model", "counter"),
    Index("proposals_by_proposer", "proposer"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Bytes32, primary_key=True),
    Column("signer", Address, primary_key=True),
    Column("signature", Text, nullable=False),
    Column("created_at_ms", Number, nullable=False),
)
