"""The local chain: an identity of its own, two clocks, and what survives the end of a process."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import stat
import time

import pytest

from gridweave.chain import Call, Node
from gridweave.deployment import check
from gridweave.localnet import Clock, Home, LocalnetBusy, LocalnetError, ManualClock, find_anvil, free_port, localnet
from gridweave.localnet.errors import AnvilMissing

pytestmark = pytest.mark.chain

T0 = 1_600_000_000
STRANGER = "0x" + "77" * 20


def _manual(path, **options):
    return localnet(path, **{"clock": Clock.MANUAL, "genesis_time": T0, "snapshot_seconds": 3_600, **options})


async def _pay(chain, value=1):
    signer = chain.keys["relayer"]
    head = await chain.node.head()
    signed = signer.sign(
        Call(STRANGER, b"", value=value),
        nonce=await chain.node.nonce(signer.address),
        gas=21_000,
        fees=chain.profile().fees(head.base_fee),
        chain_id=chain.chain_id,
    )
    await chain.node.send_raw(signed.raw)
    await chain.mine()
    return signed.hash


async def _until_restarted(chain, old_pid):
    async with asyncio.timeout(20):
        while True:
            if chain.anvil_pid not in (0, old_pid):
                return
            await asyncio.sleep(0.02)


def test_find_anvil__given_none_anywhere__names_the_next_step(monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(AnvilMissing, match="npm install"):
        find_anvil()


async def test_localnet__given_two_folders__draws_two_chain_ids_and_keys(tmp_path):
    async with _manual(tmp_path / "a") as one, _manual(tmp_path / "b") as two:
        assert one.chain_id != two.chain_id
        assert await one.node.chain_id() == one.chain_id
        assert not set(one.keys.addresses.values()) & set(two.keys.addresses.values())


async def test_localnet__given_a_new_chain__funds_its_keys_and_keeps_them_private(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        for role, address in chain.keys.addresses.items():
            assert await chain.node.balance(address) > 10**20
            assert stat.S_IMODE((chain.home.keys / f"{role}.dev-key").stat().st_mode) == 0o600


async def test_localnet__given_a_folder_in_use__refuses(tmp_path):
    async with _manual(tmp_path / "a"):
        with pytest.raises(LocalnetBusy):
            async with _manual(tmp_path / "a"):
                pass


async def test_localnet__given_another_clock_than_it_was_made_with__refuses(tmp_path):
    async with _manual(tmp_path / "a"):
        pass
    with pytest.raises(LocalnetError, match="manual clock"):
        async with localnet(tmp_path / "a", clock=Clock.REAL):
            pass


async def test_localnet__given_a_port_in_use__refuses_it_when_asked_and_moves_otherwise(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        taken = chain.info.port
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", taken)
    async with server:
        with pytest.raises(LocalnetError, match="in use"):
            async with _manual(tmp_path / "a", port=taken):
                pass
        async with _manual(tmp_path / "a") as moved:
            assert moved.info.port != taken
            assert await moved.node.chain_id() == chain.chain_id


async def test_localnet__given_a_damaged_identity__says_what_to_do(tmp_path):
    (tmp_path / "chain.json").write_text("{}")
    with pytest.raises(LocalnetError, match="begin anew"):
        async with _manual(tmp_path):
            pass


async def test_mine__given_timestamps__moves_time_there_and_never_back(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        assert (await chain.mine(T0 + 900)).timestamp == T0 + 900
        assert (await chain.mine(T0)).timestamp == T0 + 900
        assert (await chain.mine()).timestamp == T0 + 901


async def test_manual_clock__from_outside__makes_blocks(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        with ManualClock(chain.url) as clock:
            assert await asyncio.to_thread(clock.mine, T0 + 900) == T0 + 900
            assert await asyncio.to_thread(clock.mine) == T0 + 901
        node = chain.node
        await node.request("evm_setNextBlockTimestamp", T0 + 5_000)
        await node.request("evm_mine")
        assert (await node.head()).timestamp == T0 + 5_000


async def test_real_clock__after_deploying__follows_the_wall_clock(tmp_path):
    async with localnet(tmp_path / "a", clock=Clock.REAL) as chain:
        deployment = await chain.deploy()
        await asyncio.sleep(2.2)
        head = await chain.node.head()
        before = await chain.node.block(head.number - 1)
        assert abs(head.timestamp - time.time()) < 10
        assert head.timestamp > before.timestamp
        assert await check(chain.node, deployment) == []


async def test_close__given_blocks_since_the_last_snapshot__keeps_them(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        deployment = await chain.deploy()
        payment = await _pay(chain, 5)
        head = await chain.node.head()
    async with _manual(tmp_path / "a") as again:
        assert await again.node.head() == head
        assert (await again.node.receipt(payment)).succeeded
        assert await again.node.balance(STRANGER) == 5
        assert again.chain_id == chain.chain_id
        assert await again.deploy() == deployment
        assert await again.node.block_number() == head.number
        assert (await again.mine()).parent_hash == head.hash


async def test_supervision__when_anvil_is_killed__goes_back_to_the_snapshot_and_on(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        deployment = await chain.deploy()
        kept = await _pay(chain, 5)
        final = await chain.snapshot()
        lost = await _pay(chain, 7)
        assert chain.profile().final_block(10**6) == final
        pid = chain.anvil_pid
        os.kill(pid, signal.SIGKILL)
        await _until_restarted(chain, pid)
        assert (await chain.node.receipt(kept)).succeeded
        assert await chain.node.receipt(lost) is None
        assert await chain.node.balance(STRANGER) == 5
        assert await check(chain.node, deployment) == []


async def test_snapshot__when_another_process_mines_meanwhile__is_void_and_tried_again(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        node, other = chain.node, Node(chain.url)
        dump = node.request

        async def dump_while_mining(method, *params):
            result = await dump(method, *params)
            if method == "anvil_dumpState" and disturbances:
                disturbances.pop()
                await other.request("evm_mine")
            return result

        disturbances = [1, 2]
        node.request = dump_while_mining
        final = await chain.snapshot()
        assert not disturbances
        assert final == await other.block_number()
        await other.aclose()


async def test_snapshots__given_many__keeps_the_newest_two(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        finals = []
        for _ in range(4):
            await chain.mine()
            finals.append(await chain.snapshot())
        kept = sorted(int(path.name[:10]) for path in chain.home.snapshots.iterdir())
        assert kept == finals[-2:]
        assert json.loads(chain.home.final_file.read_text())["block"] == finals[-1]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other state"])
async def test_open__given_a_damaged_newest_snapshot__goes_on_from_the_one_before(tmp_path, damage):
    async with _manual(tmp_path / "a") as chain:
        await _pay(chain, 5)
        whole = await chain.snapshot()
        await _pay(chain, 7)
    newest = max(chain.home.snapshots.iterdir())
    content = newest.read_bytes()
    state = json.loads(gzip.decompress(content))
    state["accounts"][STRANGER]["balance"] = "0x63"
    newest.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "flipped": content[:400] + bytes([content[400] ^ 1]) + content[401:],
            "empty": b"",
            "other state": gzip.compress(json.dumps(state).encode()),
        }[damage]
    )
    async with _manual(tmp_path / "a") as again:
        assert await again.node.block_number() == whole
        assert await again.node.balance(STRANGER) == 5
        assert again.profile().final_block(10**6) == whole
        assert newest.with_suffix(".unusable").exists()


async def test_open__given_no_snapshot_that_loads__refuses_to_begin_anew(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        await chain.mine()
    for path in chain.home.snapshots.iterdir():
        path.write_bytes(b"")
    with pytest.raises(LocalnetError, match="no snapshot"):
        async with _manual(tmp_path / "a"):
            pass


async def test_open__given_a_chain_killed_before_its_first_snapshot__is_the_same_chain(tmp_path):
    home = Home(tmp_path / "a")
    with home.lock():
        info = home.create(Clock.MANUAL, free_port(), T0)
    async with _manual(tmp_path / "a") as chain:
        assert await chain.node.chain_id() == info.chain_id
        genesis = await chain.node.genesis_hash()
    async with _manual(tmp_path / "a") as again:
        assert await again.node.genesis_hash() == genesis


async def test_reorg__given_a_deep_history__reaches_back_more_than_twenty_blocks(tmp_path):
    async with _manual(tmp_path / "a") as chain:
        for _ in range(40):
            await chain.mine()
        head = await chain.node.head()
        await chain.node.request("anvil_reorg", 25, [])
        assert (await chain.node.block(head.number)).hash != head.hash
        assert await chain.node.balance(STRANGER, head.number - 30) == 0


async def test_reorganise__of_recent_blocks__throws_out_what_is_in_them_and_keeps_their_number(tmp_path):
    async with _manual(tmp_path / "chain") as chain:
        await _pay(chain)
        kept = await chain.node.head()
        paid = await _pay(chain)
        height = await chain.node.block_number()
        assert await chain.reorganise(kept.timestamp + 1) == 1
        assert await chain.node.receipt(paid) is None
        assert await chain.node.balance(STRANGER) == 1
        assert await chain.node.block_number() == height
        assert (await chain.node.block(kept.number)).hash == kept.hash


async def test_reorganise__of_final_blocks__leaves_them(tmp_path):
    async with _manual(tmp_path / "chain") as chain:
        await _pay(chain)
        await chain.snapshot()
        assert await chain.reorganise(0) == 0
        assert await chain.node.balance(STRANGER) == 1
