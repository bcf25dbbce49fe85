"""Public JavaScript packages that ours is held against, run by node: JSON in, JSON out."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPTS = Path(__file__).parent / "node"
_WITHIN = 120.0


def require_package(name: str) -> None:
    """Skips the test where npm has not installed the package."""
    if not (_ROOT / "node_modules" / name / "package.json").exists():
        pytest.skip(f"{name} is not installed: run `make setup`")


def run_node(script: str, said: Any) -> Any:
    """What a script of tests/support/node answers to `said`."""
    node = shutil.which("node")
    assert node is not None, "node is not on PATH: install Node 20"
    done = subprocess.run(
        [node, str(_SCRIPTS / script)],
        input=json.dumps(said),
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout)
