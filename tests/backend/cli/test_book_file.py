"""What the file of `gridweave clear-book` may say, and how it is told what it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.cli.book.file import BookNotClearable, parse_book

BID, ASK = {"kWh": "1.5", "price": "0.21"}, {"kWh": "1", "price": "0.10"}
BOOK: dict[str, Any] = {"tick": "0.01", "gridFee": "0.02", "bids": [BID], "asks": [ASK]}


def problems(**changes: Any) -> dict[str, str]:
    with pytest.raises(BookNotClearable) as caught:
        parse_book(json.dumps({**BOOK, **changes}))
    return {problem.row: problem.problem for problem in caught.value.problems}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"book"', "[" * 100_000])
def test_parse_book__given_no_json_object__says_so(text: str) -> None:
    with pytest.raises(BookNotClearable, match="file"):
        parse_book(text)


@pytest.mark.parametrize("name", ["tick", "gridFee", "bids", "asks"])
def test_parse_book__without_a_part__names_it(name: str) -> None:
    book = {key: value for key, value in BOOK.items() if key != name}
    with pytest.raises(BookNotClearable) as caught:
        parse_book(json.dumps(book))
    assert [problem.row for problem in caught.value.problems] == [name]


@pytest.mark.parametrize("tick", ["0", "-0.01", "0.0000001", "5000", "", "NaN", "1e-2", None, True, "0x1"])
def test_parse_book__given_no_tick__refuses_the_tick(tick: Any) -> None:
    assert "tick" in problems(tick=tick)


def test_parse_book__given_a_fee_off_the_tick__refuses_the_fee() -> None:
    assert "tick" in problems(gridFee="0.015")["gridFee"]


def test_parse_book__given_many_bad_rows__lists_each_with_its_reason() -> None:
    bids = [
        BID,
        {"kWh": "1.5001", "price": "0.21"},
        {"kWh": "1.5", "price": "0.215", "id": "x"},
        {"kWh": "0", "price": "0.21"},
        {"kWh": "1", "price": "0.01"},
        {"kWh": "-1", "price": "0.21"},
        {"price": "0.21"},
        "row",
    ]
    found = problems(bids=bids, asks=[{"kWh": "1", "price": "0.105"}])
    assert found.keys() == {*(f"bids[{place}]" for place in range(1, 8)), "asks[0]"}
    assert "whole Wh" in found["bids[1]"]
    assert "multiple of the tick" in found["bids[2]"]
    assert "does not cover the grid fee" in found["bids[4]"]


def test_parse_book__given_a_span_over_1024_ticks__names_the_rows_that_lie_beyond() -> None:
    asks = [{"kWh": "1", "price": "0"}, {"kWh": "1", "price": "10.23"}, {"kWh": "1", "price": "10.24"}]
    assert list(problems(asks=asks)) == ["asks[2]"]


def test_parse_book__given_a_span_of_exactly_1024_ticks__fits() -> None:
    asks = [{"kWh": "1", "price": "0"}, {"kWh": "1", "price": "10.23"}]
    assert parse_book(json.dumps({**BOOK, "asks": asks})).grid.count == 1_024


def test_parse_book__given_more_energy_than_the_ladder_holds__names_the_row() -> None:
    asks = [{"kWh": "600000", "price": "0.10"}, {"kWh": "600000", "price": "0.11"}]
    assert list(problems(asks=asks)) == ["asks[1]"]


def test_parse_book__given_a_fee__nets_bids_and_not_asks() -> None:
    book = parse_book(json.dumps(BOOK))
    assert (book.bids[0].net_price, book.asks[0].net_price) == (190_000, 100_000)
    assert (book.grid.low, book.grid.high, book.grid.count) == (100_000, 190_000, 10)


def test_parse_book__given_bare_numbers__reads_them_as_they_are_written() -> None:
    text = '{"tick": 0.01, "gridFee": 0.02, "bids": [{"kWh": 1.1, "price": 0.29}], "asks": []}'
    row = parse_book(text).bids[0]
    assert (row.energy_wh, row.net_price) == (1_100, 270_000)


def test_clear_book__given_bad_rows__exits_2_with_all_of_them_and_places_nothing(tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    file.write_text(
        json.dumps({**BOOK, "bids": [{"kWh": "1.5", "price": "0.215", "id": "mine"}, {"kWh": "x", "price": "1"}]})
    )
    plain = CliRunner().invoke(app, ["clear-book", str(file)])
    machine = CliRunner().invoke(app, ["clear-book", str(file), "--json"])
    assert (plain.exit_code, machine.exit_code) == (2, 2)
    assert (plain.stdout, machine.stdout) == ("", "")
    assert "bids[0] (mine)" in plain.stderr
    assert "bids[1]" in plain.stderr
    assert [row["row"] for row in json.loads(machine.stderr)["error"]["rows"]] == ["bids[0]", "bids[1]"]


def test_clear_book__given_no_file__exits_2_and_names_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["clear-book", str(tmp_path / "nowhere.json")])
    assert result.exit_code == 2
    assert "nowhere.json" in result.stderr
