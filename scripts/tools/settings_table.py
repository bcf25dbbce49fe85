"""Write the table of every setting into docs/operations.md, from the settings themselves.

settings_table.py           write it
settings_table.py --check   fail when it is not what the settings say
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from gridweave.services.settings import PREFIX, Settings
from layout import ROOT

PAGE = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- settings: written by scripts/tools/settings_table.py -->\n", "<!-- settings end -->\n"


def main() -> int:
    """Entry point of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page())
    faults = check()
    print("\n".join(faults) if faults else f"settings: {len(Settings.model_fields)} told")
    return 1 if faults else 0


def check() -> list[str]:
    """Faults of the page, each a sentence."""
    untold = [name for name, field in Settings.model_fields.items() if not field.description]
    faults = [f"services/settings.py: {name} has no description" for name in untold]
    return faults + ([] if PAGE.read_text() == page() else ["docs/operations.md is stale: run settings_table.py"])


def page() -> str:
    """The page with the table as it should be."""
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def table() -> str:
    """A row per setting."""
    rows = ["| variable | default | what it is |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "the network's"
    if value in (None, "", ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


if __name__ == "__main__":
    sys.exit(main())
