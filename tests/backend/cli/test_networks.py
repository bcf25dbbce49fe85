"""`gridweave networks`, and the networks that other commands are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gridweave.chain import list_networks
from gridweave.cli import app


def _run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=variables)


def test_networks__prints_every_one() -> None:
    result = _run("networks")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in list_networks())


def test_networks__json_and_a_file_of_ones_own__has_both(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[village]\nevm = "london"\nfinality_depth = 3\npriority_fee_wei = 0\ngas_price_wei = 5\n')
    result = _run("networks", "--json", GRIDWEAVE_NETWORKS=str(file))
    found = {entry["name"]: entry for entry in json.loads(result.stdout)}
    assert found["sepolia"]["chainId"] == 11_155_111
    assert (found["village"]["finalityDepth"], found["village"]["gasPriceWei"]) == (3, 5)


@pytest.mark.parametrize(
    "command",
    [
        ("deploy", "--rpc", "http://127.0.0.1:1", "--key-env", "NO_SUCH_KEY"),
        ("serve",),
        ("audit",),
        ("networks",),
    ],
)
def test_command__given_a_file_of_networks_that_is_not_there__says_so(command: tuple[str, ...]) -> None:
    named = () if command[0] == "networks" else ("--network", "village")
    result = _run(*command, *named, "--networks", "nowhere.toml")
    assert result.exit_code in (1, 2)
    assert "GRIDWEAVE_NETWORKS: nowhere.toml cannot be read" in result.stderr
