"""Field types of the API: integers in their ranges, addresses, hex of a known length."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from gridweave.chain.hexes import to_hex
from gridweave.domain.addresses import checksum_address
from gridweave.domain.names import camel

__all__ = [
    "Address",
    "Body",
    "Bytes",
    "Compact",
    "Digest",
    "Hex32",
    "Id",
    "Signature",
    "Uint8",
    "Uint16",
    "Uint32",
    "Uint40",
    "Uint64",
    "Uint96",
    "Uint256",
]


class Body(BaseModel):
    """Base of what is posted: camelCase, nothing unknown, numbers are JSON integers."""

    model_config = ConfigDict(alias_generator=camel, extra="forbid", frozen=True)


def _address(value: str) -> str:
    digits = value[2:]
    if len(value) != 42 or not value.startswith("0x") or any(char not in _HEX for char in digits):
        raise ValueError("an address is 0x and 40 hex digits")
    mixed = digits not in (digits.lower(), digits.upper())
    if mixed and checksum_address(value) != value:
        raise ValueError("the address's checksum is wrong")
    return checksum_address(value)


_MOST_DIGITS = 78
"""Of 2**256."""

_HEX = frozenset("0123456789abcdefABCDEF")


def _hex(*lengths: int) -> BeforeValidator:
    def parse(value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str) or not value.startswith("0x"):
            raise ValueError("hex starts with 0x")
        try:
            raw = bytes.fromhex(value[2:])
        except ValueError as error:
            raise ValueError("not hex") from error
        if lengths and len(raw) not in lengths:
            raise ValueError(f"{' or '.join(map(str, lengths))} bytes, not {len(raw)}")
        return raw

    return BeforeValidator(parse)


def _digest(value: str) -> str:
    if len(value) != 66 or not value.startswith("0x") or any(char not in _HEX for char in value[2:]):
        raise ValueError("an id is 0x and 64 hex digits")
    return value.lower()


def _integer(value: Any) -> int:
    """JSON integers; decimal strings as well, since not every language keeps 64 bits whole."""
    if isinstance(value, bool):
        raise ValueError("a number, not a boolean")
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS:
        return int(value)
    raise ValueError("a whole number that is not negative")


def _hex_schema(*lengths: int) -> WithJsonSchema:
    """Hex text of so many bytes."""
    digits = "|".join(f"[0-9a-fA-F]{{{2 * length}}}" for length in lengths)
    return WithJsonSchema({"type": "string", "pattern": f"^0x({digits or '([0-9a-fA-F]{2})*'})$"})


def _uint(bits: int) -> Any:
    """JSON integers of so many bits, or the same as decimal text."""
    most = 2**bits - 1
    schema = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": most}, {"type": "string", "pattern": _DECIMAL}]}
    return BeforeValidator(_integer), Field(ge=0, le=most), WithJsonSchema(schema)


_DECIMAL = f"^[0-9]{{1,{_MOST_DIGITS}}}$"

Id = Annotated[int, Field(ge=0, lt=2**32)]
"""A meter, a market or a slot."""

Address = Annotated[str, AfterValidator(_address), _hex_schema(20)]
Digest = Annotated[str, AfterValidator(_digest), _hex_schema(32)]
Hex32 = Annotated[bytes, _hex(32), PlainSerializer(to_hex), _hex_schema(32)]
Compact = Annotated[bytes, _hex(64, 65), PlainSerializer(to_hex), _hex_schema(64, 65)]
Signature = Annotated[bytes, _hex(), Field(max_length=4_096), PlainSerializer(to_hex), _hex_schema()]
Bytes = Annotated[bytes, _hex(), PlainSerializer(to_hex), _hex_schema()]
"""Of any length: whoever takes them says how many."""

Uint8 = Annotated[int, *_uint(8)]
Uint16 = Annotated[int, *_uint(16)]
Uint32 = Annotated[int, *_uint(32)]
Uint40 = Annotated[int, *_uint(40)]
Uint64 = Annotated[int, *_uint(64)]
Uint96 = Annotated[int, *_uint(96)]
Uint256 = Annotated[int, *_uint(256)]
