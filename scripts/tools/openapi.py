"""The REST API as a committed document, docs/openapi.json: what is in it stays, and more may come.

openapi.py              write it anew; refused where a program that knows the old one would break
openapi.py --check      fail when it is not what the service says, or something was lost
openapi.py --breaking   write it whatever is lost: before a release, or with a new version in the paths
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from gridweave.api import create_app
from gridweave.services.settings import Settings
from layout import ROOT

DOCUMENT = ROOT / "docs" / "openapi.json"
_REFERENCE = re.compile(r"#/components/schemas/([A-Za-z0-9_.-]+)")
METHODS = ("get", "post", "put", "patch", "delete")
Json = dict[str, Any]


def main() -> int:
    """Entry point of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--breaking", action="store_true")
    arguments = parser.parse_args()
    faults = check() if arguments.check else write(breaking=arguments.breaking)
    print("\n".join(faults) if faults else f"openapi: {len(current()['paths'])} paths as committed")
    return 1 if faults else 0


def current() -> Json:
    """What the service says of itself."""
    document: Json = create_app(Settings.from_env({})).openapi()
    return document


def check() -> list[str]:
    """Faults of the committed document, each a sentence."""
    committed = json.loads(DOCUMENT.read_text())
    found = json.loads(_text(current()))
    return lost(committed, found) + ([] if committed == found else ["docs/openapi.json is stale: run openapi.py"])


def write(*, breaking: bool = False) -> list[str]:
    """Writes the document, unless something would be lost."""
    found = current()
    gone = lost(json.loads(DOCUMENT.read_text()), found) if DOCUMENT.exists() and not breaking else []
    if not gone:
        DOCUMENT.write_text(_text(found))
    return gone


def lost(old: Json, new: Json) -> list[str]:
    """What a program written for `old` would miss in `new`, or would have to give it: nothing, if it only grew."""
    faults: list[str] = []
    for name, operation in _operations(old).items():
        other = _operations(new).get(name)
        if other is None:
            faults.append(f"{name} is gone")
            continue
        faults += [f"{name}: {fault}" for fault in _lost_in(operation, other)]
    schemas, posted = new.get("components", {}).get("schemas", {}), _posted(new)
    for name, schema in old.get("components", {}).get("schemas", {}).items():
        if name in schemas:
            lose = _newly_required if name in posted else _lost_fields
            faults += [f"{name}: {fault}" for fault in lose(schema, schemas[name])]
    return faults


def _posted(document: Json) -> set[str]:
    """Names of the schemas that request bodies are made of."""
    schemas = document.get("components", {}).get("schemas", {})
    bodies = [operation.get("requestBody", {}) for operation in _operations(document).values()]
    found: set[str] = set()
    waiting = {name for body in bodies for name in _named_in(body)}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _named_in(schemas.get(name, {})) - found
    return found


def _named_in(part: Json) -> set[str]:
    return set(_REFERENCE.findall(json.dumps(part)))


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def _lost_in(old: Json, new: Json) -> Iterator[str]:
    """Parameters and good answers that are gone, and what must be given now."""
    before = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
    after = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
    for key in before.keys() - after.keys():
        yield f"the parameter {key[1]} is gone"
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"the parameter {key[1]} must be given now"
    for status in old.get("responses", {}).keys() - new.get("responses", {}).keys():
        yield f"the answer {status} is gone"


def _lost_fields(old: Json, new: Json) -> Iterator[str]:
    """What an answer does not hold any more, or only sometimes."""
    for field in sorted(old.get("properties", {}).keys() - new.get("properties", {}).keys()):
        yield f"the field {field} is gone"
    for field in sorted(
        (set(old.get("required", ())) - set(new.get("required", ()))) & new.get("properties", {}).keys()
    ):
        yield f"the field {field} may be missing now"


def _newly_required(old: Json, new: Json) -> Iterator[str]:
    """What a request is not taken with, or not taken without any more."""
    for field in sorted(old.get("properties", {}).keys() - new.get("properties", {}).keys()):
        yield f"the field {field} is gone"
    for field in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"the field {field} must be given now"


def _text(document: Json) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
