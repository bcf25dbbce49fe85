"""`gridweave keep`, as processes: several at once, one of them killed, and in the end everything was done once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridweave.localnet import DevKeys
from tests.support.service import served
from tests.support.town import Town, founded

pytestmark = pytest.mark.chain

_KEEP = "import sys; from gridweave.cli import main; main(sys.argv[1:])"
_WITHIN = 90.0


def keeper(town: Town, folder: Path, role: str, log: str = "") -> subprocess.Popen[bytes]:
    """A keeper that ends once nothing is due; `role`'s key pays its gas."""
    settings = {"FINALITY_DEPTH": 3, "PRIORITY_FEE_WEI": 0, "POLL_MS": 50, "BATCH_WINDOW_MS": 50, "RESEND_MS": 1_000}
    arguments = {
        "--rpc": town.chain.url,
        "--deployment": town.chain.home.deployment_file,
        "--data-dir": folder / role,
        "--key-file": DevKeys.path(town.chain.home.keys, role),
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    with (folder / f"{log or role}.log").open("ab") as written:
        return subprocess.Popen(
            [sys.executable, "-c", _KEEP, "keep", *words, "--once"],
            env=os.environ | {f"GRIDWEAVE_{name}": str(value) for name, value in settings.items()},
            stdout=written,
            stderr=written,
        )


async def test_keep__two_at_once_and_one_killed__everything_is_done_once(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=3) as town:
        slots = [await town.open_slot(at) for at in range(3)]
        async with served(town, tmp_path / "service") as service:
            orders = [town.bid(town.homes[0], slot) for slot in slots] + [
                town.ask(town.homes[1], slot) for slot in slots
            ]
            await service.done(*await service.accept("orders", {"orders": orders}))
        await town.chain.mine(town.terms.reading_deadline(slots[-1], town.clock))

        keepers = {role: keeper(town, tmp_path, role) for role in ("relayer", "operator")}
        await asyncio.sleep(3)
        second = keeper(town, tmp_path, "relayer", log="second")
        assert await asyncio.to_thread(second.wait) != 0
        assert "another service or keeper works with" in (tmp_path / "second.log").read_text()
        keepers["relayer"].kill()
        await asyncio.to_thread(keepers["relayer"].wait)
        keepers["relayer"] = keeper(town, tmp_path, "relayer")
        async with asyncio.timeout(_WITHIN):
            while any(process.poll() is None for process in keepers.values()):
                await town.chain.mine()
                await asyncio.sleep(0.1)
        words = {role: (tmp_path / f"{role}.log").read_text() for role in keepers}
        assert {role: process.returncode for role, process in keepers.items()} == dict.fromkeys(keepers, 0), words
        assert all(said.endswith("nothing is due\n") for said in words.values())

        async with served(town, tmp_path / "after") as service:
            span = {"from": slots[0], "to": slots[-1]}
            balance = await service.get("markets/1/balance", **span)
            assert [(row["slot"], row["meters"], row["closed"]) for row in balance["slots"]] == [
                (s, 3, True) for s in slots
            ]
            assert balance["totals"]["tradedWh"] == 3_000
            bills = [await service.get(f"accounts/{home.account}/bill", **span) for home in town.homes]
            paid = sum(bill["totals"]["cashMicro"] for bill in bills)
            assert paid + balance["totals"]["utilityMicro"] + balance["totals"]["operatorMicro"] == 0


async def test_keep__what_is_due_is_refused_each_time__says_so_and_fails(tmp_path: Path) -> None:
    async with founded(tmp_path / "chain", homes=1) as town:
        slot = await town.open_slot()
        async with served(town, tmp_path / "service") as service:
            await service.done(*await service.accept("orders", town.bid(town.homes[0], slot)))
        await town.chain.mine(town.terms.gate(slot, town.clock))
        await town.chain.node.request("anvil_setCode", town.contracts.auction.address, "0x60006000fd")
        refused = keeper(town, tmp_path, "operator")
        async with asyncio.timeout(_WITHIN):
            while refused.poll() is None:
                await town.chain.mine()
                await asyncio.sleep(0.3)
        said = " ".join((tmp_path / "operator.log").read_text().replace("│", " ").split())
        assert refused.returncode == 1, said
        assert "what is due is refused each time (1 clearings or settlements): run it again later" in said
