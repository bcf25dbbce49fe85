"""The linters: ruff, solhint, code sizes of modules, the locks, and the documents that tools write.

lint.py         report
lint.py --fix   rewrite what can be rewritten: ruff's fixes and format, forge fmt
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import lock
from layout import CONTRACTS, NODE_BIN, PYTHON_BIN, ROOT, foundry_bin, tool_environment

PYTHON_SOURCES = ["backend", "scripts", "tests", "benchmarks"]
MAX_MODULE_LINES = 400
MAX_FILE_LINES = 500
MAX_CONTRACT_LINES = 620


def main() -> int:
    """Entry point of the command line: 0 when clean."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fix", action="store_true")
    if parser.parse_args().fix:
        return _fix()
    results = {
        "ruff": _ruff(),
        "solhint": _solhint(),
        "length": _length(),
        "locks": _locks(),
        "documents": _documents(),
    }
    for name, passed in results.items():
        print(f"{name}: {'ok' if passed else 'FAILED'}")
    return 0 if all(results.values()) else 1


def _ruff() -> bool:
    return _run([PYTHON_BIN / "ruff", "check", "--quiet", *_present()])


def _solhint() -> bool:
    if not any(CONTRACTS.rglob("*.sol")):
        return True
    options = ["--disc", "--noPoster", "--config", ".solhint.json", "--max-warnings", "0"]
    return _run([NODE_BIN / "solhint", *options, "contracts/**/*.sol"])


def _length() -> bool:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines, at most {limit}"
        for folder, pattern, limit in (
            ("backend", "*.py", MAX_MODULE_LINES),
            ("scripts", "*.py", MAX_FILE_LINES),
            ("tests", "*.py", MAX_FILE_LINES),
            ("tests", "*.sol", MAX_FILE_LINES),
            ("contracts", "*.sol", MAX_CONTRACT_LINES),
        )
        for path in sorted((ROOT / folder).rglob(pattern))
        if (lines := len(path.read_text().splitlines())) > limit
    ]
    print("\n".join(long), end="\n" if long else "")
    return not long


def _locks() -> bool:
    faults = lock.check()
    print("\n".join(faults), end="\n" if faults else "")
    return not faults


def _documents() -> bool:
    """The API's document and the table of settings are what the service says."""
    tools = ("openapi.py", "settings_table.py")
    passed = [_run([PYTHON_BIN / "python", f"scripts/tools/{tool}", "--check"]) for tool in tools]
    return all(passed)


def _fix() -> int:
    ruff = PYTHON_BIN / "ruff"
    passed = [
        _run([ruff, "check", "--fix", "--quiet", *_present()]),
        _run([ruff, "format", "--quiet", *_present()]),
        _run([foundry_bin("forge"), "fmt"]),
    ]
    return 0 if all(passed) else 1


def _present() -> list[str]:
    return [folder for folder in PYTHON_SOURCES if (ROOT / folder).is_dir()]


def _run(command: list[str | Path]) -> bool:
    words = [str(part) for part in command]
    return subprocess.run(words, cwd=ROOT, env=tool_environment(), check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
