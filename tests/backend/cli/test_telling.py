"""Commands say that there is nothing, what a refusal wants, and the numbers that the chain gave."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from gridweave.cli import app
from gridweave.cli.hints import explaining
from gridweave.cli.terminal import WrongUse, resolve_address, table
from gridweave.client.errors import ServiceError
from gridweave.client.prosumer import Offer
from gridweave.client.service import GridweaveClient
from gridweave.domain.orders import Side

TERMS = {
    "minPriceMicroPerKwh": 80_000,
    "tickMicroPerKwh": 1_000,
    "tickCount": 201,
    "gridFeeMicroPerKwh": 20_000,
    "minEnergyWh": 10,
    "gateLeadSeconds": 900,
}


class _Service:
    """The answers that hints ask for: at 12:00 UTC, with slots of a quarter hour."""

    def market(self, _: int) -> dict[str, Any]:
        return {"terms": TERMS}

    @property
    def deployment(self) -> Any:
        return SimpleNamespace(slot_length=900)

    def get(self, path: str) -> dict[str, Any]:
        if path == "/v1/meters/1":
            return {"importCapacityW": 17_000, "exportCapacityW": 5_000}
        return {"slotLength": 900, "chainTime": 1_465_560_000, "commitMargin": 30}


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _explained(name: str, side: Side = Side.BID, **arguments: Any) -> str:
    client: Any = _Service()
    with pytest.raises(ServiceError) as caught, explaining(client, 1, Offer(1, 7, side, 5, 1)):
        raise ServiceError(name, "no", arguments)
    return caught.value.message


@pytest.mark.parametrize(
    ("side", "says"), [(Side.BID, "bids run from 0.1 to 0.3"), (Side.ASK, "asks run from 0.08 to 0.28")]
)
def test_explaining__a_price_off_the_grid__names_lowest_highest_and_step_of_the_side(side: Side, says: str) -> None:
    assert _explained("PriceOffGrid", side) == f"no; {says} in steps of 0.001"


@pytest.mark.parametrize(("side", "most"), [(Side.BID, 4_250), (Side.ASK, 1_250)])
def test_explaining__more_than_the_meter_carries__names_the_most(side: Side, most: int) -> None:
    assert _explained("EnergyAboveCapacity", side).endswith(f"the most is {most} Wh")


def test_explaining__too_little_energy__names_the_least() -> None:
    assert _explained("EnergyTooSmall").endswith("the least is 10 Wh")


def test_explaining__too_little_money__names_what_is_needed_and_there_and_the_command() -> None:
    said = _explained("AvailableTooSmall", available=1_500_000, amount=2_000_000)
    assert "2 is needed, 1.5 is available" in said
    assert "gridweave account deposit" in said


def test_explaining__a_closed_gate__names_the_first_slot_that_can_still_be_reached() -> None:
    assert "slot is 1628402: starts 2016-06-10 12:30 UTC, gate closes 2016-06-10 12:15 UTC" in _explained("GateClosed")


@pytest.mark.parametrize(
    ("limit", "allowed", "says"),
    [
        ("highestBidMicroPerKwh", 220_000, "no; that is 0.22 per kWh"),
        ("maxEnergyWh", 200, "no; that is 0.2 kWh"),
        ("lowestAskMicroPerKwh", None, "no"),
        ("until", 1_465_560_000, "no"),
    ],
)
def test_explaining__beyond_a_delegation__names_its_limit_as_the_options_do(
    limit: str, allowed: int | None, says: str
) -> None:
    assert _explained("WrongSigner", limit=limit, allowed=allowed) == says


def test_explaining__another_refusal__is_left_alone() -> None:
    assert _explained("WrongSigner") == "no"


@pytest.mark.parametrize("text", ["0x1234", "0x" + "g" * 40, "0x" + "a" * 41])
def test_resolve_address__given_hex_that_is_no_address__says_what_is_one(text: str) -> None:
    with pytest.raises(WrongUse, match="40 hex digits"):
        resolve_address(text, None)


def test_table__a_title_wider_than_its_columns__stays_on_one_line() -> None:
    console, title = Console(width=80, record=True, quiet=False), "0x" + "ab" * 32
    with console.capture() as captured:
        console.print(table(title, [("", "left"), ("amount", "right")], [("held", "1")]))
    assert title in captured.get().splitlines()[0]


def test_version__asked_for__is_shown() -> None:
    result = _run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("gridweave ")


def test_market_meters__with_a_suspended_device__says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {1: ("0x" + "a1" * 20, "active"), 2: ("0x" + "b2" * 20, "suspended")}
    found = [{"meter": meter, "device": device, "deviceStatus": at} for meter, (device, at) in known.items()]
    monkeypatch.setattr(GridweaveClient, "meters", lambda _, *, market: found if market == 1 else [])
    lines = _run("market", "meters").stdout.splitlines()
    assert [line.split() for line in lines[-2:]] == [[str(meter), *rest] for meter, rest in known.items()]
    assert "no meter" in _run("market", "meters", "--market", "2").stdout


def test_account_show__with_open_orders__says_what_they_have_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GridweaveClient, "account", lambda *_: {"availableMicro": 3_000_000, "lockedMicro": 1_250_000})
    said = _run("account", "show", "0x" + "11" * 20).stdout
    assert [line.split() for line in said.splitlines()[-2:]] == [["available", "3"], ["locked", "by", "orders", "1.25"]]


def test_index_digest__without_an_index__says_so_and_makes_none(tmp_path: Path) -> None:
    result = _run("index", "digest", "--data-dir", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert not (tmp_path / "none").exists()


def test_audit__without_a_record__ends_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run("audit").exit_code == 2
