"""`gridweave demo neighbourhood`, with some homes of each kind: everything that may happen on a day happens."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

import pytest

pytestmark = [pytest.mark.chain, pytest.mark.slow]

COMMAND = [sys.executable, "-c", "import sys; from gridweave.cli import main; main(sys.argv[1:])", "demo"]


@dataclass(frozen=True)
class Lived:
    code: int
    printed: str
    said: str
    report: str

    def count(self, name: str) -> int:
        """How often the day took a path; 0 if never."""
        shown = re.search(rf"([\d,]+) {re.escape(name)}", self.printed)
        return int(shown[1].replace(",", "")) if shown else 0


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("demo") / "hood"
    done = subprocess.run(
        [*COMMAND, "neighbourhood", "--homes", "24", "--out", str(folder)],
        capture_output=True,
        text=True,
        timeout=1_500,
        check=False,
        cwd=folder.parent,
    )
    report = folder / "report.html"
    page = report.read_text(encoding="utf-8") if report.exists() else ""
    return Lived(done.returncode, " ".join(done.stdout.split()), done.stderr, page)


@pytest.mark.timeout(1_600)
def test_demo_neighbourhood__lived_to_its_end__exits_0_and_the_audit_finds_no_difference(lived: Lived) -> None:
    assert lived.code == 0, lived.said + lived.printed
    assert "no difference" in lived.printed


@pytest.mark.parametrize(
    "path",
    [
        "schedules signed",
        "orders in schedules",
        "orders signed by the aggregator",
        "orders replaced",
        "orders cancelled",
        "readings late",
        "readings never sent",
        "readings corrected",
        "arrears paid",
        "blocks thrown out",
        "refused: WrongSigner",
        "refused: InArrears",
        "reading signatures (P-256)",
        "reading signatures (secp256k1)",
    ],
)
def test_demo_neighbourhood__when_lived__every_path_was_taken(lived: Lived, path: str) -> None:
    assert lived.count(path) >= 1, lived.printed


def test_demo_neighbourhood__when_lived__every_acknowledged_reading_is_final(lived: Lived) -> None:
    assert lived.count("readings final") == lived.count("readings sent") > 2_000
    assert lived.count("readings refused") == 0


@pytest.mark.parametrize(
    "kind", ["schedule", "delegate", "correction", "late", "silent", "arrear", "paid", "refused", "reorg"]
)
def test_report__of_a_neighbourhood__tells_what_happened(lived: Lived, kind: str) -> None:
    assert f'class="kind {kind}"' in lived.report


def test_report__of_a_neighbourhood__shows_groups_batteries_and_a_dot_a_home(lived: Lived) -> None:
    assert lived.report.count("<circle") == 24
    assert "What the batteries held" in lived.report
    assert "All 24 homes as a table" in lived.report
    assert "come too late" not in lived.report
