"""Reading and rebuilding: from the chain's logs and the owner's key file alone, every byte comes back."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest

from gridweave.domain.telemetry.readings import Reading
from gridweave.domain.telemetry.windows import WINDOW_MS
from tests.e2e.telemetry.conftest import Street
from tests.e2e.telemetry.world import EACH, SCHEMA, START_MS

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


def at(quarter: int) -> int:
    return START_MS + quarter * WINDOW_MS


def test_rebuild__from_the_logs_and_the_key_file__gives_every_byte_back(street: Street, tmp_path: Path) -> None:
    told = street.world.must("rebuild", "--out", tmp_path, *street.world.bodies, *street.world.chain_options)
    found = {each["stream"]: each for each in told}
    expected = {street.full.name: b"".join(street.full.records(range(10))), street.kept.name: street.kept.raw}
    assert found.keys() == expected.keys()
    for name, mine in expected.items():
        each = found[name]
        assert Path(each["file"]).read_bytes() == mine
        assert (each["bytes"], each["sha256"]) == (len(mine), sha256(mine).hexdigest())
    assert found[street.kept.name]["closed"] == []
    place = {"epoch": 3, "firstIndex": 30 * EACH, "endIndex": 36 * EACH}
    assert found[street.full.name]["closed"] == [place | {"fromMs": at(10), "endMs": at(12)}]


def test_rebuild__without_bodies_that_are_not_on_chain__says_which(street: Street, tmp_path: Path) -> None:
    refused = street.world.run(
        *("rebuild", "--stream", street.kept.name, "--out", tmp_path), *street.world.chain_options
    )
    assert refused.exit_code == 1
    assert "BodyUnavailable number 1, bodyHash 0x" + street.kept.sealed[0].body_hash.hex() in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_rebuild__by_the_buyer__gives_what_was_measured_since(street: Street, tmp_path: Path) -> None:
    (told,) = street.world.must("rebuild", "--out", tmp_path, *street.world.chain_options, keys="buyer")
    assert Path(told["file"]).read_bytes() == b"".join(street.full.records((10, 11)))
    assert [(each["epoch"], each["firstIndex"]) for each in told["closed"]] == [(1, 0), (2, 24 * EACH)]


@pytest.mark.parametrize(("begin", "until"), [(0, 1), (at(1) + 1, at(3) + 70_000), (at(9), at(11)), (0, 1 << 50)])
def test_read__of_a_span_of_time__gives_its_canonical_bytes(
    street: Street, tmp_path: Path, begin: int, until: int
) -> None:
    words = "read", "--stream", street.full.name, "--from", begin, "--until", until, "--raw", "--out", tmp_path / "x"
    done = street.world.run(*words, *street.world.chain_options)
    assert done.exit_code == 0, done.stderr
    within = [r.pack() for r in street.full.readings() if begin <= r.at_ms < min(until, at(10))]
    assert (tmp_path / "x").read_bytes() == b"".join(within)
    assert ("closed: " in done.stderr) == (until > at(10))


def test_read__as_table_csv_and_json_lines__says_the_same(street: Street, tmp_path: Path) -> None:
    words = "read", "--stream", street.full.name, "--from", "2027-01-15T08:00", "--until", "2027-01-15T08:10"
    done = {kind: street.world.run(*words, *street.world.chain_options, "--format", kind) for kind in ("table", "csv")}
    lines = street.world.run(*words, *street.world.chain_options, "--format", "ndjson", "--out", tmp_path / "x.ndjson")
    assert lines.exit_code == 0, lines.stderr
    rows = list(csv.reader(StringIO(done["csv"].stdout)))
    assert rows[0] == ["index", "atMs", "firmware", "power [W]", "temperature [Cel]"]
    wanted = [each for each in street.full.readings() if each.at_ms < START_MS + 600_000]
    assert rows[1:] == [_csv_row(each) for each in wanted]
    parsed = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]
    assert [each["values"]["power"] for each in parsed] == [row[3] for row in rows[1:]]
    assert parsed[EACH - 2]["values"]["temperature"] is None
    assert f"{wanted[1].values[0] / 10:.1f}" in done["table"].stdout
    assert "the first 50" in done["table"].stderr


def _csv_row(reading: Reading) -> list[str]:
    quantities = [channel.quantity(value) for channel, value in zip(SCHEMA.channels, reading.values, strict=True)]
    texts = ["" if each is None else str(each) for each in quantities]
    return [str(reading.index), str(reading.at_ms), str(reading.firmware), *texts]


def test_readings__of_a_release__are_exactly_those_that_it_made(street: Street, tmp_path: Path) -> None:
    words = "--stream", street.full.name, *street.world.chain_options
    for counter in (3, 4, 5, 6):
        made = [each for each in street.full.readings() if each.firmware == counter and each.at_ms < at(10)]
        told = street.world.must("readings", "--firmware", counter, *words)
        assert told["readings"] == len(made)
        file = tmp_path / f"{counter}"
        done = street.world.run("readings", "--firmware", counter, *words, "--format", "raw", "--out", file)
        assert done.exit_code == 0, done.stderr
        assert file.read_bytes() == b"".join(each.pack() for each in made)
    assert told["ranges"] == []
    fourth = street.world.must("readings", "--firmware", 4, *words)
    assert [(each["firstIndex"], each["endIndex"]) for each in fourth["ranges"]] == [(12 * EACH, 30 * EACH)]
    assert sum(each["endIndex"] - each["firstIndex"] for each in fourth["closed"]) == 6 * EACH


def test_read__as_a_party_by_grants_on_chain__opens_what_it_was_given(street: Street, tmp_path: Path) -> None:
    words = "read", "--as", "utility", "--raw", "--out", tmp_path / "x"
    done = street.world.run(*words, *street.world.chain_options, keys="nobody")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "x").read_bytes() == b"".join(street.full.records(range(4)))


def test_read__as_a_party_by_a_file__opens_what_it_was_given(street: Street, tmp_path: Path) -> None:
    words = "read", "--as", "maker", "--grant", street.world.home / "maker.grant", "--raw", "--out", tmp_path / "x"
    done = street.world.run(*words, *street.world.chain_options, keys="nobody")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "x").read_bytes() == b"".join(street.full.records((4, 5)))


def test_read__as_another_party_than_the_files__is_refused(street: Street) -> None:
    words = "read", "--as", "city", "--grant", street.world.home / "maker.grant"
    refused = street.world.run(*words, *street.world.chain_options)
    assert refused.exit_code == 1
    assert "GrantDoesNotOpen" in refused.stderr


@pytest.mark.parametrize(
    ("words", "name", "code"),
    [
        (("read", "--stream", "0x" + "11" * 32), "StreamNotOpened", 1),
        (("read", "--stream", "0x12"), "WrongUse", 2),
        (("read",), "WrongUse", 2),
        (("read", "--format", "xml"), "WrongUse", 2),
        (("read", "--grant", "nowhere"), "WrongUse", 2),
        (("read", "--as", "nobody"), "KeyNotFound", 4),
        (("read", "--from", "noon"), "WrongUse", 2),
        (("prove", "2000", "--out", "x"), "ReadingNotAnchored", 1),
        (("prove-range", "--out", "x", "--first", "1"), "WrongUse", 2),
        (("prove-range", "--out", "x", "--from", "0", "--until", "2030-01-01"), "TimesNotShown", 1),
        (("grant", "nowhere", "--from", "0", "--until", "900000", "--out", "x"), "KeyNotFound", 4),
        (("gateway-keys", "--from", "1", "--until", "900000", "--out", "x"), "TimesOffWindows", 1),
        (("gateway-keys", "--epoch", "7", "--out", "x"), "EpochClosed", 1),
        (("erase", "--from", "0", "--until", "0", "--yes"), "WindowsMalformed", 1),
    ],
)
def test_commands__given_what_cannot_be__name_it(street: Street, words: tuple[str, ...], name: str, code: int) -> None:
    stream = () if words[-1] == "read" or "--stream" in words else ("--stream", street.full.name)
    asked = street.world.chain_options if words[0] in ("read", "prove", "prove-range") else ()
    refused = street.world.run(*words, *stream, *asked)
    assert (refused.exit_code, refused.stderr.split()[0]) == (code, name), refused.stderr


def test_read__until_before_from__is_wrong_use(street: Street) -> None:
    words = "read", "--stream", street.full.name, "--from", "2027-01-15T09:00", "--until", "2027-01-15T08:00"
    refused = street.world.run(*words, *street.world.chain_options)
    assert refused.exit_code == 2
    assert "2027-01-15T08:00:00Z does not after 2027-01-15T09:00:00Z" in refused.stderr


def test_grant__off_the_quarter_hours__says_where_they_begin(street: Street, tmp_path: Path) -> None:
    words = "grant", street.world.home / "city.json", "--stream", street.full.name, "--epoch", 1
    refused = street.world.run(
        *words, *("--from", "2027-01-15T08:01", "--until", "2027-01-15T08:30"), "--out", tmp_path / "g"
    )
    assert refused.exit_code == 1
    assert "TimesOffWindows first 2027-01-15T08:01:00Z, end 2027-01-15T08:30:00Z" in refused.stderr
    assert "begin and end at minute 00, 15, 30 or 45" in refused.stderr


def test_rebuild__without_a_record__says_where_one_lies(street: Street, tmp_path: Path) -> None:
    words = "rebuild", "--out", tmp_path, "--rpc", street.world.url, "--deployment", tmp_path / "none.json"
    refused = street.world.run(*words)
    assert (refused.exit_code, "var/up/deployment.json" in refused.stderr) == (2, True)
