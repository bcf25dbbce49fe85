"""Firmware's rules that are worth seeing one by one; the rest is compared with the contract act by act (e2e)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridweave import artifacts
from gridweave.domain.errors import DomainError
from gridweave.domain.firmware import errors
from gridweave.domain.firmware.keys import (
    Approval,
    KeySet,
    require_approved,
    require_handed_over,
)
from gridweave.domain.firmware.rollout import WHOLE_BP, Rollout, RolloutState, ramp_position

ROOT = Path(__file__).resolve().parents[3]
A, B, C, D = ("0x" + f"{n:040x}" for n in (0xA, 0xB, 0xC, 0xD))
KEYS = KeySet(1, 2, (A, B, C))
ON_CHAIN = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, DomainError) and kind.__module__ == errors.__name__
]
WORD = st.integers(0, 2**32 - 1)
HALF = st.integers(0, 2**16 - 1)
ROLLOUTS = st.builds(
    Rollout,
    st.sampled_from(RolloutState),
    st.sampled_from(RolloutState),
    HALF,
    HALF,
    WORD,
    WORD,
    WORD,
    HALF,
    WORD,
    WORD,
    WORD,
)


@pytest.mark.parametrize("kind", ON_CHAIN, ids=lambda kind: kind.__name__)
def test_error__is_the_contracts(kind: type[DomainError]) -> None:
    known = {entry.name: entry for entry in artifacts.errors().values()}[kind.__name__]
    assert known.selector == kind.selector()
    assert [name for name, _ in known.inputs] == [parameter.split()[1] for parameter in kind.parameters]


def test_states__are_numbered_as_in_the_contract() -> None:
    source = (ROOT / "contracts" / "types" / "Rollout.sol").read_text()
    names = re.search(r"enum RolloutState \{(.*?)\}", source, re.DOTALL)
    assert names
    assert [name.strip().upper() for name in names[1].split(",")] == [state.name for state in RolloutState]


@given(ROLLOUTS)
def test_word__read_back__is_the_rollout(rollout: Rollout) -> None:
    assert Rollout.from_word(rollout.word) == rollout
    assert rollout.word < 1 << 256


def test_from_word__given_a_state_that_there_is_not__refuses() -> None:
    with pytest.raises(ValueError, match="8 is not a valid RolloutState"):
        Rollout.from_word(8 << 248)


@given(st.binary(min_size=20, max_size=20), WORD, WORD)
def test_ramp_position__is_below_the_whole(device: bytes, model: int, counter: int) -> None:
    assert 0 <= ramp_position("0x" + device.hex(), model, counter) < WHOLE_BP


def test_ramp_position__of_many__fills_shares_evenly() -> None:
    """Of 20,000 devices 5 % are in a ramp of 500, give or take five deviations."""
    inside = sum(ramp_position(f"0x{n:040x}", 7, 1) < 500 for n in range(20_000))
    assert abs(inside - 1_000) < 5 * 31


@pytest.mark.parametrize(
    ("told", "failures", "is_over"), [(3, 3, False), (4, 1, False), (4, 2, True), (8, 2, False), (8, 3, True)]
)
def test_is_over_limit__of_a_quarter_of_four__begins_above_it(told: int, failures: int, is_over: bool) -> None:
    assert Rollout(told=told, failures=failures, least_receipts=4, failure_limit_bp=2_500).is_over_limit is is_over


@pytest.mark.parametrize(
    ("approvals", "name"),
    [
        ([], "BelowThreshold"),
        ([A], "BelowThreshold"),
        ([B, A], "SignersNotAscending"),
        ([A, A], "SignersNotAscending"),
        ([A, D], "UnknownReleaseKey"),
    ],
)
def test_require_approved__given_a_fault__names_it(approvals: list[str], name: str) -> None:
    with pytest.raises(DomainError) as refusal:
        require_approved(KEYS, [Approval(signer) for signer in approvals], 2)
    assert refusal.value.name == name


def test_require_approved__given_a_wrong_signature_beyond_the_threshold__refuses() -> None:
    with pytest.raises(errors.WrongSignature):
        require_approved(KEYS, [Approval(A), Approval(B), Approval(C, is_valid=False)], 2)


def test_require_handed_over__given_one_set_only__refuses() -> None:
    following = KeySet(2, 2, (C, D))
    with pytest.raises(errors.BelowThreshold):
        require_handed_over(KEYS, following, [Approval(A), Approval(B)])
    with pytest.raises(errors.BelowThreshold):
        require_handed_over(KEYS, following, [Approval(C), Approval(D)])
    require_handed_over(KEYS, following, [Approval(A), Approval(C), Approval(D)])


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (KeySet(2, 1, (A,)), "WrongKeySetVersion"),
        (KeySet(1, 0, (A,)), "ThresholdOutOfRange"),
        (KeySet(1, 2, (A,)), "ThresholdOutOfRange"),
        (KeySet(1, 1, (B, A)), "KeysNotAscending"),
        (KeySet(1, 1, ("0x" + "0" * 40,)), "KeysNotAscending"),
    ],
)
def test_require_sound__given_a_fault__names_it(keys: KeySet, name: str) -> None:
    with pytest.raises(DomainError) as refusal:
        keys.require_sound(1)
    assert refusal.value.name == name
