"""What the import rules of pyproject.toml are called is what they forbid."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
RULES: dict[str, dict[str, Any]] = {
    rule["id"]: rule
    for rule in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
RIM = ("audit", "besu", "cli", "client", "demo", "deployment", "localnet")


@pytest.mark.parametrize("room", RIM)
def test_rim__every_room_that_it_names__is_forbidden_to_inner_rooms(room: str) -> None:
    assert room in RULES["rim"]["name"]
    assert f"gridweave.{room}" in RULES["rim"]["forbidden_modules"]


def test_rim__services__may_read_the_deployment_record_and_nothing_else() -> None:
    assert RULES["rim"]["ignore_imports"] == ["gridweave.services.* -> gridweave.deployment.record"]
