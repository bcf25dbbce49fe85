"""What operators are given as files says what the service says: metrics, settings, alerts."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gridweave.services.settings import PREFIX, Settings
from tests.support.service import served
from tests.support.town import founded

DOCS = Path(__file__).resolve().parents[3] / "docs"
FILES = DOCS / "operations"
UNITS = sorted(FILES.glob("*.service"))
PAGE = (DOCS / "operations.md").read_text()
VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields}

_METRIC = re.compile(r"\b(?:gridweave|process)_[a-z_]+\b")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FILES / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries(part: Any) -> Iterator[str]:
    """Every query of a dashboard."""
    if isinstance(part, dict):
        yield from (str(part[name]) for name in ("expr", "query") if isinstance(part.get(name), str))
        for inner in part.values():
            yield from queries(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from queries(inner)


@pytest.mark.chain
async def test_queries__of_alerts_and_dashboard__name_metrics_that_there_are(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=0) as town, served(town, tmp_path / "s") as service:
        text = (await service.http.get("/metrics")).text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    known = set(kinds) | {f"{name}_bucket" for name, kind in kinds.items() if kind == "histogram"}
    asked = [rule["expr"] for rule in rules()] + list(queries(json.loads((FILES / "grafana.json").read_text())))
    named = {name for query in asked for name in _METRIC.findall(query)}
    assert len(named) > 30
    assert named <= known, sorted(named - known)
    rates = {name for query in asked for name in re.findall(r"(?:rate|increase)\((\w+)", query)}
    assert {name for name in rates if kinds.get(name) == "gauge"} <= {"gridweave_outbox_accepted"}, "rates of counters"
    ours = {name for name in kinds if name.startswith("gridweave_") and not name.endswith("_created")}
    assert sorted(ours - named) == ["gridweave_build_info", "gridweave_chain_time_seconds", "gridweave_request_seconds"]


def test_alerts__each__says_what_it_means_and_what_to_do() -> None:
    told = re.findall(r"^### (Gridweave\w+)\n(.+)", PAGE, re.MULTILINE)
    assert sorted(name for name, text in told if text) == sorted(rule["alert"] for rule in rules())
    assert {rule["labels"]["severity"] for rule in rules()} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] for rule in rules())


def test_alerts__by_promtool_if_it_is_here__are_rules() -> None:
    tool = shutil.which("promtool")
    if tool is not None:
        done = subprocess.run(
            [tool, "check", "rules", FILES / "alerts.yml"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_variables__named_anywhere__are_settings() -> None:
    others = {"GRIDWEAVE_ANVIL", "GRIDWEAVE_IMAGE"}
    for path in (*UNITS, FILES / "compose.yaml", DOCS / "operations.md"):
        named = set(re.findall(r"\bGRIDWEAVE_[A-Z0-9_]+\b(?!\*)", path.read_text())) - others
        assert {name for name in named if not name.endswith("_")} <= VARIABLES, path.name


def test_compose__as_yaml__has_a_service_that_reads_real_settings() -> None:
    compose = yaml.safe_load((FILES / "compose.yaml").read_text())
    environment = compose["services"]["service"]["environment"]
    assert set(environment) <= VARIABLES
    plain = {name: value for name, value in environment.items() if "$" not in value}
    assert Settings.from_env(plain).host == "0.0.0.0"
    secrets = {name for part in compose["services"].values() for name in part.get("secrets", ())}
    assert secrets == set(compose["secrets"])
    volumes = {text.split(":")[0] for part in compose["services"].values() for text in part.get("volumes", ())}
    assert {name for name in volumes if not name.startswith(".")} == set(compose["volumes"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_unit__read_as_systemd_does__starts_a_real_command(unit: Path, tmp_path: Path) -> None:
    from gridweave.cli import COMMANDS

    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)
    start = parsed["Service"]["ExecStart"].split()
    assert start[1] in COMMANDS
    assert parsed["Service"]["NoNewPrivileges"] == "yes"
    tool = shutil.which("systemd-analyze")
    if tool is not None:
        local = tmp_path / unit.name
        local.write_text(unit.read_text().replace(start[0], "/bin/true"))
        done = subprocess.run([tool, "verify", local], capture_output=True, text=True, check=False)
        assert unit.name not in done.stderr, done.stderr
