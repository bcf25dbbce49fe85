"""Readings as they are posted."""

from __future__ import annotations

from typing import Annotated

from pydantic import FailFast, Field

from gridweave.api.fields import Body, Compact, Uint8, Uint32
from gridweave.api.posted.base import Many
from gridweave.domain.readings import Reading
from gridweave.services.readings import SignedReading

__all__ = ["ReadingsIn"]


class ReadingIn(Body):
    """A meter's signed reading of one slot."""

    meter: Uint32
    slot: Uint32
    version: Uint8
    import_wh: Uint32
    export_wh: Uint32
    signature: Compact

    def signed(self) -> SignedReading:
        reading = Reading(self.meter, self.slot, self.version, self.import_wh, self.export_wh)
        return SignedReading(reading, self.signature)


class ReadingsIn(Many):
    """Readings of one request. One alone may be sent without the list around it."""

    readings: Annotated[list[ReadingIn], FailFast(), Field(min_length=1)]
