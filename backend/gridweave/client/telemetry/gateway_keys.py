"""What a gateway is given to seal with: the keys of some windows to come, and no others.

    {"gridweave": "gateway keys", "stream": hex, "schema": hex, "epoch": n,
     "firstWindow": n, "endWindow": n, "keys": hex}

Who has the file reads what is measured in these windows. It says nothing of windows before, after, or of other epochs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gridweave.client.telemetry.refusals import GatewayKeysMalformed
from gridweave.client.telemetry.stream_keys import StreamKeys, must_be_schema_of
from gridweave.domain.telemetry.keytree import WindowKeys
from gridweave.domain.telemetry.schema import Schema
from gridweave.domain.telemetry.windows import must_be_windows

__all__ = ["GatewayKeys", "keys_for_gateway"]

_PURPOSE = "gateway keys"
_FIELDS = ("gridweave", "stream", "schema", "epoch", "firstWindow", "endWindow", "keys")


@dataclass(frozen=True)
class GatewayKeys:
    """Keys of windows [first, end) of a stream's epoch."""

    stream: bytes
    schema: Schema
    first: int
    end: int
    keys: WindowKeys = field(repr=False)

    def __post_init__(self) -> None:
        """Raises SchemaNotOfStream, WindowsMalformed, WindowClosed, GatewayKeysMalformed for keys of more windows."""
        must_be_schema_of(self.stream, self.schema)
        must_be_windows(self.first, self.end)
        if self.keys.covering(self.first, self.end) != self.keys:
            raise GatewayKeysMalformed("the keys open these windows and no others")

    def encode(self) -> bytes:
        """The file's content, secret."""
        values = (
            *(_PURPOSE, "0x" + self.stream.hex(), "0x" + self.schema.encode().hex(), self.keys.epoch),
            *(self.first, self.end, "0x" + self.keys.encode().hex()),
        )
        return json.dumps(dict(zip(_FIELDS, values, strict=True)), indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, raw: bytes) -> GatewayKeys:
        """Raises GatewayKeysMalformed, SchemaMalformed, ChannelMalformed, SchemaNotOfStream, and key refusals."""
        try:
            body = json.loads(raw)
            stream, schema, keys = (_hex(body[name]) for name in ("stream", "schema", "keys"))
            first, end = body["firstWindow"], body["endWindow"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise GatewayKeysMalformed(f"JSON of {', '.join(_FIELDS)}") from error
        if type(first) is not int or type(end) is not int:
            raise GatewayKeysMalformed("windows are numbers")
        made = cls(stream, Schema.decode(schema), first, end, WindowKeys.decode(keys))
        if made.encode() != raw:
            raise GatewayKeysMalformed("the same keys are written in another way")
        return made


def keys_for_gateway(keys: StreamKeys, epoch: int, first: int, end: int) -> GatewayKeys:
    """What opens windows [first, end) of an epoch. Raises EpochClosed, WindowsMalformed, WindowClosed."""
    return GatewayKeys(keys.stream, keys.schema, first, end, keys.of(epoch).keys.covering(first, end))


def _hex(text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("0x and hex digits")
    return bytes.fromhex(text[2:])
