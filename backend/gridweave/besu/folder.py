"""A network's folder on disk: written once, keys for their owner's eyes alone, never over something that is there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from gridweave.besu.genesis import config_toml, genesis, network_toml, readme, static_nodes
from gridweave.besu.plan import BesuPlan, Validator

__all__ = ["FolderTaken", "write_network"]


class FolderTaken(Exception):
    """Something is in the folder already: a network's keys are never overwritten."""


def write_network(plan: BesuPlan, folder: Path) -> None:
    """Writes everything to `folder`, which must be empty or not there. Raises FolderTaken, OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(f"{folder} is not empty: name a new folder with --out")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_json(folder / "genesis.json", genesis(plan))
    _write_json(folder / "static-nodes.json", static_nodes(plan))
    (folder / "networks.toml").write_text(network_toml(plan))
    (folder / "README.txt").write_text(readme(plan))
    for validator in plan.validators:
        _write_node(validator, folder / validator.folder)


def _write_node(validator: Validator, folder: Path) -> None:
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    (folder / "config.toml").write_text(config_toml(validator))
    (folder / "address").write_text(validator.address + "\n")
    _write_secret(data / "key", f"0x{validator.secret.hex()}\n")
    (data / "key.pub").write_text(f"0x{validator.public_key.hex()}\n")


def _write_secret(path: Path, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as secret:
        secret.write(text)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
