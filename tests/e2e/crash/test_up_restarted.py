"""`gridweave up` is killed whole, chain and service, and goes on: a restart is a reorg to the newest snapshot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridweave.chain import LocalCurrency, NetworkProfile, Node, Signer
from gridweave.client.service import GridweaveClient
from gridweave.client.stewards import Steward
from gridweave.client.wallet import Wallet
from gridweave.domain.acts import Permit
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.signatures import sign_compact, to_rsv
from gridweave.localnet import DevKeys, Home, free_port
from tests.support.market_terms import make_terms
from tests.support.town import FOREVER

pytestmark = [pytest.mark.chain, pytest.mark.slow]

_UP = "import sys; from gridweave.cli import main; main(sys.argv[1:])"


class Up:
    """A running `gridweave up` in a folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        arguments = ["up", "--home", str(self.home), "--port", str(self.port), "--snapshot-seconds", "2"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GRIDWEAVE_")}
        with (self.home.parent / "up.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once, and kill must not wait
                [sys.executable, "-c", _UP, *arguments], stdout=log, stderr=log, env=environment, start_new_session=True
            )
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(60):
            while True:
                assert self._process.poll() is None, (self.home.parent / "up.log").read_text()[-2_000:]
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    def end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(30)


async def until(http: httpx.AsyncClient, path: str, holds: Any) -> Any:
    async with asyncio.timeout(40):
        while True:
            answer = await http.get(path)
            if answer.status_code == 200 and holds(answer.json()):
                return answer.json()
            await asyncio.sleep(0.2)


async def test_up__killed_and_restarted__goes_on_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    up = Up(tmp_path / "up")
    try:
        await up.start()
        keys = DevKeys.load_or_draw(Home(up.home).keys)
        market = await asyncio.to_thread(open_market, up.url, keys)
        async with httpx.AsyncClient(base_url=up.url, trust_env=False, timeout=20) as http:
            await until(http, f"/v1/requests/{market}", lambda state: state["final"])
            block = await mint(http, up.home, keys["admin"], keys["utility"].address)
            await until(http, "/v1/deployment", lambda here: here["finalBlock"] >= block)
            deposits = [await post_deposit(http, keys, nonce) for nonce in range(2)]
            await until(http, f"/v1/requests/{deposits[1]}", lambda state: state["status"] == "committed")
            deposits.append(await post_deposit(http, keys, 2))
            up.end(signal.SIGKILL)
            await up.start()
            for id_ in deposits:
                await until(http, f"/v1/requests/{id_}", lambda state: state["status"] == "committed")
            account = (await http.get(f"/v1/accounts/{keys['utility'].address}")).json()
            assert account["availableMicro"] == 3_000_000
            assert [m["market"] for m in (await http.get("/v1/markets")).json()["items"]] == [1]
            up.end(signal.SIGTERM)
            await up.start()
            account = (await http.get(f"/v1/accounts/{keys['utility'].address}")).json()
            assert account["availableMicro"] == 3_000_000
            await until(http, f"/v1/requests/{deposits[-1]}", lambda state: state["final"])
    finally:
        up.end(signal.SIGKILL)


def open_market(url: str, keys: DevKeys) -> str:
    """A market by the client's own means; the request's id."""
    with GridweaveClient(url) as client:
        terms = make_terms(utility=keys["utility"].address, operator=keys["operator"].address)
        utility = Steward(client, Wallet(keys["utility"].secret)).underwrite(terms, FOREVER)
        return Steward(client, Wallet(keys["operator"].secret)).create_market(terms, utility, FOREVER).id


async def post_deposit(http: httpx.AsyncClient, keys: DevKeys, nonce: int) -> str:
    """A unit of the utility's tokens into its account, through the service."""
    here = (await http.get("/v1/deployment")).json()
    permit = Permit(keys["utility"].address, here["contracts"]["Vault"], 1_000_000, nonce, FOREVER)
    domain = Domain.of("LocalCurrency", here["chainId"], here["contracts"]["LocalCurrency"])
    signature = to_rsv(sign_compact(keys["utility"].secret, digest(domain, permit)))
    body = {"account": permit.owner, "amountMicro": permit.value, "deadline": FOREVER}
    answer = await http.post("/v1/deposits", json=body | {"signature": "0x" + signature.hex()})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def mint(http: httpx.AsyncClient, home: Path, admin: Signer, to: str) -> int:
    """Three units straight on the chain; the block that holds them."""
    here = (await http.get("/v1/deployment")).json()
    info = Home(home).info()
    assert info is not None
    async with Node(info.url) as node:
        call = LocalCurrency(node, here["contracts"]["LocalCurrency"]).mint(to, 3_000_000)
        fees = NetworkProfile(chain_id=here["chainId"]).fees((await node.head()).base_fee)
        nonce = await node.nonce(admin.address)
        signed = admin.sign(call, nonce=nonce, gas=200_000, fees=fees, chain_id=here["chainId"])
        return (await node.wait_for_receipt(await node.send_raw(signed.raw), within=20.0)).block_number
