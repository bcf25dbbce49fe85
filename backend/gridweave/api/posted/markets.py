"""Markets as they are posted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gridweave.api.fields import Address, Body, Uint16, Uint32, Uint40
from gridweave.api.posted.base import ActIn
from gridweave.domain.terms import MarketTerms

__all__ = ["MarketIn", "TermsIn"]


class TermsIn(Body):
    """A market's terms: prices in micro per kWh, windows in seconds."""

    min_price: Annotated[Uint40, Field(alias="minPriceMicroPerKwh")]
    tick_size: Annotated[Uint32, Field(alias="tickMicroPerKwh")]
    tick_count: Uint16
    grid_fee: Annotated[Uint40, Field(alias="gridFeeMicroPerKwh")]
    feed_in_price: Annotated[Uint40, Field(alias="feedInPriceMicroPerKwh")]
    retail_price: Annotated[Uint40, Field(alias="retailPriceMicroPerKwh")]
    min_energy_wh: Uint32
    utility: Address
    gate_lead: Annotated[Uint32, Field(alias="gateLeadSeconds")]
    reading_window: Annotated[Uint32, Field(alias="readingWindowSeconds")]
    correction_window: Annotated[Uint32, Field(alias="correctionWindowSeconds")]
    operator: Address
    default_wh: Uint32
    from_slot: Uint32

    def terms(self) -> MarketTerms:
        return MarketTerms(**self.model_dump())


class MarketIn(Body):
    """A market: terms, the operator's act and the utility's consent."""

    terms: TermsIn
    operator: ActIn
    utility: ActIn
