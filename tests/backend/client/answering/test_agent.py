"""An agent and whoever calls it, without a wire: its clock is the test's.

slot     0      1      2      3      4      5 ...     of a plan that begins with slot FIRST
told     ^------ called ------^
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gridweave.client.answering.agent import AnsweringAgent
from gridweave.client.answering.asset import Asset
from gridweave.client.answering.battery import Battery
from gridweave.client.answering.car import Car
from gridweave.client.answering.flexible import CarVisit
from gridweave.client.answering.orders import Orders
from gridweave.client.answering.storage import Storage
from gridweave.domain.setpoints import OperatingState, Setpoint, SetpointAnswer
from gridweave.domain.telemetry.gateway_errors import WordMalformed

FIRST = 1_980_000
SLOT_MS = 900_000
SHED = Setpoint("peak-7", 1, FIRST + 1, 2, -4_000, (FIRST + 1) * SLOT_MS)


def battery() -> Asset[Storage]:
    return Asset.begin(Storage(Battery(10_000, 4_000, 1_000, 5_000), 900, 1_000), (0,) * 12)


def car() -> Asset[Car]:
    return Asset.begin(Car(CarVisit(1, 8, 2_000, 1_000), 900), (0, 500, 500, 500, 500, 0, 0, 0))


@dataclass
class Scene:
    """An agent at the start of its plan."""

    folder: Path
    asset: Asset[Any] = field(default_factory=battery)
    now_ms: int = FIRST * SLOT_MS

    def __post_init__(self) -> None:
        self.restart(self.asset)

    def restart(self, asset: Asset[Any]) -> None:
        self.agent = AnsweringAgent(asset, FIRST, Orders(self.folder / "orders"), lambda: self.now_ms)

    def hear(self, setpoint: Setpoint) -> SetpointAnswer:
        self.agent.hear(setpoint.encode())
        return self.said()[-1]

    def said(self) -> list[SetpointAnswer]:
        return [SetpointAnswer.decode(word) for word in self.agent.due()]

    def at(self, slot: float) -> list[SetpointAnswer]:
        """What it says by then."""
        self.now_ms = int((FIRST + slot) * SLOT_MS)
        return self.said()

    def metered(self) -> list[int]:
        return [moved.metered_wh for moved in self.agent.moved]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_hear__of_no_setpoint__refuses_it(scene: Scene) -> None:
    with pytest.raises(WordMalformed):
        scene.agent.hear(b"{}")


def test_hear__after_it_expired__commits_nothing_and_says_so(scene: Scene) -> None:
    scene.at(1.5)
    answer = scene.hear(SHED)
    assert (answer.committed_w, answer.reason) == (0, "expired")
    scene.at(6)
    assert scene.metered() == [0] * 6


def test_hear__of_an_older_sequence__stays_with_the_newer(scene: Scene) -> None:
    scene.hear(replace(SHED, sequence=2, watts=-2_000))
    assert scene.hear(SHED).reason == "superseded"
    scene.at(3)
    assert scene.metered() == [0, -500, -500]


def test_hear__of_slots_that_another_event_has__refuses_them(scene: Scene) -> None:
    scene.hear(SHED)
    assert scene.hear(replace(SHED, event="other", first_slot=FIRST + 2)).reason == "taken"
    assert scene.hear(replace(SHED, event="later", first_slot=FIRST + 3, watts=2_000)).committed_w == 2_000


def test_hear__beyond_the_plan__commits_nothing(scene: Scene) -> None:
    answer = scene.hear(replace(SHED, first_slot=FIRST + 11))
    assert (answer.committed_w, answer.reason) == (0, "unplanned")


def test_hear__of_more_than_it_can__commits_what_it_can_and_names_the_limit(scene: Scene) -> None:
    answer = scene.hear(replace(SHED, slots=5))
    assert (answer.committed_w, answer.reason) == (-3_200, "reserve")
    assert scene.agent.available(FIRST + 6, 1, up=True) == 4_000


def test_hear__twice__answers_twice_and_obeys_once(scene: Scene) -> None:
    assert scene.hear(SHED) == scene.hear(SHED)
    scene.at(12)
    assert scene.metered() == [0, -1_000, -1_000, 1_000, 1_000, *[0] * 7]


def test_hear__in_the_middle_of_a_slot__leaves_it_as_it_was(scene: Scene) -> None:
    scene.at(1.2)
    assert scene.hear(replace(SHED, expires_ms=(FIRST + 3) * SLOT_MS)).committed_w == -4_000
    scene.at(3)
    assert scene.metered() == [0, 0, -1_000]


def test_hear__of_a_withdrawal_in_the_middle__ends_with_the_slot_that_had_begun(scene: Scene) -> None:
    scene.hear(SHED)
    scene.at(1.5)
    scene.hear(replace(SHED, sequence=2, watts=0, expires_ms=(FIRST + 3) * SLOT_MS))
    (answer,) = scene.at(2)
    assert (answer.sequence, answer.metered_wh, answer.state) == (2, -1_000, OperatingState.RUNNING_NORMAL)
    scene.at(4)
    assert scene.metered() == [0, -1_000, 1_000, 0]


def test_tick__as_time_goes_on__says_when_it_begins_and_what_each_slot_came_to(scene: Scene) -> None:
    scene.hear(SHED)
    begun, first, last = scene.at(1), scene.at(2), scene.at(3)
    curtailed, normal = OperatingState.RUNNING_CURTAILED, OperatingState.RUNNING_NORMAL
    assert begun == [SetpointAnswer("peak-7", 1, curtailed, -4_000)]
    assert first == [SetpointAnswer("peak-7", 1, curtailed, -4_000, FIRST + 1, -1_000, 0)]
    assert last == [SetpointAnswer("peak-7", 1, normal, -4_000, FIRST + 2, -1_000, 0)]
    assert scene.at(8) == []


def test_told__that_the_car_leaves_early__opts_out_before_it_is_too_late(tmp_path: Path) -> None:
    scene = Scene(tmp_path, car())
    assert scene.hear(replace(SHED, slots=4, watts=-2_000)).committed_w == -2_000
    scene.at(1.5)
    scene.agent.told(scene.agent.asset.body.leaving(4))
    (answer,) = scene.said()
    assert (answer.state, answer.reason) == (OperatingState.RUNNING_OPTED_OUT, "departure")
    scene.at(8)
    assert scene.metered() == [0, 0, 1_000, 1_000, 0, 0, 0, 0]


def test_opt_out__by_its_owner__goes_back_once_the_slot_is_over(scene: Scene) -> None:
    scene.hear(SHED)
    scene.at(1.5)
    scene.agent.opt_out(SHED.event)
    assert [answer.reason for answer in scene.said()] == ["owner"]
    (answer,) = scene.at(2)
    assert (answer.committed_w, answer.metered_wh, answer.reason) == (0, -1_000, "owner")
    assert scene.at(5) == []
    assert scene.metered() == [0, -1_000, 1_000, 0, 0]


def test_restart__in_the_middle_of_an_event__goes_on_with_it(scene: Scene) -> None:
    scene.hear(SHED)
    scene.at(2)
    scene.restart(scene.agent.asset)
    assert scene.hear(SHED).committed_w == -4_000
    scene.at(4)
    assert scene.metered() == [-1_000, 1_000]


def test_due__when_the_wire_breaks__keeps_what_was_not_sent(scene: Scene) -> None:
    scene.agent.hear(SHED.encode())
    for _ in scene.agent.due():
        break
    assert len(scene.said()) == 1
