"""`gridweave demo street`, as people run it: once to its end, once interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytestmark = [pytest.mark.chain, pytest.mark.slow]

COMMAND = [sys.executable, "-c", "import sys; from gridweave.cli import main; main(sys.argv[1:])", "demo", "street"]


@dataclass(frozen=True)
class Lived:
    code: int
    printed: str
    said: str
    folder: Path

    @property
    def report(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes whose arguments or environment name the demo's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(text.replace(b"\0", b" ").decode(errors="replace")[:200])
    return found


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("demo") / "street"
    done = subprocess.run(
        [*COMMAND, "--out", str(folder)], capture_output=True, text=True, timeout=900, check=False, cwd=folder.parent
    )
    return Lived(done.returncode, done.stdout, done.stderr, folder)


@pytest.mark.timeout(1_000)
def test_demo_street__lived_to_its_end__exits_0_and_the_audit_finds_no_difference(lived: Lived) -> None:
    assert lived.code == 0, lived.said + lived.printed
    assert "no difference" in lived.printed
    assert not processes_of(lived.folder)


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("orders placed", 900),
        ("orders replaced", 100),
        ("orders cancelled", 20),
        ("readings sent", 1_100),
        ("readings late", 1),
        ("readings corrected", 6),
        ("settlements without reading", 4),
        ("closed slots", 96),
        ("reading signatures (P-256)", 500),
        ("reading signatures (secp256k1)", 500),
    ],
)
def test_demo_street__when_lived__every_path_was_taken(lived: Lived, path: str, least: int) -> None:
    shown = re.search(rf"([\d,]+) {re.escape(path)}", " ".join(lived.printed.split()))
    assert shown, path
    assert int(shown[1].replace(",", "")) >= least


def test_demo_street__when_lived__every_acknowledged_reading_is_final(lived: Lived) -> None:
    counts = {
        name: int(count.replace(",", "")) for count, name in re.findall(r"(\d[\d,]*) (readings \w+)", lived.printed)
    }
    assert counts["readings final"] == counts["readings sent"]
    assert counts["readings refused"] == 0


def test_demo_street__when_lived__the_street_gains_and_nobody_trades_outside_feed_in_and_retail(lived: Lived) -> None:
    low, high = re.search(r"([\d.]+) to ([\d.]+), mean", " ".join(lived.printed.split())).groups()  # type: ignore[union-attr]
    share = re.search(r"([\d.]+) % of [\d.]+ kWh drawn", lived.printed)
    assert share
    assert 0.08 <= float(low) <= float(high) <= 0.28
    assert 20 < float(share[1]) < 60


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "poster")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_report__opened_without_a_network__loads_nothing_from_elsewhere(lived: Lived) -> None:
    links = _Links()
    links.feed(lived.report)
    assert links.loaded == []
    assert links.open == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", lived.report)


def test_report__when_drawn__walks_one_payment_from_transaction_to_maker(lived: Lived) -> None:
    steps = re.findall(r"<h3>([^<]+)</h3>", lived.report)
    assert steps == ["Payment", "Price", "Orders", "Reading", "Device key", "Maker"]
    assert len(re.findall(r"0x[0-9a-f]{64}\b", lived.report)) >= 6
    assert "NOT" not in lived.report


def test_report__when_drawn__has_a_point_for_every_quarter_hour(lived: Lived) -> None:
    points = json.loads(re.search(r"const points = (\[.*\]);", lived.report)[1])  # type: ignore[index]
    assert [point[0] for point in points] == [f"{slot // 4:02d}:{slot % 4 * 15:02d}" for slot in range(96)]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "--out", str(tmp_path / "street")], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stderr:
        process.stderr.close()


@pytest.mark.timeout(200)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_street__interrupted_while_it_lives__ends_everything_that_it_started(
    started: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "street"
    _until(lambda: (folder / "devices").exists() and any((folder / "devices").iterdir()))
    assert len(processes_of(folder)) >= 3
    started.send_signal(number)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Interrupted" in said
    assert not processes_of(folder)


def _until(happened: object, within_s: float = 90.0) -> None:
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if happened():  # type: ignore[operator]
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")
