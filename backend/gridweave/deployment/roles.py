"""Which role may call what: the whole table, nowhere else.

A function that takes an operator's or a maker's signed act is restricted to their role although anyone may send it:
the contract asks the Authority about the signer. What is restricted and not listed stays with the admin.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridweave.chain import Role

__all__ = ["DELAYED_ROLES", "FUNCTION_ROLES", "GUARDED", "LABELLED_ROLES", "grant_delay"]

FUNCTION_ROLES: Mapping[str, Mapping[Role, tuple[str, ...]]] = {
    "LocalCurrency": {Role.MINTER: ("mint",)},
    "Vault": {Role.MODULE: ("lock", "settle", "collect")},
    "DeviceRegistry": {
        Role.MAKER: ("enrol", "registerBatch"),
        Role.OPERATOR: ("setStatus", "closeBatch", "noteCompromise"),
    },
    "DERRegistry": {Role.OPERATOR: ("registerMeter", "moveMeter", "endMeter", "registerAsset")},
    "MeterLedger": {Role.RECORDER: ("record",)},
    "EnergyAuction": {Role.OPERATOR: ("createMarket", "changeMarket"), Role.PUBLIC: ("place", "placeSchedule")},
    "FirmwareRegistry": {Role.MAKER: ("openModel",)},
    "DayCalendar": {Role.OPERATOR: ("openCalendar", "publishDays")},
    "DemandResponse": {Role.OPERATOR: ("openProgramme", "openRule", "endRule", "announce", "cancel")},
}

DELAYED_ROLES = (Role.MODULE, Role.RECORDER)
"""Whoever holds them touches everybody's money or readings."""

_DAY = 86_400


def grant_delay(hold_length: int) -> int:
    """Seconds before a new module works: at least a week, and longer than credit is held and a withdrawal takes.

    Who does not trust it has left before.
    """
    return max(7 * _DAY, 2 * hold_length + _DAY)


GUARDED = ("Vault", "MeterLedger")
"""Contracts whose functions, authority and emergency stop the admin changes only after `grant_delay`: else it could
give itself what a module may without waiting."""

LABELLED_ROLES = (Role.OPERATOR, Role.MAKER, Role.MODULE, Role.RECORDER, Role.MINTER)
