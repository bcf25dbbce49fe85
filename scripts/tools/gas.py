"""Gas and bytecode snapshots in benchmarks/snapshots/, compared exactly.

Each gas test under tests/foundry says in an English sentence what it measured: whole transactions of the auction,
calls per item of the other contracts.

    gas.py             measure and write the snapshots
    gas.py --check     measure and fail on any difference (CI)
"""

from __future__ import annotations

import argparse
import json
import subprocess
from typing import Any

from layout import CONTRACTS, ROOT, foundry_bin, tool_environment

SNAPSHOTS = ROOT / "benchmarks" / "snapshots"
GAS_TESTS = "tests/foundry/**/*Gas.t.sol"
CODE_LIMIT = 24_576
PARTS = ("AuctionDesk", "ResponseDesk")
"""Contracts that another one deploys with itself."""
SENTENCE = "0xb2de2fbe801a0df6c0cbddfd448ba3c41d48a040ca35c56c8196ef0fcae721a8"  # log_named_uint(string,uint256)
PER_ITEM = "0xb0b1bb062091fee316341ccfaba663feeba96ac5505b6c5025b6eda9a41cff63"  # GasPerItem(string,uint256)
WORD = 32


def main() -> int:
    """Entry point of the command line: 0 when nothing differs or the snapshots were written, 1 otherwise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    arguments = parser.parse_args()
    measured = {"gas.json": measure_gas(), "bytecode.json": measure_bytecode()}
    if arguments.check:
        return _compare(measured)
    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    for name, figures in measured.items():
        (SNAPSHOTS / name).write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
        print(f"{(SNAPSHOTS / name).relative_to(ROOT)}: {len(figures)} figures")
    return 0


def measure_gas() -> dict[str, int]:
    """Run the gas tests; sentence -> gas. SystemExit when one fails or two say the same."""
    command = [str(foundry_bin("forge")), "test", "--match-path", GAS_TESTS, "-vv", "--json"]
    answer = subprocess.run(
        command, cwd=ROOT, env=tool_environment(), capture_output=True, text=True, check=False, timeout=1_200
    )
    report = _report(answer.stdout)
    if answer.returncode != 0 or not report:
        raise SystemExit(f"the gas tests failed:\n{_failures(report) or answer.stderr.strip()[-2_000:]}")
    figures: dict[str, int] = {}
    for name, suite in report.items():
        contract = name.split(":")[-1].removesuffix("Test").removesuffix("Gas")
        for result in suite["test_results"].values():
            for sentence, gas in _sentences(contract, result["logs"]):
                if figures.setdefault(sentence, gas) != gas:
                    raise SystemExit(f"two gas tests say {sentence!r}")
    return figures


def measure_bytecode() -> dict[str, int]:
    """Bytes of runtime code by deployed contract, as the compiler builds it now. SystemExit when it does not."""
    command = [str(foundry_bin("forge")), "build", "--sizes", "--json", "--skip", "test"]
    answer = subprocess.run(
        command, cwd=ROOT, env=tool_environment(), capture_output=True, text=True, check=False, timeout=600
    )
    sizes = _report(answer.stdout)
    if not sizes:
        raise SystemExit(f"forge build failed:\n{answer.stderr.strip()[-2_000:]}")
    deployed = sorted([*(path.stem for path in CONTRACTS.glob("*.sol")), *PARTS])
    return {f"runtime code of {name}, bytes of {CODE_LIMIT:,}": sizes[name]["runtime_size"] for name in deployed}


def _report(text: str) -> dict[str, Any]:
    for line in reversed(text.strip().splitlines()):
        if line.startswith("{"):
            report: dict[str, Any] = json.loads(line)
            return report
    return {}


def _failures(report: dict[str, Any]) -> str:
    return "\n".join(
        f"{name}: {result['reason']}"
        for suite in report.values()
        for name, result in suite["test_results"].items()
        if result["status"] != "Success"
    )


def _sentences(contract: str, logs: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """(sentence, gas) of each log that is (string, uint256); figures per item say of which contract."""
    found = []
    for log in logs:
        topic = log["topics"][0] if log["topics"] else ""
        if topic in (SENTENCE, PER_ITEM):
            data = bytes.fromhex(log["data"].removeprefix("0x"))
            length = int.from_bytes(data[2 * WORD : 3 * WORD], "big")
            sentence = data[3 * WORD : 3 * WORD + length].decode()
            if topic == PER_ITEM:
                sentence = f"{contract}, {sentence}, an item"
            found.append((sentence, int.from_bytes(data[WORD : 2 * WORD], "big")))
    return found


def _compare(measured: dict[str, dict[str, int]]) -> int:
    differences = 0
    for name, figures in measured.items():
        path = SNAPSHOTS / name
        kept: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        for sentence in sorted(kept.keys() | figures.keys()):
            before, after = kept.get(sentence), figures.get(sentence)
            if before != after:
                differences += 1
                print(f"{name}: {sentence}: {_number(before)} -> {_number(after)}")
    if differences:
        print("run `python scripts/tools/gas.py` and commit benchmarks/snapshots if that is meant")
    else:
        print(f"snapshots: {sum(map(len, measured.values()))} figures as they were")
    return 1 if differences else 0


def _number(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


if __name__ == "__main__":
    raise SystemExit(main())
