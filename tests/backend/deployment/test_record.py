"""The deployment record: whole at every instant, clear about what it is not."""

from __future__ import annotations

import json

import pytest

from gridweave.chain import Role
from gridweave.deployment import ContractVersion, Deployment, DeploymentError
from gridweave.deployment.record import PendingTransaction

A, B = "0x" + "11" * 20, "0x" + "22" * 20
RECORD = Deployment(
    chain_id=5,
    genesis_hash="0x" + "01" * 32,
    deployer=A,
    slot_length=900,
    hold_length=57_600,
    compensation=1_000_000,
    own_currency=True,
    block=2,
    contracts={"Vault": (ContractVersion(A, 2, "0x02"), ContractVersion(B, 9, "0x03"))},
    roles={Role.ADMIN: (A,), Role.OPERATOR: (A, B)},
    complete=True,
    pending=PendingTransaction("roles", "0x04", "0x05"),
)


def test_load__given_what_was_saved__is_equal(tmp_path):
    RECORD.save(tmp_path / "deployment.json")
    assert Deployment.load(tmp_path / "deployment.json") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["deployment.json"]


def test_load__given_no_file__is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        Deployment.load(tmp_path / "deployment.json")


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', "[1]"])
def test_load__given_no_record__refuses(tmp_path, text):
    (tmp_path / "deployment.json").write_text(text)
    with pytest.raises(DeploymentError, match="no deployment record"):
        Deployment.load(tmp_path / "deployment.json")


def test_addresses__given_two_versions__are_the_newest_and_all():
    assert RECORD.addresses == {"Vault": B}
    assert RECORD.every_address == {A: "Vault", B: "Vault"}


def test_save__given_a_record__shows_the_newest_address_beside_all_versions(tmp_path):
    RECORD.save(tmp_path / "deployment.json")
    shown = json.loads((tmp_path / "deployment.json").read_text())["contracts"]["Vault"]
    assert (shown["address"], shown["block"], len(shown["versions"])) == (B, 9, 2)


def test_bundle__given_an_incomplete_deployment__refuses():
    with pytest.raises(DeploymentError, match="incomplete"):
        Deployment(5, "0x", A, 900, 57_600, 1_000_000, True, 0).bundle(None)
