"""The tools are scripts, not a package: their folder goes on the path, behind everything else."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts" / "tools"))
