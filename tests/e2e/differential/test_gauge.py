"""The gauge's baselines equal the domain's, on random calendars, readings, methods and events.

GRIDWEAVE_DIFFERENTIAL sets how many are measured (10,000); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from gridweave.chain.abi import abi_of
from gridweave.domain.flexibility.baselines import WHOLE_BPS, Measured, Method
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.gauge import GaugeHouse, Question
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_DIFFERENTIAL", "10000"))
CALENDARS, METERS, DAYS = 3, 4, 70
GENESIS = 1_800_000_000


def test_measure__of_random_histories__equals_the_domain() -> None:
    rng = random.Random(run_seed())
    seen: Counter[str] = Counter()
    with Chain(GENESIS) as chain:
        house = GaugeHouse(chain, rng)
        meters = [_furnished(house) for _ in range(CALENDARS)]
        questions = [house.question(*rng.choice(rng.choice(meters))) for _ in range(COUNT)]
        answers = chain.view([question.call(house.at["ResponseGauge"]) for question in questions])
    for question, answer in zip(questions, answers, strict=True):
        told, expected = _decoded(question, answer), house.measured(question)
        assert told == expected, question
        seen[_what(question, expected)] += 1
    print(dict(seen))
    for method in Method:
        assert seen[f"{method.name} measured"] >= COUNT // 50, seen
        if method is not Method.FIXED:
            assert seen[f"{method.name} without a baseline"] >= COUNT // 200, seen
    assert seen["TEN_OF_TEN adjusted"] + seen["HIGH_5_OF_10 adjusted"] >= COUNT // 50, seen


def _furnished(house: GaugeHouse) -> list[tuple[int, int]]:
    """A calendar whose days lie behind, and meters with all, most and few readings."""
    calendar = house.open(GENESIS // 900 - DAYS * 96 + house.rng.randrange(96))
    house.publish(calendar, house.random_days(DAYS))
    return [(calendar, house.meter(calendar, gaps)) for gaps in (0.0, 0.05, 0.2, 0.7)[:METERS]]


def _decoded(question: Question, answer: bytes) -> Measured:
    found, baseline, actual, missing, ratio = abi_of("ResponseGauge").functions["measure"].decode(answer)
    slots = frozenset(i for i in range(question.called.slots) if missing >> i & 1)
    return Measured(found, tuple(baseline), tuple(actual), slots, ratio)


def _what(question: Question, measured: Measured) -> str:
    if not measured.has_baseline:
        return f"{question.measuring.method.name} without a baseline"
    word = "measured" if measured.ratio_bps == WHOLE_BPS else "adjusted"
    return f"{question.measuring.method.name} {word}"
