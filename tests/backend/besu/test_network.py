"""A generated Besu network: files against their schemas, keys against the genesis. Besu itself is not run."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from typer.testing import CliRunner, Result

from gridweave.besu import BesuPlan, FolderTaken, PlanUnusable, decode_extra_data, write_network
from gridweave.chain import find_network, load_signer
from gridweave.cli import app
from gridweave.domain.signatures import secp256k1_point

HERE = Path(__file__).parent
CHAIN_ID = 47_110_815
DEPLOYER = "0x" + "42" * 20


def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((HERE / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _generate(*more: str, out: Path) -> Result:
    arguments = ["networks", "besu", "--chain-id", str(CHAIN_ID), "--out", str(out), "--account", DEPLOYER, *more]
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_network__of_any_size__is_what_besu_s_documentation_asks_for(tmp_path: Path, count: int) -> None:
    folder = tmp_path / "besu"
    assert _generate("--validators", str(count), out=folder).exit_code == 0
    genesis: dict[str, Any] = json.loads((folder / "genesis.json").read_text())
    _validator("genesis").validate(genesis)
    nodes = json.loads((folder / "static-nodes.json").read_text())
    assert len(nodes) == len(set(nodes)) == count
    validators = set()
    for number in range(1, count + 1):
        node = folder / f"node-{number}"
        config = tomllib.loads((node / "config.toml").read_text())
        _validator("node").validate(config)
        assert json.loads((node / config["genesis-file"]).read_text()) == genesis
        assert json.loads((node / config["static-nodes-file"]).read_text()) == nodes
        signer = load_signer(key_file=node / config["data-path"] / "key")
        public = b"".join(secp256k1_point(signer.secret)).hex()
        assert (node / "data/key.pub").read_text().strip() == "0x" + public
        assert (node / "address").read_text().strip() == signer.address
        assert nodes[number - 1] == f"enode://{public}@{config['p2p-host']}:{config['p2p-port']}"
        validators.add(signer.address)
    assert set(decode_extra_data(bytes.fromhex(genesis["extraData"][2:])).validators) == validators
    assert list(genesis["alloc"]) == [DEPLOYER[2:]]


def test_network__gas__is_free_at_genesis_at_every_node_and_in_gridweave_s_own_description(tmp_path: Path) -> None:
    _generate(out=tmp_path / "besu")
    config = json.loads((tmp_path / "besu/genesis.json").read_text())["config"]
    assert (config["londonBlock"], config["zeroBaseFee"]) == (0, True)
    node = tomllib.loads((tmp_path / "besu/node-1/config.toml").read_text())
    assert node["min-gas-price"] == 0
    profile = find_network(f"besu-{CHAIN_ID}", tmp_path / "besu/networks.toml").profile(CHAIN_ID)
    assert (profile.fees(0).most, profile.fees(None).most, profile.finality_depth) == (0, 0, 0)


def test_network__keys__are_for_their_owner_alone(tmp_path: Path) -> None:
    _generate(out=tmp_path / "besu")
    for number in range(1, 5):
        data = tmp_path / f"besu/node-{number}/data"
        assert stat.S_IMODE((data / "key").stat().st_mode) == 0o600
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_network__twice__draws_other_keys(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _generate(out=tmp_path / name)
    assert (tmp_path / "one/genesis.json").read_text() != (tmp_path / "two/genesis.json").read_text()


def test_network__a_folder_with_something_in_it__is_left_alone(tmp_path: Path) -> None:
    _generate(out=tmp_path)
    before = (tmp_path / "genesis.json").read_text()
    result = _generate(out=tmp_path)
    assert result.exit_code == 1
    assert "is not empty: name a new folder with --out" in result.stderr
    assert (tmp_path / "genesis.json").read_text() == before
    with pytest.raises(FolderTaken):
        write_network(BesuPlan.draw(4, CHAIN_ID), tmp_path)


def test_network__hosts__listen_on_the_same_ports_unless_they_share_one(tmp_path: Path) -> None:
    hosts = ["10.0.0.1", "10.0.0.2", "fd00::3", "10.0.0.1"]
    options = [part for host in hosts for part in ("--host", host)]
    result = _generate(*options, "--json", out=tmp_path / "besu")
    enodes = [node["enode"].partition("@")[2] for node in json.loads(result.stdout)["validators"]]
    assert enodes == ["10.0.0.1:30303", "10.0.0.2:30303", "[fd00::3]:30303", "10.0.0.1:30304"]


def test_plan__port_ranges_that_only_touch__are_taken() -> None:
    plan = BesuPlan.draw(4, CHAIN_ID, p2p_port=8_549)
    assert (plan.validators[-1].rpc_port, plan.validators[0].p2p_port) == (8_548, 8_549)
    BesuPlan.draw(2, CHAIN_ID, hosts=("10.0.0.1", "10.0.0.2"), p2p_port=8_546)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"count": 0}, "0 validators: give between 1 and 100"),
        ({"chain_id": 0}, "a chain id is 1 or more"),
        ({"hosts": ("10.0.0.1",)}, "1 hosts for 4 validators"),
        ({"hosts": ("node.example",) * 4}, "host node.example is no IP address"),
        ({"hosts": ("fe80::1%eth0",) * 4}, "host fe80::1%eth0 names a network interface of one machine"),
        ({"p2p_port": 8_548}, "set --p2p-port and --rpc-port at least 4 apart"),
        ({"p2p_port": 8_542}, "set --p2p-port and --rpc-port at least 4 apart"),
        ({"hosts": ("::1", "0::1", "10.0.0.1", "10.0.0.2"), "p2p_port": 8_546}, "at least 2 apart"),
        ({"accounts": ("0x42",)}, "0x42 is no address"),
        ({"p2p_port": 65_534}, "port 65536 of validator 3"),
        ({"block_seconds": 0}, "give at least 1"),
    ],
)
def test_plan__that_cannot_be__says_what_to_change(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanUnusable) as raised:
        BesuPlan.draw(**({"count": 4, "chain_id": CHAIN_ID} | changes))
    assert said in str(raised.value)


def test_help__says_how_many_validators_it_takes() -> None:
    shown = " ".join(CliRunner().invoke(app, ["networks", "besu", "--help"]).stdout.replace("│", " ").split())
    assert "at least 4 validators" in shown
    assert "Nothing is started" in shown


def test_plan__shown__never_shows_a_key() -> None:
    plan = BesuPlan.draw(4, CHAIN_ID)
    assert not [node for node in plan.validators if str(node.secret) in repr(plan) or node.secret.hex() in repr(plan)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("difficulty",), "0x2"),
        (("extraData",), "0x0"),
        (("config", "qbft", "blockperiodseconds"), 0),
        (("config", "qbft", "blockPeriod"), 5),
        (("config", "chainId"), "5"),
        (("alloc", DEPLOYER), {"balance": "0x1"}),
        (("gasLimit",), 30_000_000),
    ],
)
def test_schema__given_a_genesis_with_a_fault__refuses_it(tmp_path: Path, path: tuple[str, ...], value: Any) -> None:
    """The schema is no rubber stamp."""
    _generate(out=tmp_path / "besu")
    genesis = json.loads((tmp_path / "besu/genesis.json").read_text())
    *way, last = path
    place = genesis
    for name in way:
        place = place[name]
    place[last] = value
    with pytest.raises(ValidationError):
        _validator("genesis").validate(genesis)
