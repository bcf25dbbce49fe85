"""A folder that looks like a fresh clone after `make setup`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.readme.pages import ROOT


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in (".venv", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "var").mkdir()
    return tmp_path
