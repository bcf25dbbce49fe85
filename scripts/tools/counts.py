"""How many tests a stage ran, read from what its tool printed or wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

FORGE_TOTAL = re.compile(r"(\d+) tests? passed, (\d+) failed, (\d+) skipped \(\d+ total")
FORGE_SKIP = re.compile(r"^\[SKIP[^\]]*\] (\S+)", re.MULTILINE)
FORGE_FAIL = re.compile(r"^\[FAIL:? ?([^\n]*?)\] (\S+)\(", re.MULTILINE)
PROOF = re.compile(r"^(?:proved|refuted|FAILED) +\d+ s ")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST_WHY = 400


@dataclass
class Counts:
    """Tests passed and failed; which were skipped and, where the tool says so, which failed, each as `test: reason`."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def from_junit(report: Path) -> Counts:
    """Counts of a JUnit file that pytest wrote; zero of everything when there is none."""
    counts = Counts()
    if not report.exists():
        return counts
    for case in ET.parse(report).getroot().iter("testcase"):
        name, skip = f"{case.get('classname')}.{case.get('name')}", case.find("skipped")
        broken = next((found for kind in ("failure", "error") if (found := case.find(kind)) is not None), None)
        if broken is not None:
            counts.failed += 1
            counts.failures.append(f"{name}: {_short(broken.get('message', ''))}")
        elif skip is not None:
            counts.skipped.append(f"{name}: {skip.get('message', '')}")
        else:
            counts.passed += 1
    return counts


def from_forge(output: str) -> Counts:
    """Counts of forge's closing line; zero of everything when it never got there."""
    plain = ANSI.sub("", output)
    totals = FORGE_TOTAL.findall(plain)
    if not totals:
        return Counts()
    passed, failed, _ = map(int, totals[-1])
    failures = {f"{name}: {_short(why)}": None for why, name in FORGE_FAIL.findall(plain)}  # forge says them twice
    return Counts(passed, failed, [f"{name}: skipped by vm.skip" for name in FORGE_SKIP.findall(plain)], [*failures])


def from_proofs(output: str) -> Counts:
    """Counts of prove.py's lines, one a promise."""
    words = [line.split()[0] for line in output.splitlines() if PROOF.match(line)]
    return Counts(passed=len(words) - words.count("FAILED"), failed=words.count("FAILED"))


def from_status(status: int) -> Counts:
    """A tool that only says yes or no is one test."""
    return Counts(passed=1) if status == 0 else Counts(failed=1)


def _short(why: str) -> str:
    """Of what was said the beginning, in one line."""
    line = " ".join(why.split())
    return line if len(line) <= LONGEST_WHY else f"{line[:LONGEST_WHY]} ..."
