"""Fields of OpenADR 3.1, each with the bounds of the specification's document."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from gridweave.domain.names import camel

__all__ = ["Instant", "Int32", "Name", "ObjectId", "Shape", "Span", "Text", "Uri", "Value"]

_SPAN = r"^(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
_YEARLESS = re.compile(r"000[01]-01-01(T00:00:00(\.0+)?(Z|[+-]00:00)?)?")


def _spelled(name: str) -> str:
    """program_id -> programID, as the specification spells ids."""
    return re.sub(r"Id$", "ID", camel(name))


class Shape(BaseModel):
    """Base of every object. What the specification does not name is passed over."""

    model_config = ConfigDict(alias_generator=_spelled, extra="ignore", frozen=True)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a character that no database keeps")
    return text


def _is_instant(text: str) -> str:
    if not _YEARLESS.fullmatch(text):  # which stand for "now"
        datetime.fromisoformat(text)
    return text


def _is_span(text: str) -> str:
    if not re.fullmatch(_SPAN, text):
        raise ValueError("is no duration of ISO 8601")
    return text


Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_without_nul)]
ObjectId = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]*$", min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=8_000)]
Uri = Annotated[str, Field(min_length=2, max_length=8_000, json_schema_extra={"format": "uri"})]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, strict=True)]
Instant = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"}), AfterValidator(_is_instant)]
Span = Annotated[str, Field(max_length=64, json_schema_extra={"pattern": _SPAN}), AfterValidator(_is_span)]
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Point(Shape):
    """A pair of numbers."""

    x: _Number
    y: _Number


Value = StrictBool | StrictInt | _Number | Annotated[str, Field(strict=True)] | Point
