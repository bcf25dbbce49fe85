"""What commands say when something is not as it should be, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gridweave.cli import app
from gridweave.cli.terminal import WrongUse, open_wallet, resolve_slot, speaking
from gridweave.client import GridweaveClient, ServiceUnavailable, Wallet
from gridweave.localnet import free_port
from tests.backend.client.simulator import Simulator

ACCOUNT = "0x" + "11" * 20


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    Wallet(b"\x11" * 32).save(tmp_path / "keys" / "home.json", "right")
    return tmp_path / "keys"


def test_account_show__when_no_service_answers__exits_3_and_names_the_next_step(keys: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = run("account", "show", "home", "--url", url, "--keystore", str(keys))
    assert result.exit_code == 3
    assert "gridweave up" in result.stderr


def test_speaking__given_a_wrong_password__exits_4_and_says_where_passwords_come_from(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRIDWEAVE_PASSWORD", "wrong")
    with pytest.raises(typer.Exit) as ended, speaking():
        open_wallet("home", keys, None)
    assert ended.value.exit_code == 4
    assert "--password-file" in capsys.readouterr().err


def test_speaking__given_an_answer_of_503__names_where_the_service_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    """It runs, so starting another would not help."""
    with pytest.raises(typer.Exit) as ended, speaking():
        raise ServiceUnavailable("http://service", "the relayer does not answer", answered=True)
    said = capsys.readouterr().err
    assert ended.value.exit_code == 3
    assert "http://service/readyz" in said
    assert "gridweave up" not in said


@pytest.mark.parametrize(
    "command",
    [
        ("account", "show", ACCOUNT),
        ("account", "delegations", ACCOUNT),
        ("bill", ACCOUNT),
        ("bond", "show", "--relayer", ACCOUNT),
        ("device", "show", ACCOUNT),
        ("history",),
        ("market", "show"),
        ("meter", "show", "1"),
        ("order", "book", "--slot", "1"),
    ],
    ids=" ".join,
)
def test_command__given_a_url_without_http__exits_2_and_says_what_to_write(command: tuple[str, ...]) -> None:
    result = run(*command, GRIDWEAVE_URL="127.0.0.1:8000")
    assert result.exit_code == 2
    assert "write http://127.0.0.1:8000," in result.stderr
    assert "GRIDWEAVE_URL" in result.stderr


def test_account_show__given_an_unknown_key__exits_4_and_names_the_next_step(keys: Path) -> None:
    result = run("account", "show", "ghost", "--keystore", str(keys))
    assert result.exit_code == 4
    assert "gridweave keys new ghost" in result.stderr


def test_order_place__given_no_number__exits_2_before_anything_is_asked(keys: Path) -> None:
    result = run("order", "place", "bid", "--meter", "x", "--slot", "+1", "--kwh", "1", "--price", "1", "--key", "home")
    assert result.exit_code == 2


def test_keys_show__with_json__puts_the_error_where_programs_read_it(keys: Path) -> None:
    result = run("keys", "show", "ghost", "--keystore", str(keys), "--json")
    assert result.stdout == ""
    assert json.loads(result.stderr)["error"]["name"] == "KeyNotFound"


def test_keys_new__without_a_terminal_or_a_password__says_what_to_set(tmp_path: Path) -> None:
    result = run("keys", "new", "home", "--keystore", str(tmp_path))
    assert result.exit_code == 4
    assert "GRIDWEAVE_PASSWORD" in result.stderr
    assert not list(tmp_path.iterdir())


def test_keys_new__given_a_password_in_the_environment__keeps_a_key_that_keys_list_shows(tmp_path: Path) -> None:
    made = run("keys", "new", "home", "--keystore", str(tmp_path), "--json", GRIDWEAVE_PASSWORD="x")
    address = json.loads(made.stdout)["address"]
    listed = run("keys", "list", "--keystore", str(tmp_path), "--json")
    assert json.loads(listed.stdout) == [{"name": "home", "kind": "wallet", "address": address}]
    assert address in run("keys", "show", "home", "--keystore", str(tmp_path)).stdout


def test_keys_new__given_a_name_that_is_taken__exits_4_and_keeps_the_old_key(keys: Path) -> None:
    before = (keys / "home.json").read_bytes()
    result = run("keys", "new", "home", "--keystore", str(keys), GRIDWEAVE_PASSWORD="x")
    assert result.exit_code == 4
    assert (keys / "home.json").read_bytes() == before


def test_device_new__given_an_unknown_curve__names_those_there_are(tmp_path: Path) -> None:
    result = run("device", "new", "roof", "--curve", "ed25519", "--keystore", str(tmp_path), GRIDWEAVE_PASSWORD="x")
    assert result.exit_code == 2
    assert "p256" in result.stderr


def test_device_enrol__given_a_file_that_is_no_proof__says_how_to_make_one(keys: Path, tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_text("{}")
    result = run("device", "enrol", str(tmp_path / "proof.json"), "--key", "home", "--keystore", str(keys))
    assert result.exit_code == 2
    assert "gridweave device prove" in result.stderr


def test_account_mint__without_a_chain_of_ones_own__says_how_to_start_one(keys: Path, tmp_path: Path) -> None:
    result = run("account", "mint", "home", "5", "--home", str(tmp_path / "up"), "--keystore", str(keys))
    assert result.exit_code == 2
    assert "gridweave up" in result.stderr


@pytest.mark.parametrize(
    "command", ["keys", "account", "order", "meter", "device", "market", "bill", "clear-book", "demo", "keys new"]
)
def test_help__of_each_command__is_there(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize(
    ("text", "slot"),
    [("1628400", 1_628_400), ("+0", 1_628_344), ("+3", 1_628_347), ("2016-06-10T12:15", 1_628_401)],
)
def test_resolve_slot__given_a_number_an_offset_or_a_time__finds_the_slot(text: str, slot: int) -> None:
    with GridweaveClient("http://s", http=Simulator().client()) as client:
        assert resolve_slot(text, client) == slot


@pytest.mark.parametrize("text", ["", "soon", "-1", "+x", "2016-13-40"])
def test_resolve_slot__given_something_else__says_what_it_takes(text: str) -> None:
    with GridweaveClient("http://s", http=Simulator().client()) as client, pytest.raises(WrongUse, match="number"):
        resolve_slot(text, client)
