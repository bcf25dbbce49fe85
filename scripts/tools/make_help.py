"""Print the Makefile's targets and what each does."""

from __future__ import annotations

import re
from pathlib import Path

TARGET = re.compile(r"^([a-z-]+):.*?## (.*)$", re.MULTILINE)

if __name__ == "__main__":
    makefile = Path(__file__).resolve().parents[2] / "Makefile"
    for name, text in TARGET.findall(makefile.read_text()):
        print(f"  make {name:<14} {text}")
