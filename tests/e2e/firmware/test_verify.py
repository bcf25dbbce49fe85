"""`gridweave firmware`: from an image to a bundle to a device's yes or no, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gridweave.cli import app
from gridweave.client.firmware import Bundle
from gridweave.deployment import Deployment
from gridweave.deployment.record import ContractVersion
from tests.e2e.differential.fleet import MODEL
from tests.e2e.firmware.factory import IMAGE, MAX_AGE, WITNESSES, Factory

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


@pytest.fixture
def files(factory: Factory, bundle: Bundle, tmp_path: Path) -> Path:
    """A device's own: bundle, image, and what it trusts."""
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
    return tmp_path


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, ["firmware", *map(str, arguments)], env=environment)


def verify(factory: Factory, files: Path, counter: int, *more: object) -> Result:
    given = ["--image", files / "r5.bin", "--trust", files / "trust.json", "--model", MODEL, "--counter", counter]
    given += ["--device", factory.device(5).device, "--now", factory.now, *more]
    return run("verify", files / "r5.bundle", *given)


def test_verify__given_a_release_that_holds__says_what_to_keep(factory: Factory, files: Path) -> None:
    taken = verify(factory, files, 4, "--json")
    assert taken.exit_code == 0, taken.output
    body = json.loads(taken.stdout)
    assert (body["counter"], body["state"], body["shareBp"]) == (5, "full", 10_000)
    assert body["keep"]["keys"]["version"] == 1
    assert "may be installed: release 5 of model 7" in verify(factory, files, 4).stdout


def test_verify__given_a_rollback__exits_1_and_names_it(factory: Factory, files: Path) -> None:
    refused = verify(factory, files, 5, "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stderr)["error"] == {
        "name": "CounterNotNewer",
        "message": "counter 5, current 5. Rollback: the device runs `current`, which is as new or newer.",
        "args": {"counter": 5, "current": 5},
    }


def test_verify__given_no_bundle__exits_1_and_names_it(factory: Factory, files: Path) -> None:
    (files / "r5.bundle").write_bytes(b"\xa0")
    refused = verify(factory, files, 4)
    assert refused.exit_code == 1
    assert "BundleMalformed" in refused.stderr


@pytest.mark.parametrize("body", ["{}", "[", '{"chainId": 1, "registry": "0x12", "keys": {}}'])
def test_verify__given_no_trust__exits_2(factory: Factory, files: Path, body: str) -> None:
    (files / "trust.json").write_text(body)
    assert verify(factory, files, 4).exit_code == 2


def test_verify__given_no_such_file_or_address__exits_2(factory: Factory, files: Path) -> None:
    assert verify(factory, files, 4, "--device", "0x12").exit_code == 2
    assert verify(factory, files, 4, "--block", "0x12").exit_code == 2
    assert verify(factory, files, 4, "--image", files / "nothing").exit_code == 2


def test_manifest__of_an_image__is_what_its_release_names(factory: Factory, files: Path) -> None:
    place = ["--maker", factory.fleet.maker.address, "--chain-id", factory.chain.chain_id, "--out", files / "r5.suit"]
    made = run(
        *("manifest", "--image", files / "r5.bin", "--model", MODEL, "--counter", 5),
        *(*place, "--uri", "https://example.org/image", "--json"),
    )
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["manifestHash"] == "0x" + factory.releases[5].manifest_hash.hex()
    assert (files / "r5.suit").read_bytes() == factory.envelopes[5]


def test_bundle__of_a_release__is_taken_by_a_device(factory: Factory, files: Path) -> None:
    (files / "r5.suit").write_bytes(factory.envelopes[5])
    record = Deployment(
        factory.chain.chain_id, "0x" + "00" * 32, factory.chain.sender, 900, 604_800, 1, own_currency=True, block=0
    )
    version = ContractVersion(factory.registry.address, 0, "")
    record.with_contract("FirmwareRegistry", version).save(files / "deployment.json")
    for number, wallet in enumerate(WITNESSES[:2]):
        wallet.save(files / "keys" / f"witness{number}.json", "secret")
    made = run(
        *("bundle", files / "r5.suit", "--model", MODEL, "--counter", 5, "--out", files / "r5.bundle"),
        *("--witness", "witness0", "--witness", "witness1", "--keystore", files / "keys"),
        *("--rpc", f"http://127.0.0.1:{factory.chain._port}", "--deployment", files / "deployment.json"),
        GRIDWEAVE_PASSWORD="secret",
    )
    assert made.exit_code == 0, made.output
    assert verify(factory, files, 4).exit_code == 0
    missing = run(
        *("bundle", files / "r5.suit", "--model", MODEL, "--counter", 99, "--out", files / "no.bundle"),
        *("--rpc", f"http://127.0.0.1:{factory.chain._port}", "--deployment", files / "deployment.json"),
    )
    assert missing.exit_code == 2
    assert "has no release 99" in missing.stderr
