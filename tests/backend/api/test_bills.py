"""Bills on a real chain, over the day on which Berlin's clocks go forward.

27 March 2027                28 March, 92 quarter hours            29 March
  12:00 UTC genesis   23:00 UTC midnight of the 28th    22:00 UTC midnight of the 29th
     |--------------------|------------------------------------|----->
   late on the 27th: a trade      the 28th: a trade, corrected on the 29th; a silent meter; two meters of one account
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio

from gridweave.localnet import Clock, localnet
from tests.support.service import Service, served
from tests.support.town import TestHome, draw_home, found

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.chain]

NOON = 1_806_148_800  # 2027-03-27T12:00Z
MIDNIGHT = 1_806_188_400  # 2027-03-28T00:00+01:00
BERLIN = "Europe/Berlin"
DAY = {"period": "2027-03-28", "zone": BERLIN}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("town")
    async with localnet(folder / "chain", clock=Clock.MANUAL, genesis_time=NOON) as chain:
        town = await found(chain, homes=4)
        async with served(town, folder / "service", time_zone=BERLIN) as running:
            await second_meter(running)
            await live(running)
            yield running


async def second_meter(service: Service) -> None:
    """Home 0's account has another meter."""
    town = service.town
    secret, key = town.homes[0].secret, draw_home(4)[1]
    await town.send([town.enrol_call(key, town.homes[0].account)])
    await town.send([town.meter_call(key, secret)])
    town.homes.append(TestHome(secret, key, 5))


async def live(service: Service) -> None:
    town = service.town
    buyer, seller, silent, _, second = town.homes
    first = town.clock.slot_at(MIDNIGHT)
    await service.travel(MIDNIGHT - 3_600)
    slots = [first - 1, first, first + 91, first + 92]
    orders = [order for s in slots for order in (town.bid(buyer, s, 1_000), town.ask(seller, s, 1_500))]
    orders.append(town.bid(silent, first, 400))
    await service.done(*await service.accept("orders", {"orders": orders}))
    for slot in slots:
        await service.travel(town.clock.end(slot))
        readings = [town.reading(buyer, slot, 1_100, 0), town.reading(seller, slot, 0, 1_400)]
        if slot == first + 91:
            readings.append(town.reading(second, slot, 250, 0))
        await service.done(*await service.accept("readings", {"readings": readings}))
        if slot == first:
            await service.travel(town.terms.reading_deadline(slot, town.clock))
            await town.send([town.contracts.auction.settle_by_default(town.market, slot, [silent.meter])])
    corrected = town.reading(buyer, first + 91, 900, 0, version=2)
    await service.done(*await service.accept("readings", corrected))
    await service.caught_up()


async def bill_of(service: Service, home: int, **params: Any) -> dict[str, Any]:
    account = service.town.homes[home].account
    answer: dict[str, Any] = await service.get(f"accounts/{account}/bill", **params)
    return answer


async def test_bill__of_the_day_when_clocks_go_forward__has_92_slots(service: Service) -> None:
    bill = await bill_of(service, 0, **DAY)
    assert (bill["period"]["slots"], bill["period"]["localStart"]) == (92, "2027-03-28T00:00:00+01:00")
    (day,) = bill["days"]
    assert day["slots"] == 92
    assert [(line["meter"], line["localStart"]) for line in bill["lines"]] == [
        (1, "2027-03-28T00:00+01:00"),
        (1, "2027-03-28T23:45+02:00"),
        (5, "2027-03-28T23:45+02:00"),
    ]
    assert [row["meter"] for row in bill["meters"]] == [1, 5]
    assert sum(row["cashMicro"] for row in bill["meters"]) == bill["totals"]["cashMicro"] == day["cashMicro"]
    assert [line["proof"] for line in bill["lines"]][2].startswith("gridweave prove payment 5:")


async def test_bill__of_the_92_slots__comes_to_what_the_documents_say(service: Service) -> None:
    bill = await bill_of(service, 0, **DAY)
    names = ("boughtWh", "importWh", "tradeMicro", "feeMicro", "deviationMicro", "cashMicro", "withoutMarketMicro")
    assert [[line[name] for name in names] for line in [*bill["lines"], bill["totals"]]] == [
        [1_000, 1_100, -120_000, 20_000, -34_000, -174_000, -374_000],
        [1_000, 900, -120_000, 20_000, 8_000, -132_000, -306_000],
        [0, 250, 0, 0, -85_000, -85_000, -85_000],
        [2_000, 2_250, -240_000, 40_000, -111_000, -391_000, -765_000],
    ]
    assert {line["priceMicroPerKwh"] for line in bill["lines"]} == {120_000}


async def test_bill__without_a_zone__takes_the_settings_and_without_a_period_today(service: Service) -> None:
    assert (await service.get("deployment"))["timeZone"] == BERLIN
    today = await bill_of(service, 0)
    assert (today["period"]["name"], today["period"]["zone"]) == ("2027-03-29", BERLIN)
    assert (await bill_of(service, 0, **DAY)) == (await bill_of(service, 0, period=DAY["period"]))


async def test_bill__of_utc_days__takes_other_slots_than_berlins(service: Service) -> None:
    lines = {
        zone: [line["slot"] for line in (await bill_of(service, 0, period="2027-03-28", zone=zone))["lines"]]
        for zone in (BERLIN, "UTC")
    }
    first = service.town.clock.slot_at(MIDNIGHT)
    assert lines[BERLIN] == [first, first + 91, first + 91]
    assert lines["UTC"] == [first + 91, first + 91, first + 92]


async def test_bill__after_a_correction__shows_it_as_such(service: Service) -> None:
    _, corrected, _ = (await bill_of(service, 0, **DAY))["lines"]
    assert (corrected["readingVersion"], corrected["settlements"], corrected["importWh"]) == (2, 2, 900)
    assert corrected["correctionMicro"] == 34_000 + 8_000, "100 Wh less at retail, 100 Wh more than drawn at feed-in"
    totals = (await bill_of(service, 0, **DAY))["totals"]
    assert (totals["correctedLines"], totals["correctionMicro"]) == (1, corrected["correctionMicro"])
    assert corrected["changesUntil"] == service.town.terms.correction_end(corrected["slot"], service.town.clock)


async def test_bill__of_a_silent_meter__shows_what_silence_cost(service: Service) -> None:
    bill = await bill_of(service, 2, **DAY)
    (line,) = bill["lines"]
    totals = bill["totals"]
    assert (line["readingVersion"], line["importWh"]) == (0, max(line["boughtWh"], 250))
    assert (totals["silentLines"], totals["silenceMicro"]) == (1, line["deviationMicro"])


@pytest.mark.parametrize("period", ["2027-03-27", "2027-03-28", "2027-03-29", "2027-W12", "2027-03", "2027", "2026"])
async def test_statement__of_any_period_and_party__adds_up(service: Service, period: str) -> None:
    town = service.town
    homes = [home.account for home in town.homes[:4]]
    for account in (*homes, town.keys["utility"].address, town.keys["operator"].address):
        book = (await service.get(f"accounts/{account}/bill", period=period))["statement"]
        moved = sum(book["moves"].values())
        assert book["opening"]["netMicro"] + moved == book["closing"]["netMicro"], (account, book)
        assert book["addsUp"]


async def test_statement__up_to_now__ends_with_what_the_vault_holds(service: Service) -> None:
    town = service.town
    for account in (*(home.account for home in town.homes[:4]), town.keys["utility"].address):
        closing = (await service.get(f"accounts/{account}/bill", period="2027"))["statement"]["closing"]
        held = await town.contracts.vault.account_of(account)
        assert (closing["availableMicro"], closing["owesMicro"]) == (held.available, held.arrear)


async def test_statement__of_days__hands_each_closing_on_as_the_next_opening(service: Service) -> None:
    days = [(await bill_of(service, 0, period=f"2027-03-{day}"))["statement"] for day in (26, 27, 28, 29, 30)]
    assert all(day["closing"] == after["opening"] for day, after in itertools.pairwise(days))
    assert days[0]["opening"]["netMicro"] == 0
    assert days[-1]["closing"]["lockedMicro"] == 0, "everything is settled"
    assert max(day["closing"]["lockedMicro"] for day in days) > 0, "orders were open at midnight"


async def test_bill__as_json_csv_and_page__says_the_same(service: Service) -> None:
    bill, account = await bill_of(service, 0, **DAY), service.town.homes[0].account
    path = f"/v1/accounts/{account}/bill"
    text = await service.http.get(path, params={**DAY, "format": "csv"})
    rows = list(csv.DictReader(StringIO(text.text)))
    shown = [{name: _as_csv(value) for name, value in line.items()} for line in bill["lines"]]
    assert rows == shown
    page = await service.http.get(path, params=DAY, headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    for line in bill["lines"]:
        assert f"{line['meter']}:{line['slot']}" in page.text
        assert f"/v1/history?transaction={line['transaction']}" in page.text
    cash = abs(bill["totals"]["cashMicro"])
    assert f"{cash // 10**6}.{cash % 10**6:06d}" in page.text


async def test_bill__as_a_page__says_what_can_still_change_in_sentences(service: Service) -> None:
    account = service.town.homes[0].account
    page = await service.http.get(f"/v1/accounts/{account}/bill", params={"period": "2027", "format": "html"})
    assert re.search(
        r"The period is not over\. (\d+ of \d+ lines? can still|Every line is|No correction can)", page.text
    )


async def test_bill__as_a_page__loads_runs_and_links_nothing_from_elsewhere(service: Service) -> None:
    account = service.town.homes[0].account
    page = await service.http.get(f"/v1/accounts/{account}/bill", params={**DAY, "format": "html"})
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<script|<img|<link|http://|https://| style=| on\w+=", page.text)


async def test_lines__page_by_page__are_the_lines_of_the_bill(service: Service) -> None:
    account, found, cursor = service.town.homes[0].account, [], None
    while True:
        params = {"period": "2027", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await service.get(f"accounts/{account}/bill/lines", **params)
        assert len(page["items"]) <= 2
        found += page["items"]
        if not (cursor := page["nextCursor"]):
            break
    assert found == (await bill_of(service, 0, period="2027"))["lines"]
    assert len(found) == 5


async def test_bill__from_slot_to_slot__cuts_the_days(service: Service) -> None:
    first = service.town.clock.slot_at(MIDNIGHT)
    bill = await bill_of(service, 0, **{"from": first - 1, "to": first + 91})
    assert [(day["date"], day["slots"]) for day in bill["days"]] == [("2027-03-27", 1), ("2027-03-28", 92)]
    assert [line["slot"] - first for line in bill["lines"]] == [-1, 0, 91, 91]


async def test_bill__of_an_account_without_a_meter__is_empty_and_adds_up(service: Service) -> None:
    bill = await service.get(f"accounts/0x{'11' * 20}/bill", **DAY)
    assert (bill["lines"], bill["meters"], bill["totals"]["cashMicro"]) == ([], [], 0)
    assert bill["statement"]["addsUp"]
    page = await service.http.get(f"/v1/accounts/0x{'11' * 20}/bill", params={**DAY, "format": "html"})
    assert "Nothing is settled in this time" in page.text


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"period": "2027-13"}, "PeriodMalformed"),
        ({"period": "2027-01-01..2028-06-01"}, "PeriodTooLong"),
        ({"zone": "Europe/Atlantis"}, "ZoneUnknown"),
        ({"zone": "../../etc/passwd"}, "ZoneUnknown"),
        ({"period": "2027", "from": 1, "to": 2}, "SpanNotAllowed"),
        ({"from": 1}, "SpanNotAllowed"),
        ({"from": 0, "to": 2**32 - 1}, "SpanNotAllowed"),
        ({"from": 2**32 - 2, "to": 2**32 - 1}, "SpanNotAllowed"),
        ({"format": "pdf"}, "RequestInvalid"),
    ],
)
async def test_bill__asked_for_wrongly__names_the_error(service: Service, params: dict[str, Any], name: str) -> None:
    response = await service.http.get(f"/v1/accounts/0x{'11' * 20}/bill", params=params)
    assert (response.status_code, response.json()["error"]["name"]) == (422, name), response.text


def _as_csv(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
