"""`gridweave firmware verify`: what it says, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.client.firmware import Bundle
from tests.e2e.differential.fleet import MODEL
from tests.e2e.firmware.factory import IMAGE, MAX_AGE, Factory

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


def test_verify__given_files__says_yes_or_why_not(factory: Factory, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "r5.bundle").write_bytes(bundle.encode())
    (tmp_path / "r5.bin").write_bytes(IMAGE)
    trust = factory.trust()
    body = {
        "chainId": trust.chain_id,
        "registry": trust.registry,
        "keys": {"version": 1, "threshold": 3, "members": list(trust.keys.members)},
        "witnesses": sorted(trust.witnesses),
        "witnessThreshold": 2,
        "maxAge": MAX_AGE,
    }
    (tmp_path / "trust.json").write_text(json.dumps(body))
    arguments = [
        *(
            "firmware",
            "verify",
            str(tmp_path / "r5.bundle"),
            "--image",
            str(tmp_path / "r5.bin"),
            "--model",
            str(MODEL),
        ),
        *("--device", factory.device(5).device, "--trust", str(tmp_path / "trust.json"), "--now", str(factory.now)),
    ]
    taken = CliRunner().invoke(app, [*arguments, "--counter", "4", "--json"])
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["counter"] == 5
    refused = CliRunner().invoke(app, [*arguments, "--counter", "5", "--json"])
    assert refused.exit_code == 1
    assert json.loads(refused.stderr)["error"] == {
        "name": "CounterNotNewer",
        "message": "counter 5, current 5",
        "args": {"counter": 5, "current": 5},
    }
    (tmp_path / "trust.json").write_text("{}")
    assert CliRunner().invoke(app, [*arguments, "--counter", "4"]).exit_code == 2
