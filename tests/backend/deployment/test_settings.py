"""What a deployment may be told to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridweave.chain import Role
from gridweave.deployment import DeploymentError, DeploymentSettings
from gridweave.deployment.roles import grant_delay

A = "0x52908400098527886E0F7030069857D2E4169EE7"
RECORD = Path("deployment.json")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"admin": "0x12"}, "admin"),
        ({"operators": ("zz",)}, "operators"),
        ({"currency": "0x" + "11" * 19}, "currency"),
        ({"slot_length": 0}, "slot"),
        ({"slot_length": 86_401}, "slot"),
        ({"hold_length": 57_599}, "holdLength"),
        ({"currency": A, "minters": (A,)}, "minters"),
    ],
)
def test_settings__given_what_cannot_be__refuse(changes, says):
    with pytest.raises(DeploymentError, match=says):
        DeploymentSettings(**{"record": RECORD, "admin": A, **changes})


def test_settings__given_addresses_in_any_spelling__are_checksummed_and_single():
    settings = DeploymentSettings(RECORD, A.lower(), operators=(A, A.lower()))
    assert settings.members() == {Role.ADMIN: (A,), Role.OPERATOR: (A,), Role.MAKER: (), Role.MINTER: ()}


@pytest.mark.parametrize(("slot_length", "hold"), [(900, 57_600), (3_600, 230_400)])
def test_hold_length__given_none__covers_the_longest_correction_window(slot_length, hold):
    assert DeploymentSettings(RECORD, A, slot_length=slot_length).hold_length == hold


@pytest.mark.parametrize(("hold", "days"), [(57_600, 7), (64 * 3_600, 7), (64 * 86_400, 129)])
def test_grant_delay__given_credit_held_long__outlasts_it(hold, days):
    assert grant_delay(hold) == days * 86_400
