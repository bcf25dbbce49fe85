"""The graph of an asset's states, and why a report is refused: the first reason in the contract's order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

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
from gridweave.domain.asset_states import AssetStatus, follows, reported
from gridweave.domain.errors import DomainError
from gridweave.domain.meters import Meter, MeterBinding
from gridweave.domain.slots import SlotClock

CLOCK = SlotClock(900)
DEVICE = "0x" + "11" * 20
OPEN = (Meter(DEVICE, 1, 1, 1, 1, False, False), MeterBinding(DEVICE, 0, 0, 0))
FROM, UNTIL = 10, 20
BOUNDED = (replace(OPEN[0], bounded=True), MeterBinding(DEVICE, FROM, UNTIL, 0))
NOW = 15 * 900
FRESH = AssetStatus(meter=7, registered_at=1_000)
ONLINE = AssetStatus(7, 1_000, AssetState.ONLINE, 12_000)
REPORT = AssetStateReport(3, AssetState.COMMISSIONED, NOW, NOW)

S = AssetState
MOVING = (S.ONLINE, S.OFFLINE, S.MAINTENANCE, S.FAULT)
GRAPH = {
    S.UNREPORTED: {S.COMMISSIONED},
    S.COMMISSIONED: {*MOVING, S.DECOMMISSIONED},
    **{state: {*MOVING, S.DECOMMISSIONED} - {state} for state in MOVING},
    S.DECOMMISSIONED: set(),
}


@pytest.mark.parametrize(
    ("changes", "status", "metering", "refusal"),
    [
        ({"deadline": 0}, None, OPEN, UnknownAsset(3)),
        ({"deadline": NOW - 1, "state": 7}, FRESH, OPEN, StateReportExpired(3, NOW - 1)),
        ({"state": 7, "since": NOW + 1}, FRESH, OPEN, StateOutOfRange(3, 7)),
        ({"since": NOW + 1}, FRESH, OPEN, StateFromFuture(3, NOW + 1, NOW)),
        ({"since": 999}, ONLINE, OPEN, StateBeforeRegistration(3, 999, 1_000)),
        ({"since": 12_000}, ONLINE, OPEN, StateNotNewer(3, 12_000, 12_000)),
        ({"state": S.ONLINE}, FRESH, BOUNDED, StateNotReachable(3, 0, 2)),
        ({"since": FROM * 900 - 1}, FRESH, BOUNDED, AssetMeterNotInForce(3, 7)),
    ],
    ids=lambda value: value.name if isinstance(value, DomainError) else "",
)
def test_reported__given_a_bad_report__names_the_first_fault(
    changes: dict[str, Any], status: AssetStatus | None, metering: Any, refusal: DomainError
) -> None:
    with pytest.raises(type(refusal)) as caught:
        reported(status, replace(REPORT, **changes), metering, NOW, CLOCK)
    assert caught.value.args == refusal.args


def test_reported__once_its_meter_has_ended__is_refused_for_the_time_before_too() -> None:
    end = UNTIL * 900
    report = replace(REPORT, since=end - 1, deadline=end)
    assert reported(FRESH, report, BOUNDED, end - 1, CLOCK).state == S.COMMISSIONED
    with pytest.raises(AssetMeterNotInForce):
        reported(FRESH, report, BOUNDED, end, CLOCK)


@pytest.mark.parametrize("since", [1_000, NOW])
def test_reported__given_a_time_between_registration_and_now__is_that_state_since(since: int) -> None:
    after = reported(FRESH, replace(REPORT, since=since), OPEN, NOW, CLOCK)
    assert after == AssetStatus(7, 1_000, S.COMMISSIONED, since)


def test_follows__every_pair__is_as_the_graph_says() -> None:
    assert {state: {to for to in S if follows(state, to)} for state in S} == GRAPH
