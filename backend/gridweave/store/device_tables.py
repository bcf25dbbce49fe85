"""Tables of devices and what they say: identities, firmware, streams of telemetry."""

from __future__ import annotations

from sqlalchemy import Boolean, String, Text

from gridweave.store.columns import Address, Bytes32, Micro, Number
from gridweave.store.event_tables import col, events, metadata

__all__ = [
    "device_batch_closings",
    "device_batches",
    "device_doubts",
    "device_keys",
    "device_offers",
    "device_owners",
    "device_proposals",
    "device_statuses",
    "device_vetoes",
    "devices",
    "firmware_floors",
    "firmware_installs",
    "firmware_keys",
    "firmware_models",
    "firmware_refusals",
    "firmware_releases",
    "firmware_revocations",
    "firmware_steps",
    "metadata",
    "stream_batches",
    "stream_epochs",
    "stream_grants",
    "stream_refusals",
    "streams",
]

devices = events(
    "devices",
    col("device", Address),
    col("maker", Address),
    col("owner", Address),
    col("model", Number),
    col("batch", Bytes32, null=True),
    by=(("device",), ("owner",)),
)
device_owners = events("device_owners", col("device", Address), col("owner", Address), by=(("device",), ("owner",)))
device_keys = events(
    "device_keys",
    col("device", Address),
    col("key_kind", Number),
    col("x", Bytes32),
    col("y", Bytes32),
    col("counts", Boolean),
    by=(("device",),),
)
device_statuses = events(
    "device_statuses", col("device", Address), col("status", Number), col("by", Address), by=(("device",),)
)
device_doubts = events(
    "device_doubts", col("device", Address), col("since_block", Number), col("by", Address), by=(("device",),)
)
device_proposals = events(
    "device_proposals",
    col("device", Address),
    col("key_kind", Number),
    col("x", Bytes32),
    col("y", Bytes32),
    col("ready_at", Number),
    by=(("device",),),
)
device_vetoes = events("device_vetoes", col("device", Address), col("key", Address), by=(("device",),))
device_offers = events(
    "device_offers", col("device", Address), col("to", Address), col("until", Number), by=(("device",), ("to",))
)
device_batches = events(
    "device_batches",
    col("root", Bytes32),
    col("maker", Address),
    col("model", Number),
    col("size", Number),
    by=(("root",), ("maker",)),
)
device_batch_closings = events("device_batch_closings", col("root", Bytes32), col("by", Address), by=(("root",),))
firmware_models = events("firmware_models", col("model", Number), col("maker", Address), by=(("model",), ("maker",)))
firmware_keys = events(
    "firmware_keys",
    col("model", Number),
    col("version", Number),
    col("threshold", Number),
    col("members", Text),
    by=(("model", "version"),),
)
"""Release keys from then on; `members` are addresses that ascend, separated by commas."""

firmware_releases = events(
    "firmware_releases",
    col("model", Number),
    col("counter", Number),
    col("commitment", Bytes32),
    col("floor", Number),
    col("image_size", Micro),
    col("image_hash", Bytes32),
    col("manifest_hash", Bytes32),
    col("bom_hash", Bytes32),
    col("source", Text),
    col("least_receipts", Number),
    col("failure_limit_bp", Number),
    col("deadline", Micro),
    by=(("model", "counter"),),
)
firmware_steps = events(
    "firmware_steps",
    col("model", Number),
    col("counter", Number),
    col("state", Number),
    col("step", Number),
    col("share_bp", Number, null=True),
    col("by", Address, null=True),
    col("told", Number, null=True),
    col("failures", Number, null=True),
    by=(("model", "counter"),),
)
"""A rollout begun, raised or resumed has a share; one that was paused has the last three columns."""

firmware_floors = events("firmware_floors", col("model", Number), col("floor", Number), by=(("model",),))
firmware_revocations = events(
    "firmware_revocations",
    col("model", Number),
    col("counter", Number),
    col("since_block", Number),
    by=(("model", "counter"),),
)
firmware_installs = events(
    "firmware_installs",
    col("device", Address),
    col("model", Number),
    col("counter", Number),
    col("failure_code", Number),
    col("time", Number),
    by=(("device",), ("model", "counter")),
)
firmware_refusals = events(
    "firmware_refusals",
    col("device", Address),
    col("model", Number),
    col("counter", Number),
    col("reason", String(64)),
    by=(("device",), ("model", "counter")),
)
streams = events(
    "streams",
    col("stream", Bytes32),
    col("device", Address),
    col("schema_hash", Bytes32),
    col("mode", Number),
    by=(("stream",), ("device",)),
)
stream_epochs = events(
    "stream_epochs",
    col("stream", Bytes32),
    col("owner", Address),
    col("epoch", Number),
    col("tip", Bytes32),
    by=(("stream",), ("owner",)),
)
stream_batches = events(
    "stream_batches",
    col("stream", Bytes32),
    col("number", Number),
    col("span", Bytes32),
    col("head", Bytes32),
    col("root", Bytes32),
    col("body_hash", Bytes32),
    by=(("stream", "number"), ("body_hash",)),
)
stream_refusals = events(
    "stream_refusals",
    col("stream", Bytes32),
    col("span", Bytes32),
    col("reason", String(80)),
    by=(("stream",),),
)
stream_grants = events(
    "stream_grants",
    col("stream", Bytes32),
    col("to", Address),
    col("epoch", Number),
    col("first_window", Number),
    col("last_window", Number),
    col("sealed", Text),
    by=(("stream",), ("to",)),
)
