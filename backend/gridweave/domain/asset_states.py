"""States of energy assets as their devices report them, by the DERRegistry's rules. Times are chain time in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridweave.domain.acts import AssetState, AssetStateReport
from gridweave.domain.asset_errors import (
    AssetMeterNotInForce,
    StateBeforeRegistration,
    StateFromFuture,
    StateNotNewer,
    StateNotReachable,
    StateOutOfRange,
    StateReportExpired,
    UnknownAsset,
)
from gridweave.domain.registry import MeterRecord
from gridweave.domain.slots import SlotClock

__all__ = ["AssetStatus", "follows", "reported"]


@dataclass(frozen=True)
class AssetStatus:
    """How an asset stands. `since` is 0 before its first report."""

    meter: int
    registered_at: int
    state: AssetState = AssetState.UNREPORTED
    since: int = 0


def follows(state: AssetState, following: AssetState) -> bool:
    """Whether an asset may go from a state to another: commissioned comes first, decommissioned is the end."""
    if state == AssetState.UNREPORTED:
        return following == AssetState.COMMISSIONED
    return state != AssetState.DECOMMISSIONED and following > AssetState.COMMISSIONED and following != state


def reported(
    status: AssetStatus | None, report: AssetStateReport, metering: MeterRecord | None, now: int, clock: SlotClock
) -> AssetStatus:
    """The asset after its device's report, whose signature the caller checks. `metering` is that of its meter.

    Raises UnknownAsset, StateReportExpired, StateOutOfRange, StateFromFuture, StateBeforeRegistration, StateNotNewer,
    StateNotReachable or AssetMeterNotInForce: the first that applies in this order, as the contract does.
    """
    asset, since = report.asset, report.since
    if status is None or metering is None:
        raise UnknownAsset(asset)
    if now > report.deadline:
        raise StateReportExpired(asset, report.deadline)
    if report.state > max(AssetState):
        raise StateOutOfRange(asset, report.state)
    if since > now:
        raise StateFromFuture(asset, since, now)
    if since < status.registered_at:
        raise StateBeforeRegistration(asset, since, status.registered_at)
    if since <= status.since:
        raise StateNotNewer(asset, since, status.since)
    state = AssetState(report.state)
    if not follows(status.state, state):
        raise StateNotReachable(asset, status.state, state)
    if not _is_in_force(metering, since, now, clock):
        raise AssetMeterNotInForce(asset, status.meter)
    return replace(status, state=state, since=since)


def _is_in_force(metering: MeterRecord, since: int, now: int, clock: SlotClock) -> bool:
    meter, binding = metering
    return not meter.bounded or all(binding.within_bounds(clock.slot_at(time)) for time in (since, now))
