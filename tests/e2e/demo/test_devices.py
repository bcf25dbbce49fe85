"""`gridweave demo devices`, as people run it: a small fleet, over a broker where there is one, and over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gridweave.localnet.mosquitto import MosquittoMissing, find_mosquitto
from tests.e2e.demo.test_demo import processes_of

pytestmark = [pytest.mark.chain, pytest.mark.slow]

COMMAND = [sys.executable, "-c", "import sys; from gridweave.cli import main; main(sys.argv[1:])", "demo", "devices"]
SMALL = ["--enrolled", "60", "--live", "30"]


@dataclass(frozen=True)
class Lived:
    code: int
    printed: str
    said: str
    folder: Path

    @property
    def report(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


def _has_broker() -> bool:
    try:
        find_mosquitto()
    except MosquittoMissing:
        return False
    return True


@pytest.fixture(scope="module", params=["as it is", "without a broker"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    if request.param == "without a broker" and not _has_broker():
        pytest.skip("there is no broker to be without")
    folder = tmp_path_factory.mktemp("demo") / "devices"
    environment = {**os.environ, "COLUMNS": "160"}
    if request.param == "without a broker":
        environment["GRIDWEAVE_DEMO_BROKER"] = "no"
    command = [*COMMAND, "--out", str(folder), *SMALL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    return Lived(done.returncode, done.stdout, done.stderr, folder)


@pytest.mark.timeout(700)
def test_demo_devices__lived_to_its_end__exits_0_and_all_comes_back(lived: Lived) -> None:
    assert lived.code == 0, lived.said + lived.printed
    assert "all as measured" in lived.printed
    assert "no difference" in lived.printed
    assert not processes_of(lived.folder)


@pytest.mark.parametrize(
    "refusal", ["UnknownDevice", "NotInBatch", "SegmentConflicts", "ChallengeInvalid", "WrongHead", "DeviceRevoked"]
)
def test_demo_devices__whoever_is_kept_out__is_refused_by_name(lived: Lived, refusal: str) -> None:
    assert refusal in lived.printed


def test_demo_devices__a_revoked_device__is_out_within_two_blocks(lived: Lived) -> None:
    later = [int(blocks) for blocks in re.findall(r"DeviceRevoked +([0-9]+)", lived.printed)]
    assert later
    assert max(later) <= 2


@pytest.mark.parametrize(
    ("who", "before", "after"),
    [
        ("citizen who sold", "1,260", "0"),
        ("citizen who bought", "0", "120"),
        ("city", "240", "0"),
        ("utility", "0", "0"),
        ("maker", "0", "0"),
    ],
)
def test_demo_devices__each_party__opens_exactly_its_own(lived: Lived, who: str, before: str, after: str) -> None:
    assert re.search(rf"^{who} +{before} +{after} ", lived.printed, re.MULTILINE)


def test_demo_devices__the_release_that_fails__is_paused_by_the_contract(lived: Lived) -> None:
    assert re.search(r"^10:00 +2 +paused ", lived.printed, re.MULTILINE)
    assert "1 rollouts that paused themselves" in " ".join(lived.printed.split())


def test_demo_devices__quick_meters_in_full__take_300_gas_a_reading_at_most(lived: Lived) -> None:
    (gas,) = re.findall(r"^every 2 s, in full .* ([0-9,]+)\s*$", lived.printed, re.MULTILINE)
    assert int(gas.replace(",", "")) <= 300


def test_demo_devices__page__needs_nothing_from_elsewhere(lived: Lived) -> None:
    page = lived.report
    assert "every byte came back" in page
    assert not re.search(r"(?:src|href)\s*=\s*[\"']https?:", page)
    assert "<script" not in page
