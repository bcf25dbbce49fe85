"""What shapes are made of: camelCase, nothing unknown, and the field types of answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gridweave.domain.names import camel

__all__ = [
    "LEFT_OUT",
    "AccountId",
    "Count",
    "Cursor",
    "Hash",
    "Micro",
    "NewestBlock",
    "Paged",
    "Point",
    "Shape",
    "Wh",
]


def _open(schema: dict[str, Any]) -> None:
    schema.pop("additionalProperties", None)


class Shape(BaseModel):
    """Base of what is answered. A field that is nowhere declared is a fault of ours.

    The document leaves room for fields to come, since clients are to pass over those that they do not know.
    """

    model_config = ConfigDict(alias_generator=camel, extra="forbid", frozen=True, json_schema_extra=_open)


AccountId = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="address, EIP-55")]
Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
Point = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", description="a coordinate of a public key")]
Count = Annotated[int, Field(ge=0)]
Wh = Annotated[int, Field(ge=0, description="Wh")]
Micro = Annotated[int, Field(description="millionths of the currency; what is paid is negative")]
Cursor = Annotated[str | None, Field(description="pass it as `cursor` for the next page; null at the end")]

NewestBlock = Annotated[int, Field(ge=-1, description="-1 before the first block is indexed")]

LEFT_OUT: Any = Field(default_factory=lambda: None)
"""A field that is there only where it says something; its route is answered with what is set."""


class Paged(Shape):
    """A page, in chain order."""

    items: list[Any]
    next_cursor: Cursor
