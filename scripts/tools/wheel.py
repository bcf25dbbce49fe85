"""Build the wheel and the source archive into build/dist, from a copy of the sources without what was made beside them.

    wheel.py            build both, and check what the wheel holds
    wheel.py --wheel    the wheel alone

The same commit gives the same bytes: times inside are the commit's, or SOURCE_DATE_EPOCH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from layout import BUILD, PYTHON_BIN, ROOT

DIST = BUILD / "dist"
SOURCES = ("backend", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
MADE = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.pyc")
BACKEND = "from setuptools import build_meta; import sys; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
NEEDED = (
    "gridweave/py.typed",
    "gridweave/artifacts/EnergyAuction.json",
    "gridweave/artifacts/errors.json",
    "gridweave/chain/networks.toml",
    "gridweave/demo/data/street.json",
    "gridweave/demo/pages/report.html.j2",
    "gridweave/api/pages/operations.html",
    "gridweave/store/migrations/outbox/versions/v0001_first.py",
    "gridweave/store/migrations/index/env.py",
)


def main() -> int:
    """Entry point of the command line: 0 when the wheel holds what it must and nothing else."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wheel", action="store_true")
    kinds = ("wheel",) if parser.parse_args().wheel else ("wheel", "sdist")
    built = [build(kind, DIST) for kind in kinds]
    for path in built:
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024:,} KiB")
    faults = check(built[0])
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


def build(kind: str, target: Path) -> Path:
    """The file that was built; `kind` is wheel or sdist."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "gridweave"
        copy.mkdir()
        for source in SOURCES:
            path = ROOT / source
            if path.is_dir():
                shutil.copytree(path, copy / source, ignore=MADE)
            else:
                shutil.copy2(path, copy / source)
        command = [str(PYTHON_BIN / "python"), "-c", BACKEND, f"build_{kind}", str(target)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH") or _commit_time()}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the {kind} could not be built:\n{done.stderr[-2_000:]}")
    return target / done.stdout.splitlines()[-1]


def check(wheel: Path) -> list[str]:
    """What the wheel lacks, and what does not belong into it."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    faults = [f"the wheel lacks {name}" for name in NEEDED if name not in names]
    foreign = [name for name in names if not name.startswith(("gridweave/", "gridweave-"))]
    tests = [name for name in names if "/test" in name or name.endswith((".sol", ".pyc"))]
    return faults + [f"the wheel holds {name}" for name in foreign + tests]


def _commit_time() -> str:
    command = ["git", "log", "-1", "--format=%ct"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "1700000000"


if __name__ == "__main__":
    sys.exit(main())
