"""Refusals of the DayCalendar and the ResponseGauge, named as they name them; their interfaces say
what each means.
"""

# ruff: noqa: D101 (one class per custom error of the interface, which is the manual)

from __future__ import annotations

from gridweave.domain.errors import CallRefusal


class CalendarUnknown(CallRefusal):
    parameters = ("uint32 calendar",)


class TimeZoneMissing(CallRefusal):
    parameters = ()


class DayNotNext(CallRefusal):
    parameters = ("uint32 day", "uint32 next")


class DayHasBegun(CallRefusal):
    parameters = ("uint32 day", "uint256 beganAt")


class DaysMalformed(CallRefusal):
    parameters = ("uint256 bytesGiven",)


class DayMalformed(CallRefusal):
    parameters = ("uint32 day", "uint16 slots", "uint8 kind")


class SlotOutsideCalendar(CallRefusal):
    parameters = ("uint32 calendar", "uint32 slot")


class CalledAcrossDays(CallRefusal):
    parameters = ("uint32 firstSlot", "uint16 slots")
