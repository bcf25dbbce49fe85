"""Dispatch, money and event days of demand response equal the domain's, on random histories.

GRIDWEAVE_DIFFERENTIAL sets how many of each (10,000); GRIDWEAVE_SEED which.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, fields, replace
from typing import Any

import pytest

from gridweave import artifacts
from gridweave.chain.abi import abi_of
from gridweave.chain.types import Call
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.flexibility.baselines import Measured
from gridweave.domain.flexibility.dispatch import NO_MARGIN, Offer, find_margin, setpoints
from gridweave.domain.flexibility.meter_calls import MeterCalls
from gridweave.domain.flexibility.money import Commitment, due
from gridweave.domain.flexibility.response_errors import MeterBusy
from gridweave.domain.flexibility.terms import ProgrammeTerms
from tests.e2e.differential.chain import Chain
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("GRIDWEAVE_DIFFERENTIAL", "10000"))
CASES_PER_CALL = 50
UNBOUNDED_GAS = 1 << 50
LANE_BITS = 30
Act = tuple[int, int, int, int]
"""Kind, day, first slot and the slot after the last: 0 called, 1 opted out in time, 2 settled."""
POWERS_W = (1, 7, 999, 4_000, (1 << 24) - 1)


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Chain(1_800_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def harness(chain: Chain) -> str:
    return chain.create(artifacts.load("ResponseHarness").bytecode)


def ask(chain: Chain, harness: str, function: str, asked: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    codec = abi_of("ResponseHarness").functions[function]
    answers = chain.view([Call(harness, codec.encode(*each), gas=UNBOUNDED_GAS) for each in asked])
    return [codec.decode(answer) for answer in answers]


# dispatch


def random_offers(rng: random.Random) -> tuple[list[Offer], int]:
    """Few or many assets on few or many ticks, and a target below, at or above what they offer."""
    ticks, most = rng.choice([1, 2, 8, 64]), rng.choice(POWERS_W)
    count = rng.choice([0, 1, 2, 5, 30])
    offers = [Offer(rng.randrange(ticks), rng.randint(1, most)) for _ in range(count)]
    offered = sum(offer.power_w for offer in offers)
    some = rng.randint(1, max(1, offered)), rng.randint(1, offered + 99)
    target = rng.choice([1, max(1, offered), offered + 1, *some])
    return offers, target


def _dispatch_asked(offers: list[Offer], target_w: int) -> tuple[Any, ...]:
    words = [0] * 8
    for offer in offers:
        words[offer.tick >> 3] += offer.power_w << (offer.tick & 7) * LANE_BITS
    return words, target_w, [offer.tick for offer in offers], [offer.power_w for offer in offers]


def test_dispatch__of_random_offers__equals_the_domain_and_meets_the_target(chain: Chain, harness: str) -> None:
    rng = random.Random(f"offers {run_seed()}")
    cases = [random_offers(rng) for _ in range(COUNT)]
    seen: Counter[str] = Counter()
    for first in range(0, COUNT, CASES_PER_CALL):
        part = cases[first : first + CASES_PER_CALL]
        answers = ask(chain, harness, "setpointsOf", [_dispatch_asked(*case) for case in part])
        for (offers, target), (margin, offered, given) in zip(part, answers, strict=True):
            found = find_margin(offers, target)
            assert (margin, offered) == (found.tick, found.offered_w), (offers, target)
            assert list(given) == setpoints(offers, target), (offers, target)
            assert sum(given) == min(target, offered), "met to the watt, or all are taken"
            seen["short" if margin == NO_MARGIN else "whole" if found.shared_w == found.long_w else "shared"] += 1
    print(dict(seen))
    assert COUNT < 100 or min(seen["short"], seen["whole"], seen["shared"]) > COUNT // 50


# money


def random_terms(rng: random.Random) -> ProgrammeTerms:
    """Only what settles an event is drawn."""
    flags = {name: rng.random() < 0.5 for name in ("up", "firm", "kept_by_operator")}
    bps = {name: rng.choice([0, 1, 5_000, 9_999, rng.randrange(10_000)]) for name in ("floor_bps", "late_bps")}
    drawn: dict[str, Any] = {**{field.name: 0 for field in fields(ProgrammeTerms)}, **flags, **bps}
    rate = rng.choice([0, 1, 300_000, (1 << 40) - 1])
    return ProgrammeTerms(**{**drawn, "payer": ZERO_ADDRESS, "adjusted": False, "shortfall_rate": rate})


def random_commitment(rng: random.Random) -> tuple[Commitment, Measured]:
    """An event of up to eight slots, delivered more or less, with readings missing and market credit."""
    slots, most = rng.randint(1, 8), rng.choice([1, 900, 40_000])
    baseline = tuple(rng.randint(-most, most) for _ in range(slots))
    actual = tuple(each - rng.randint(-most // 2, most * 2) for each in baseline)
    missing = frozenset(slot for slot in range(slots) if rng.random() < 0.15)
    bought = tuple(rng.choice([0, rng.randint(-most, most)]) for _ in range(slots))
    late = rng.choice([0, 0, 0, rng.randint(1, slots + 1)])
    feed_in = rng.choice([0, 80_000, 400_000])
    committed, price = rng.randint(0, most), rng.choice([1, 120_000, 3_500_000])
    measured = Measured(rng.random() < 0.95, baseline, actual, missing, 10_000)
    return Commitment(committed, price, late, feed_in, bought), measured


def _measured(commitment: Commitment, measured: Measured) -> tuple[Any, ...]:
    missing = sum(1 << slot for slot in measured.missing)
    said = (measured.has_baseline, measured.baseline_wh, measured.actual_wh, missing, measured.ratio_bps)
    promised = (commitment.committed_wh, commitment.price, commitment.late_from, commitment.feed_in)
    return *said, *promised, commitment.bought_wh


def test_money__of_random_commitments__equals_the_domain(chain: Chain, harness: str) -> None:
    rng = random.Random(f"commitments {run_seed()}")
    seen: Counter[str] = Counter()
    for _ in range(0, COUNT, CASES_PER_CALL):
        terms = random_terms(rng)
        part = [random_commitment(rng) for _ in range(CASES_PER_CALL)]
        (answer,) = ask(chain, harness, "moneyOf", [(astuple(terms), [_measured(*case) for case in part])])
        for case, pay, penalty in zip(part, *answer, strict=True):
            expected = due(terms, *case)
            assert (pay, penalty) == (expected.pay, expected.penalty), (terms, case)
            seen["paid"] += pay > 0
            seen["charged"] += penalty > 0
    print(dict(seen))
    assert COUNT < 100 or min(seen["paid"], seen["charged"]) > COUNT // 20


def test_money__more_delivered__never_pays_less() -> None:
    rng = random.Random(f"more {run_seed()}")
    for _ in range(COUNT):
        terms, (commitment, measured) = random_terms(rng), random_commitment(rng)
        slot, more = rng.randrange(len(measured.actual_wh)), rng.randint(0, 50_000)
        actual = list(measured.actual_wh)
        actual[slot] += more if terms.up else -more
        # what the market pays besides must not turn the meter against the response
        promised = replace(commitment, feed_in=min(commitment.feed_in, commitment.price))
        less, better = due(terms, promised, measured), due(terms, promised, replace(measured, actual_wh=tuple(actual)))
        gained = _credited(promised, tuple(actual)) - _credited(promised, measured.actual_wh)
        assert better.pay - better.penalty + max(0, gained) + 1 >= less.pay - less.penalty


def _credited(commitment: Commitment, actual_wh: tuple[int, ...]) -> int:
    """What the market pays a meter for its deviations, in micro."""
    pairs = zip(commitment.bought_wh, actual_wh, strict=True)
    return sum(max(0, bought - actual) for bought, actual in pairs) * commitment.feed_in // 1_000


# event days


def random_life(rng: random.Random) -> list[Act]:
    """Acts on one meter: called for later and later slots, sometimes twice a day, opting out of the last, settling."""
    acts: list[Act] = []
    slot, opened = rng.randrange(1_000), 0
    for _ in range(12):
        slot += rng.choice([0, 4, 8, 96, 96 * 9, 96 * 130])
        event = (slot // 96, slot, slot + rng.randint(1, 8))
        acts.append((0, *event))
        opened += 1
        if rng.random() < 0.3:
            acts.append((1, *event))
            opened -= 1
        elif rng.random() < 0.5:
            acts.append((2, *event))
            opened -= 1
        else:
            slot = event[2]
    return acts


def _lived(life: list[Act]) -> tuple[list[Act], list[MeterCalls], list[int]]:
    """The acts that were possible, and the meter after each."""
    calls, done, states, days = MeterCalls(), [], [], []
    taken: set[tuple[int, int, int]] = set()
    for kind, *event in life:
        key = (event[0], event[1], event[2])
        if kind and key not in taken:
            continue
        try:
            if kind == 0:
                calls.call(*key)
                taken.add(key)
            elif kind == 1:
                calls.opt_out(*key)
                taken.remove(key)
            else:
                calls.settle()
                taken.remove(key)
        except MeterBusy:
            pass
        done.append((kind, *key))
        states.append(replace(calls, days=set(calls.days)))
        days.append(calls.event_days(key[0]) if key[0] <= calls.last_day else 0)
    return done, states, days


def test_event_days__of_random_lives__equal_the_domain(chain: Chain, harness: str) -> None:
    rng = random.Random(f"lives {run_seed()}")
    twice = 0
    for first in range(0, COUNT, CASES_PER_CALL * 10):
        lives = [_lived(random_life(rng)) for _ in range(min(CASES_PER_CALL, (COUNT - first) // 10 or 1))]
        asked = [
            ([kind << 96 | day << 64 | start << 32 | until for kind, day, start, until in done],)
            for done, _, _ in lives
        ]
        for (done, states, days), (words, event_days) in zip(
            lives, ask(chain, harness, "callsAfter", asked), strict=True
        ):
            assert [MeterCalls.unpack(word) for word in words] == states, done
            assert list(event_days) == days, done
            twice += any(state.on_last_day > 1 for state in states)
    assert COUNT < 100 or twice > 0
