"""Column types that the tables share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, String, TypeDecorator

__all__ = ["Address", "Bytes32", "Micro", "Number", "Seq"]

Number = BigInteger
"""Block numbers, slots, ids, energies in Wh and prices in micro per kWh: all below 2**63."""

Seq = BigInteger().with_variant(Integer, "sqlite")
"""An autoincrementing key; SQLite insists on INTEGER."""

Address = String(42)
"""0x-prefixed, checksummed as the chain facade gives it."""

Bytes32 = String(66)
"""0x-prefixed lower-case hex of a hash, a digest or a word."""


class Micro(TypeDecorator[int]):
    """An amount in millionths as an exact decimal text, since SQLite's integers end at 2**63."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:  # noqa: ARG002 - the base class names it
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the base class names it
        return None if value is None else int(value)
