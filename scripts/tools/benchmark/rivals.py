"""What other systems cost: benchmarks/rivals.json, read strictly."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from layout import ROOT

__all__ = ["DEVICES", "MARKET", "RIVALS", "Act", "Rival", "read_rivals"]

RIVALS = ROOT / "benchmarks" / "rivals.json"

Text = Annotated[str, Field(min_length=1)]
Gas = Annotated[int, Field(ge=0)]
Unit = Literal["gas an order", "gas a slot", "gas a claim", "gas a reading", "gas an act", "gas a batch", "gas a proof"]


class Act(StrEnum):
    """What a figure is about: `clear.N` clears N orders, `life.100` is one order's share of everything at 100, `claim`
    brings a device into being, `full` is a reading's share of a batch with its ciphertext, `release` is by 3 of 5.
    """

    PLACE = "place"
    PLACE_REUSED = "place.reused"
    CLEAR_10 = "clear.10"
    CLEAR_100 = "clear.100"
    CLEAR_200 = "clear.200"
    CLEAR_1000 = "clear.1000"
    CLEAR_10000 = "clear.10000"
    SETTLE = "settle"
    READING = "reading"
    LIFE = "life.100"
    CLAIM = "claim"
    ROTATE = "rotate"
    REVOKE = "revoke"
    ANCHOR = "anchor"
    FULL = "full"
    VERIFY = "verify"
    RELEASE = "release"


MARKET = (
    Act.PLACE,
    Act.PLACE_REUSED,
    Act.CLEAR_10,
    Act.CLEAR_100,
    Act.CLEAR_200,
    Act.CLEAR_1000,
    Act.CLEAR_10000,
    Act.SETTLE,
    Act.READING,
    Act.LIFE,
)
DEVICES = (Act.CLAIM, Act.ROTATE, Act.REVOKE, Act.ANCHOR, Act.FULL, Act.VERIFY, Act.RELEASE)


class Rival(BaseModel):
    """One figure of one system, from `low` to `high`. `measured` by us, or `published` by its owners."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Text
    version: Text
    act: Act
    low: Gas
    high: Gas
    unit: Unit
    basis: Literal["measured", "published"]
    source: Text

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


_RIVALS = TypeAdapter(list[Rival])


def read_rivals(path: Path = RIVALS) -> list[Rival]:
    """Every figure, none twice. ValidationError for a wrong one, ValueError for a second of the same system and act."""
    rivals = _RIVALS.validate_json(path.read_text())
    places = [(rival.system, rival.act) for rival in rivals]
    if len(places) != len(set(places)):
        raise ValueError(f"{path.name}: a system has two figures for one act")
    return rivals
