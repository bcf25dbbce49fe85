"""Compile contracts/ into backend/gridweave/artifacts/, the one artifact truth.

Standard JSON, the legacy pipeline, optimizer runs 800, EVM level paris, no metadata: the same sources give the same
bytes on every machine.

    compile.py                 compile and write what changed (nothing to do when the sources are those recorded)
    compile.py --check         fail when artifacts and sources differ; compares recorded hashes, a second's work
    compile.py --check --full  the same, and compile again to compare every byte (CI)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from typing import Any

import artifact
import solc
from layout import ARTIFACTS, CONTRACTS, NODE_MODULES, ROOT, SOLC_VERSION

EVM_VERSION = "paris"
LIBRARY = "@openzeppelin/contracts"
SETTINGS: dict[str, Any] = {
    "optimizer": {"enabled": True, "runs": 800},
    "viaIR": False,
    "evmVersion": EVM_VERSION,
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {
        "*": {
            "": ["ast"],
            "*": [
                "abi",
                "storageLayout",
                "evm.bytecode.object",
                "evm.bytecode.linkReferences",
                "evm.deployedBytecode.object",
                "evm.deployedBytecode.immutableReferences",
            ],
        },
    },
}
Json = dict[str, Any]


def main() -> int:
    """Entry point of the command line: 0 when artifacts are those of the sources, 1 when --check finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--full", action="store_true", help="compile even if no recorded hash changed")
    arguments = parser.parse_args()
    stale = _stale()
    if arguments.check and (stale or not arguments.full):
        return _report(stale)
    if not stale and not arguments.full:
        print(f"artifacts: up to date ({len(_recorded()['artifacts'])} contracts)")
        return _report_sizes()
    files = build()
    if arguments.check:
        return _report(_differences(files))
    _write(files)
    return _report_sizes()


def build() -> dict[str, str]:
    """Compile contracts/ and return every file of the artifact folder: name -> text. SystemExit on a compiler error."""
    sources = read_sources()
    output = solc.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": SETTINGS,
        }
    )
    _stop_on_errors(output)
    contracts = artifact.collect(output)
    files = {f"{name}.json": _text(content) for name, content in contracts.items()}
    files["errors.json"] = _text(artifact.error_table(contracts))
    files["index.json"] = _text(_index(sources, contracts, files))
    return files


def read_sources() -> dict[str, str]:
    """Every source unit the compiler needs, by the name imports use: contracts/ and what it imports of the library."""
    units = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(CONTRACTS.rglob("*.sol"))}
    if not units:
        raise SystemExit("contracts/ holds no source")
    pending = list(units)
    while pending:
        for wanted in artifact.imports_of(pending[-1], units[pending.pop()]):
            if wanted not in units:
                units[wanted] = _read_unit(wanted)
                pending.append(wanted)
    return dict(sorted(units.items()))


def source_hash() -> str:
    """Hash of all that decides the bytes: sources under contracts/, library version, compiler version and settings."""
    own = {str(path.relative_to(ROOT)): _sha256(path.read_text()) for path in sorted(CONTRACTS.rglob("*.sol"))}
    return _sha256(_text({"sources": own, "library": _library_version(), "solc": SOLC_VERSION, "settings": SETTINGS}))


def _read_unit(name: str) -> str:
    path = NODE_MODULES / name if name.startswith(LIBRARY) else ROOT / name
    if not path.exists():
        raise SystemExit(f"import not found: {name}")
    return path.read_text()


def _library_version() -> str:
    locked = json.loads((ROOT / "package-lock.json").read_text())
    return str(locked["packages"][f"node_modules/{LIBRARY}"]["version"])


def _stop_on_errors(output: Json) -> None:
    problems = [entry for entry in output.get("errors", []) if entry["severity"] == "error"]
    if problems:
        raise SystemExit("\n".join(entry["formattedMessage"].rstrip() for entry in problems))
    for entry in output.get("errors", []):
        if entry.get("sourceLocation", {}).get("file", "").startswith("contracts/"):
            print(entry["formattedMessage"].rstrip(), file=sys.stderr)


def _index(sources: dict[str, str], contracts: dict[str, Json], files: dict[str, str]) -> Json:
    return {
        "compiler": {
            "version": solc.version(),
            "evmVersion": EVM_VERSION,
            "optimizerRuns": SETTINGS["optimizer"]["runs"],
            "viaIR": SETTINGS["viaIR"],
        },
        "library": {"name": LIBRARY, "version": _library_version()},
        "sourceHash": source_hash(),
        "sources": {name: _sha256(text) for name, text in sources.items() if name.startswith("contracts/")},
        "errorsSha256": _sha256(files["errors.json"]),
        "artifacts": {
            name: {
                "kind": content["kind"],
                "source": content["source"],
                "deployedBytes": artifact.size_of(content["deployedBytecode"]),
                "sha256": _sha256(files[f"{name}.json"]),
            }
            for name, content in contracts.items()
        },
    }


def _recorded() -> Json:
    path = ARTIFACTS / "index.json"
    if not path.exists():
        return {"sourceHash": "", "sources": {}, "artifacts": {}, "errorsSha256": ""}
    recorded: Json = json.loads(path.read_text())
    return recorded


def _stale() -> list[str]:
    recorded = _recorded()
    stale = []
    if recorded["sourceHash"] != source_hash():
        stale += _changed_sources(recorded["sources"]) or ["the compiler, its settings or the library changed"]
    expected = {f"{name}.json": entry["sha256"] for name, entry in recorded["artifacts"].items()}
    expected["errors.json"] = recorded["errorsSha256"]
    for name, digest in expected.items():
        path = ARTIFACTS / name
        if not path.exists():
            stale.append(f"{name} is missing")
        elif _sha256(path.read_text()) != digest:
            stale.append(f"{name} is not what index.json records")
    strays = {path.name for path in ARTIFACTS.glob("*.json")} - set(expected) - {"index.json"}
    return stale + [f"{name} belongs to no contract" for name in sorted(strays)]


def _changed_sources(recorded: dict[str, str]) -> list[str]:
    current = {str(path.relative_to(ROOT)): _sha256(path.read_text()) for path in CONTRACTS.rglob("*.sol")}
    return [
        f"{name} {'is new' if name not in recorded else 'was removed' if name not in current else 'changed'}"
        for name in sorted(current.keys() | recorded.keys())
        if current.get(name) != recorded.get(name)
    ]


def _differences(files: dict[str, str]) -> list[str]:
    differences = []
    for name, text in files.items():
        path = ARTIFACTS / name
        if not path.exists():
            differences.append(f"{name} is missing")
        elif path.read_text() != text:
            keys = artifact.differing_keys(json.loads(path.read_text()), json.loads(text))
            differences.append(f"{name} differs in {', '.join(keys[:5])}")
    return differences


def _report(stale: list[str]) -> int:
    if not stale:
        print("artifacts: equal to what contracts/ compiles to")
        return _report_sizes()
    print("artifacts are stale; run `make artifacts` and commit backend/gridweave/artifacts", file=sys.stderr)
    for line in stale:
        print(f"  {line}", file=sys.stderr)
    return 1


def _report_sizes() -> int:
    too_large = artifact.oversized(_recorded()["artifacts"])
    for line in too_large:
        print(line, file=sys.stderr)
    return 1 if too_large else 0


def _write(files: dict[str, str]) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for path in ARTIFACTS.glob("*.json"):
        if path.name not in files:
            path.unlink()
            print(f"removed {path.name}")
    for name, text in files.items():
        path = ARTIFACTS / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


def _text(content: Json) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
