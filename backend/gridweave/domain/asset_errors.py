"""Refusals of what devices report about assets, named as the DERRegistry names them."""

from __future__ import annotations

from gridweave.domain.errors import CallRefusal

__all__ = [
    "AssetMeterNotInForce",
    "StateBeforeRegistration",
    "StateFromFuture",
    "StateNotNewer",
    "StateNotReachable",
    "StateOutOfRange",
    "StateReportExpired",
    "UnknownAsset",
]


class UnknownAsset(CallRefusal):
    """No asset has this number."""

    parameters = ("uint32 asset",)


class StateReportExpired(CallRefusal):
    """The report's deadline has passed."""

    parameters = ("uint32 asset", "uint256 deadline")


class StateOutOfRange(CallRefusal):
    """The number stands for no state."""

    parameters = ("uint32 asset", "uint8 state")


class StateFromFuture(CallRefusal):
    """The state begins after the present time of the chain."""

    parameters = ("uint32 asset", "uint40 since", "uint256 present")


class StateBeforeRegistration(CallRefusal):
    """The state began before the asset was registered."""

    parameters = ("uint32 asset", "uint40 since", "uint40 registeredAt")


class StateNotNewer(CallRefusal):
    """A state that began then, or later, is known."""

    parameters = ("uint32 asset", "uint40 given", "uint40 since")


class StateNotReachable(CallRefusal):
    """The graph of states does not lead there."""

    parameters = ("uint32 asset", "uint8 from", "uint8 to")


class AssetMeterNotInForce(CallRefusal):
    """The asset's meter is not in force now, or was not at the time reported."""

    parameters = ("uint32 asset", "uint32 meter")
