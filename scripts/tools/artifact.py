"""From the compiler's output to the files of the artifact folder: pure functions over JSON."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from eth_hash.auto import keccak

MAX_CODE_BYTES = 24_576  # exclusive: EIP-170's own limit is never reached
IMPORT = re.compile(r"""^\s*import\s+(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']""", re.MULTILINE)
TYPE_ID = re.compile(r"(t_(?:struct|contract|enum|userDefinedValueType)\([^()]*\))\d+")
Json = dict[str, Any]


def imports_of(unit: str, text: str) -> Iterator[str]:
    """Names of the source units that `unit` imports, relative ones resolved as solc does."""
    for wanted in IMPORT.findall(text):
        relative = wanted.startswith(".")
        yield posixpath.normpath(posixpath.join(posixpath.dirname(unit), wanted)) if relative else wanted


def collect(output: Json) -> dict[str, Json]:
    """Artifacts by contract name. Deployables lie in contracts/ itself, interfaces and mocks in the folders named so.

    Raises SystemExit when two contracts share a name or one needs linking.
    """
    immutables = {
        node["id"]: f"{owner}.{node['name']}"
        for source in output["sources"].values()
        for owner, node in _state_variables(source["ast"])
    }
    found: dict[str, Json] = {}
    for unit, contracts in sorted(output["contracts"].items()):
        for name, raw in sorted(contracts.items()):
            kind = _kind(unit, raw)
            if kind is None:
                continue
            if name in found:
                raise SystemExit(f"{name} is defined in {found[name]['source']} and in {unit}")
            found[name] = _artifact(name, unit, kind, raw, immutables)
    return dict(sorted(found.items()))


def oversized(recorded: dict[str, Json]) -> list[str]:
    """A sentence for each deployable of the index that reaches the limit of contract code."""
    return [
        f"{name} is {entry['deployedBytes']} bytes of code; it must stay under {MAX_CODE_BYTES}"
        for name, entry in recorded.items()
        if entry["kind"] == "deployable" and entry["deployedBytes"] >= MAX_CODE_BYTES
    ]


def error_table(contracts: dict[str, Json]) -> Json:
    """Custom errors: selector -> {name, signature, inputs, contracts}; SystemExit when two share a selector."""
    table: dict[str, Json] = {}
    for owner, content in contracts.items():
        if content["kind"] == "mock":
            continue
        for entry in content["abi"]:
            if entry["type"] != "error":
                continue
            signature = f"{entry['name']}({','.join(canonical_type(field) for field in entry['inputs'])})"
            selector = "0x" + keccak(signature.encode())[:4].hex()
            inputs = [{"name": field["name"], "type": canonical_type(field)} for field in entry["inputs"]]
            known = table.setdefault(
                selector, {"name": entry["name"], "signature": signature, "inputs": inputs, "contracts": []}
            )
            if known["signature"] != signature:
                raise SystemExit(f"{signature} and {known['signature']} share the selector {selector}")
            if owner not in known["contracts"]:
                known["contracts"].append(owner)
    return table


def canonical_type(field: Json) -> str:
    """The ABI type as signatures spell it: tuples by their components."""
    if not field["type"].startswith("tuple"):
        return str(field["type"])
    inner = ",".join(canonical_type(component) for component in field["components"])
    return f"({inner}){field['type'].removeprefix('tuple')}"


def size_of(code: str) -> int:
    """Bytes of a 0x-prefixed code string."""
    return (len(code) - 2) // 2


def differing_keys(left: Json, right: Json) -> list[str]:
    """Top-level keys, or their children where both are objects, in which the two differ."""
    keys: list[str] = []
    for key in sorted(left.keys() | right.keys()):
        one, other = left.get(key), right.get(key)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            children = sorted(one.keys() | other.keys())
            keys += [f"{key}.{child}" for child in children if one.get(child) != other.get(child)]
        else:
            keys.append(key)
    return keys


def _kind(unit: str, raw: Json) -> str | None:
    folder = posixpath.dirname(unit)
    deployable = bool(raw["evm"]["bytecode"]["object"])
    if folder == "contracts" and deployable:
        return "deployable"
    if folder.startswith("contracts/mocks") and deployable:
        return "mock"
    if folder.startswith("contracts/interfaces"):
        return "interface"
    return None


def _artifact(name: str, unit: str, kind: str, raw: Json, immutables: dict[int, str]) -> Json:
    if raw["evm"]["bytecode"]["linkReferences"]:
        raise SystemExit(f"{name} needs a linked library; make its functions internal")
    deployed = "0x" + raw["evm"]["deployedBytecode"]["object"]
    content: Json = {
        "contractName": name,
        "kind": kind,
        "source": unit,
        "abi": raw["abi"],
        "bytecode": "0x" + raw["evm"]["bytecode"]["object"],
        "deployedBytecode": deployed,
        "immutableReferences": _named(raw["evm"]["deployedBytecode"].get("immutableReferences", {}), immutables),
    }
    if kind == "deployable":
        content["storageLayout"] = _storage_layout(raw["storageLayout"])
    return content


def _named(references: Json, names: dict[int, str]) -> Json:
    return {names[int(node)]: places for node, places in references.items()}


def _storage_layout(raw: Json) -> Json:
    variables = [
        {
            "label": entry["label"],
            "slot": int(entry["slot"]),
            "offset": entry["offset"],
            "type": _plain_type(entry["type"]),
            "contract": entry["contract"],
        }
        for entry in raw["storage"]
    ]
    types = {_plain_type(name): _type_entry(entry) for name, entry in (raw["types"] or {}).items()}
    return {"storage": variables, "types": types}


def _type_entry(entry: Json) -> Json:
    plain: Json = {"encoding": entry["encoding"], "label": entry["label"], "numberOfBytes": int(entry["numberOfBytes"])}
    for key in ("base", "key", "value"):
        if key in entry:
            plain[key] = _plain_type(entry[key])
    if "members" in entry:
        plain["members"] = [
            {"label": m["label"], "slot": int(m["slot"]), "offset": m["offset"], "type": _plain_type(m["type"])}
            for m in entry["members"]
        ]
    return plain


def _plain_type(name: str) -> str:
    return TYPE_ID.sub(r"\1", name)


def _state_variables(unit: Json) -> Iterator[tuple[str, Json]]:
    for contract in unit["nodes"]:
        if contract["nodeType"] != "ContractDefinition":
            continue
        for node in contract["nodes"]:
            if node["nodeType"] == "VariableDeclaration":
                yield contract["name"], node
