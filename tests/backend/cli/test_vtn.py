"""The VTN's clients on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.services.vtn.clients import Clients


def run(folder: Path, *arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["vtn", "client", *arguments, "--data-dir", str(folder), "--json"])
    return done.exit_code, json.loads(done.stdout or done.stderr)


def test_client__added_listed_and_removed__has_its_secret_shown_once(tmp_path: Path) -> None:
    status, added = run(tmp_path, "add", "bakery", "--role", "ven", "--ven-name", "BAKERY-1")
    assert status == 0
    found = Clients(tmp_path / "vtn-clients.json").knows("bakery", added["clientSecret"])
    assert found is not None
    told = {"clientId": "bakery", "role": "ven", "venName": "BAKERY-1"}
    assert run(tmp_path, "list") == (0, [told])
    assert run(tmp_path, "remove", "bakery") == (0, {"removed": "bakery"})
    assert run(tmp_path, "list") == (0, [])


def test_client__that_is_there_or_is_not__is_refused(tmp_path: Path) -> None:
    run(tmp_path, "add", "bakery", "--role", "ven")
    for arguments in (("add", "bakery", "--role", "bl"), ("remove", "nobody")):
        status, told = run(tmp_path, *arguments)
        assert (status, told["error"]["name"]) == (1, "ClientRefused")
