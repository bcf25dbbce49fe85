"""Setpoints and their answers: whatever is written is read again, and whatever else comes is refused."""

from __future__ import annotations

import json

import pytest

from gridweave.domain.setpoints import OperatingState, Setpoint, SetpointAnswer
from gridweave.domain.telemetry.gateway_errors import WordMalformed

SETPOINT = Setpoint("peak-7", 3, 1_980_000, 4, -4_000, 1_782_000_000_000)
WORDS = (
    SETPOINT,
    SetpointAnswer("peak-7", 3, OperatingState.RUNNING_NORMAL, -4_000),
    SetpointAnswer("peak-7", 3, OperatingState.RUNNING_OPTED_OUT, 0, 1_980_001, -900, 100, "comfort"),
)


@pytest.mark.parametrize("word", WORDS)
def test_decode__of_what_was_encoded__gives_it_back(word: Setpoint | SetpointAnswer) -> None:
    assert type(word).decode(word.encode()) == word


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        (SETPOINT, {"event": "a/b"}),
        (SETPOINT, {"event": ""}),
        (SETPOINT, {"event": 7}),
        (SETPOINT, {"sequence": -1}),
        (SETPOINT, {"slots": 0}),
        (SETPOINT, {"slots": True}),
        (SETPOINT, {"watts": 1.5}),
        (SETPOINT, {"watts": 1 << 47}),
        (SETPOINT, {"watts": -(1 << 47) - 1}),
        (SETPOINT, {"more": 1}),
        (WORDS[1], {"state": "ASLEEP"}),
        (WORDS[1], {"state": []}),
        (WORDS[1], {"slot": -1}),
        (WORDS[1], {"reason": "No Reason"}),
    ],
)
def test_decode__of_a_word_with_a_wrong_part__refuses_it(
    word: Setpoint | SetpointAnswer, changes: dict[str, object]
) -> None:
    with pytest.raises(WordMalformed):
        type(word).decode(json.dumps(json.loads(word.encode()) | changes).encode())
