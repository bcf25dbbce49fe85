"""`gridweave deploy` as a program: what it prints, its exit codes, and kill -9."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from gridweave.deployment import Deployment, check
from gridweave.deployment.steps import CONTRACTS
from gridweave.localnet import Clock, DevKeys, free_port, localnet

pytestmark = pytest.mark.chain

RUN = "from gridweave.cli import main; main()"
TRANSACTIONS = len(CONTRACTS) + 1


@pytest.fixture
async def chain(tmp_path):
    async with localnet(tmp_path / "chain", clock=Clock.REAL, block_seconds=0.05) as running:
        yield running


def _start(*arguments):
    return asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, "deploy", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def _run(*arguments):
    process = await _start(*arguments)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def _options(chain, tmp_path):
    key = DevKeys.path(chain.home.keys, "admin")
    return ("--rpc", chain.url, "--key-file", str(key), "--record", str(tmp_path / "deployment.json"))


async def test_deploy__given_no_node__exits_3(tmp_path):
    key = tmp_path / "dev-key"
    key.write_text("0x" + "42" * 32)
    nowhere = f"http://127.0.0.1:{free_port()}"
    code, _, err = await _run("--rpc", nowhere, "--key-file", str(key), "--record", str(tmp_path / "deployment.json"))
    assert code == 3
    assert nowhere in err


async def test_deploy__given_no_key__exits_4():
    code, _, err = await _run("--rpc", "http://127.0.0.1:1", "--key-env", "NO_SUCH_KEY")
    assert code == 4
    assert "NO_SUCH_KEY" in err


async def test_deploy__given_a_compensation_that_is_no_amount__exits_2(tmp_path):
    key = tmp_path / "dev-key"
    key.write_text("0x" + "42" * 32)
    code, _, err = await _run("--rpc", "http://127.0.0.1:1", "--key-file", str(key), "--compensation", "a lot")
    assert code == 2
    assert "an amount is a decimal number" in err


async def test_deploy__given_another_network_s_name__exits_1_and_sends_nothing(chain, tmp_path):
    code, _, err = await _run(*_options(chain, tmp_path), "--network", "sepolia")
    assert code == 1
    assert f"network sepolia is chain 11155111, not {chain.chain_id}" in err
    assert not (tmp_path / "deployment.json").exists()
    assert await chain.node.nonce(chain.keys["admin"].address) == 0


async def test_check__given_no_record__exits_1(tmp_path):
    code, _, err = await _run("--rpc", "http://127.0.0.1:1", "--check", "--record", str(tmp_path / "deployment.json"))
    assert code == 1
    assert "does not exist" in err


async def test_deploy__given_a_dry_run__prints_the_plan_and_sends_nothing(chain, tmp_path):
    code, out, err = await _run(*_options(chain, tmp_path), "--dry-run", "--json")
    assert code == 0, err
    planned = json.loads(out)
    assert planned["transactions"] == TRANSACTIONS
    assert planned["chainId"] == chain.chain_id
    assert await chain.node.nonce(chain.keys["admin"].address) == 0


async def test_deploy__given_a_chain__deploys_once_and_checks(chain, tmp_path):
    options = (*_options(chain, tmp_path), "--compensation", "2.5")
    code, out, err = await _run(*options, "--json")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["ok"]
    assert set(shown["contracts"]) == {creation.name for creation in CONTRACTS}
    assert Deployment.load(tmp_path / "deployment.json").compensation == 2_500_000
    again, out, err = await _run(*options)
    assert again == 0, err
    assert "0 transactions" in out
    assert await chain.node.nonce(chain.keys["admin"].address) == TRANSACTIONS


async def test_check__given_other_code__exits_1_and_names_it(chain, tmp_path):
    await _run(*_options(chain, tmp_path), "--json")
    deployment = Deployment.load(tmp_path / "deployment.json")
    await chain.node.request("anvil_setCode", deployment.addresses["Vault"], "0x00")
    code, out, _ = await _run(*_options(chain, tmp_path), "--check")
    assert code == 1
    assert "Vault" in out


@pytest.mark.slow
async def test_deploy__when_killed_at_random_instants__is_deployed_once_in_the_end(chain, tmp_path, rng):
    options = _options(chain, tmp_path)
    for _ in range(8):
        process = await _start(*options, "--json")
        try:
            async with asyncio.timeout(rng.uniform(0.6, 1.6)):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    code, _, err = await _run(*options, "--json")
    assert code == 0, err
    deployment = Deployment.load(tmp_path / "deployment.json")
    assert await check(chain.node, deployment) == []
    assert await chain.node.nonce(chain.keys["admin"].address) == TRANSACTIONS
