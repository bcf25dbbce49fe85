"""One seed for a whole run: printed at its start, set by GRIDWEAVE_SEED, and enough to run it again."""

from __future__ import annotations

import os
import random
import zlib

DEFAULT = 20_160_621


def run_seed() -> int:
    """The seed of this run: GRIDWEAVE_SEED, or the fixed default."""
    return int(os.environ.get("GRIDWEAVE_SEED", DEFAULT))


def seeded(name: str) -> random.Random:
    """A generator of its own for the test `name`: the same in every run with the same seed, whatever ran before."""
    return random.Random(run_seed() << 32 | zlib.crc32(name.encode()))
