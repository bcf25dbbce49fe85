"""Bills of the street's day, by the command line: with arrears, bonds, corrections and a moved meter in it.

A service of its own reads the street's chain. `--check` holds what it says against the chain; then a service lies.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from gridweave.audit.lookup import Lookup
from gridweave.chain.events import Deposited, MeterRegistered
from gridweave.cli import app
from tests.support.process import ServiceProcess

from .lying_service import Change, lying_service
from .street import Street

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

PERIODS = ("2025", "2026-05", "2026-05-28", "2026-05-29", "2026-06", "2026-W22", "2026-05-29..2026-06-30", "2026")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(day: Street, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceProcess]:
    with ServiceProcess(day, tmp_path_factory.mktemp("bills"), time_zone="Europe/Berlin") as running:  # type: ignore[arg-type]
        await running.start()
        yield running


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["bill", *arguments], env={"COLUMNS": "200"})


def checking(day: Street, url: str) -> Sequence[str]:
    return ("--check", "--rpc", day.chain.url, "--deployment", str(day.chain.home.deployment_file), "--url", url)


async def everybody(day: Street) -> set[str]:
    """Every account with money or a meter."""
    lookup = Lookup(day.node, day.book, await day.node.block_number())
    found = {event.account for event in await lookup.events("Vault", Deposited)}
    return found | {event.account for event in await lookup.events("DERRegistry", MeterRegistered)}


@pytest.mark.parametrize("period", PERIODS)
async def test_statement__of_everybody_and_any_period__adds_up(
    day: Street, service: ServiceProcess, period: str
) -> None:
    asked = {"period": period}
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        for account in await everybody(day):
            book = (await http.get(f"/v1/accounts/{account}/bill", params=asked)).json()["statement"]
            moved = sum(book["moves"].values())
            assert book["opening"]["netMicro"] + moved == book["closing"]["netMicro"], (account, book)
            assert book["addsUp"]


async def test_statement__up_to_now__is_what_the_vault_holds(day: Street, service: ServiceProcess) -> None:
    kinds: set[str] = set()
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        for account in await everybody(day):
            book = (await http.get(f"/v1/accounts/{account}/bill", params={"period": "2026"})).json()["statement"]
            held = await day.contracts.vault.account_of(account)
            assert (book["closing"]["availableMicro"], book["closing"]["owesMicro"]) == (held.available, held.arrear)
            kinds |= {name for name, amount in book["moves"].items() if amount}
    assert len(kinds) == 9, f"the day has every kind of move, not only {kinds}"


async def test_bill__checked_against_the_chain__differs_nowhere(day: Street, service: ServiceProcess) -> None:
    lines = 0
    for account in await everybody(day):
        done = await run(account, "--period", "2026", "--json", *checking(day, service.url))
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert found["check"] == {"lines": len(found["lines"]), "block": await day.node.block_number(), "behind": 0} | {
            "differences": []
        }
        lines += len(found["lines"])
    assert lines > 20


async def test_bill__checked__says_how_many_lines(day: Street, service: ServiceProcess) -> None:
    done = await run(day.homes[2].account, "--period", "2026-05-28", "--zone", "UTC", *checking(day, service.url))
    assert done.exit_code == 0, done.output
    assert "lines recomputed, no difference" in done.stdout


def _line(name: str, value: Any) -> Change:
    def change(bill: dict[str, Any]) -> None:
        bill["lines"][1][name] = value

    return change


def _cheaper(bill: dict[str, Any]) -> None:
    """A line and every sum with it, so that the bill agrees with itself."""
    line = bill["lines"][0]
    day = next(day for day in bill["days"] if day["date"] == line["date"])
    meter = next(row for row in bill["meters"] if row["meter"] == line["meter"])
    for sums in (line, day, meter, bill["totals"]):
        sums["cashMicro"] -= 1
        sums["deviationMicro"] -= 1


def _hidden(bill: dict[str, Any]) -> None:
    del bill["lines"][0]


def _invented(bill: dict[str, Any]) -> None:
    bill["lines"].append(bill["lines"][0] | {"slot": bill["lines"][0]["slot"] + 50})


def _doubled(bill: dict[str, Any]) -> None:
    bill["lines"].append(bill["lines"][0])


def _earlier(bill: dict[str, Any]) -> None:
    bill["period"]["blockNumber"] -= 1


def _totalled(bill: dict[str, Any]) -> None:
    bill["totals"]["cashMicro"] += 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_line("cashMicro", 1), "cashMicro", id="cash"),
        pytest.param(_line("importWh", 9_999), "importWh", id="quantity"),
        pytest.param(_line("priceMicroPerKwh", 999), "priceMicroPerKwh", id="price"),
        pytest.param(_line("transaction", "0x" + "ab" * 32), "transaction", id="transaction"),
        pytest.param(_line("block", 3), "block", id="block"),
        pytest.param(_line("logIndex", 999), "logIndex", id="log"),
        pytest.param(_line("settlements", 7), "settlements", id="settlements"),
        pytest.param(_line("proof", "rm -r ~"), "proof", id="proof"),
        pytest.param(_cheaper, "cashMicro", id="a bill that agrees with itself"),
        pytest.param(_hidden, "no lines", id="a line hidden"),
        pytest.param(_invented, "nothing was settled", id="a line invented"),
        pytest.param(_doubled, "2 lines", id="a line twice"),
        pytest.param(_earlier, "chainTime", id="another block's bill"),
        pytest.param(_totalled, "totals.cashMicro", id="a total"),
    ],
)
async def test_bill__of_a_service_that_lies__is_found_out(
    day: Street, service: ServiceProcess, change: Change, said: str
) -> None:
    with lying_service(service.url, change) as url:
        done = await run(day.homes[2].account, "--period", "2026", "--json", *checking(day, url))
        shown = await run(day.homes[2].account, "--period", "2026", *checking(day, url))
    assert (done.exit_code, shown.exit_code) == (1, 1), done.output
    sentences = [difference["sentence"] for difference in json.loads(done.stdout)["check"]["differences"]]
    assert any(said in sentence for sentence in sentences), sentences
    assert f"{len(sentences)} difference" in shown.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda bill: bill.update(account=f"0x{'11' * 20}"), "not asked for", id="another account"),
        pytest.param(lambda bill: bill["period"].update(name="2025"), "not asked for", id="another period"),
        pytest.param(lambda bill: bill["period"].update(zone="Nowhere"), "not asked for", id="another zone"),
        pytest.param(lambda bill: bill["totals"].clear() or bill["lines"].append(3), "no bill", id="no line"),
        pytest.param(lambda bill: bill["period"].update(blockNumber=10**6), "ask again", id="a block to come"),
    ],
)
async def test_bill__that_is_no_answer__is_named(
    day: Street, service: ServiceProcess, change: Change, said: str
) -> None:
    with lying_service(service.url, change) as url:
        done = await run(day.homes[2].account, "--period", "2026", "--zone", "UTC", *checking(day, url), "--json")
    assert done.exit_code == 2, done.output
    assert said in json.loads(done.stderr)["error"]["message"]


async def test_bill__in_every_form__is_the_same_bill(day: Street, service: ServiceProcess, tmp_path: Path) -> None:
    table, page, account = tmp_path / "bill.csv", tmp_path / "bill.html", day.homes[2].account
    files = ("--csv", str(table), "--html", str(page))
    done = await run(account, "--period", "2026-05-28", *files, "--json", "--url", service.url)
    bill = json.loads(done.stdout)
    with table.open(newline="") as file:
        assert [int(row["cashMicro"]) for row in csv.DictReader(file)] == [line["cashMicro"] for line in bill["lines"]]
    assert account in page.read_text()
    assert bill["period"]["zone"] == "Europe/Berlin"


async def test_bill__by_days__shows_each_with_its_slots(day: Street, service: ServiceProcess) -> None:
    done = await run(day.homes[2].account, "--period", "2026-05-28..2026-05-29", "--days", "--url", service.url)
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("2026-05-")]
    assert [row[:2] for row in rows] == [["2026-05-28", "96"], ["2026-05-29", "96"]]
    assert "cash" in done.stdout


async def test_bill__from_slot_to_slot__is_checked_as_well(day: Street, service: ServiceProcess) -> None:
    slots = ("--from", str(day.first), "--to", str(day.first + 5), "--json")
    done = await run(day.homes[0].account, *slots, *checking(day, service.url))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["check"]["lines"] >= 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--period", "2026-13"), 1, "PeriodMalformed"),
        (("--period", "2026-05-28..2027-12-31"), 1, "PeriodTooLong"),
        (("--zone", "Europe/Atlantis"), 1, "ZoneUnknown"),
        (("--period", "2026", "--from", "1", "--to", "2"), 2, "--period"),
        (("--from", "1"), 2, "--to"),
        (("--check", "--deployment", "nowhere.json"), 2, "--deployment"),
    ],
)
async def test_bill__asked_for_wrongly__says_what_would_be_right(
    day: Street, service: ServiceProcess, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = await run(day.homes[0].account, *arguments, "--url", service.url)
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in done.stderr
