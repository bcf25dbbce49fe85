"""A payment walked back to the maker, and the command line over both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridweave.audit import AddressBook, NothingPaid, WrongChain, audit, walk
from gridweave.audit.lookup import Lookup
from gridweave.audit.proofs import Proofs
from gridweave.audit.provenance import Provenance
from gridweave.audit.telling import walk_json, walk_steps
from gridweave.chain import from_hex, to_hex
from gridweave.chain.events import DIDAttributeChanged, MeterRegistered, Settled, decode_log
from gridweave.cli import app
from gridweave.cli.proof import told_walk
from gridweave.domain.acts import KeyKind
from gridweave.domain.orders import Order, Side

from .lives import BATCH_KEYS, batch_of
from .lying import about_input, honest, lying_node
from .street import Street
from .test_signatures import calls_of

pytestmark = [pytest.mark.chain, pytest.mark.asyncio(loop_scope="session")]

STATIONS = ["payment", "settlement", "price", "orders", "reading", "device key", "maker"]


async def test_walk__given_a_seller__leads_to_the_device_s_maker(day: Street) -> None:
    home = day.homes[0]
    way = await walk(day.node, day.book, home.meter, day.first)
    assert way.holds
    assert sum(p.from_pot + p.from_utility for p in way.payments) >= way.settlement.cash
    assert way.settlement.sold_wh == next(order.filled_wh for order in way.orders if order.own)
    assert {order.signer for order in way.orders} == {h.party.address for h in day.homes}
    assert sum(o.filled_wh for o in way.orders if o.side == Side.BID) == way.price.volume_wh
    assert way.reading is not None
    assert way.reading.signature is not None
    assert way.device.device == home.device
    assert way.maker.maker == day.maker.address
    assert [step.title for step in walk_steps(way)] == STATIONS
    assert all(step.holds and step.sentence for step in walk_steps(way))


async def test_walk__given_a_correction__stands_on_the_newest_reading(day: Street) -> None:
    way = await walk(day.node, day.book, day.homes[2].meter, day.first + 1)
    assert way.holds
    assert way.reading is not None
    assert (way.reading.version, way.settlement.import_wh) == (2, 4_800)


async def test_walk__given_silence__names_the_default(day: Street) -> None:
    way = await walk(day.node, day.book, day.homes[1].meter, day.first + 2)
    assert way.holds
    assert way.reading is None
    assert way.settlement.by_default
    assert way.price.price is None


async def test_walk__given_an_order_through_another_contract__says_who_checked_it(day: Street) -> None:
    way = await walk(day.node, day.book, day.homes[0].meter, day.first + 4)
    assert way.holds
    assert {order.signer for order in way.orders} == {None}


async def test_walk__given_a_wallet_s_order__leaves_its_signature_to_the_contract(day: Street) -> None:
    lookup = Lookup(day.node, day.book, await day.node.block_number())
    meter = (await lookup.events("DERRegistry", MeterRegistered))[4].meter
    slot = (await lookup.events("EnergyAuction", Settled, meter=meter))[0].slot
    way = await walk(day.node, day.book, meter, slot)
    assert way.holds
    assert [order.signer for order in way.orders if order.own] == [None]


async def test_walk__given_an_order_that_the_bond_placed__says_who_signed_it(day: Street) -> None:
    placed = Order.unpack((await calls_of(day, "RelayerBond", "proveRefusal"))[2].data[4:36])
    way = await walk(day.node, day.book, placed.meter, placed.slot)
    assert way.holds
    assert [order.signer for order in way.orders] == [day.homes[2].party.address]


async def test_walk__given_a_device_that_changed_its_key__names_the_key_of_its_time(day: Street) -> None:
    home = day.homes[0]
    slot = await slot_of_keys(day)
    before = await walk(day.node, day.book, home.meter, day.first)
    after = await walk(day.node, day.book, home.meter, slot)
    assert before.holds and after.holds
    assert (before.device.key_version, before.device.key_kind) == (1, KeyKind.SECP256K1)
    assert (after.device.key_version, after.device.key_kind) == (2, KeyKind.P256)
    assert home.first_key is not None
    assert (before.device.key, after.device.key) == (home.first_key.public, home.key.public)
    receipt = await day.node.receipt(from_hex(after.device.place.transaction or ""))
    assert receipt is not None
    told = decode_log(next(log for log in receipt.logs if log.log_index == after.device.place.log_index))
    assert isinstance(told, DIDAttributeChanged)
    assert (told.identity, told.value) == (home.device, home.key.public.compressed)
    assert "key number 2" in walk_steps(after)[5].sentence


async def test_walk__given_a_device_that_claimed_itself__leads_to_the_batch_of_its_maker(day: Street) -> None:
    way = await walk(day.node, day.book, day.sixth.meter, await slot_of_keys(day))
    batch = batch_of(BATCH_KEYS)
    assert way.holds
    assert (way.maker.maker, way.maker.batch) == (day.maker.address, batch.root)
    assert way.maker.proof == batch.proof(day.sixth.device)
    assert way.maker.signature is not None
    assert way.maker.registered is not None and way.maker.registered != way.maker.place
    step = walk_steps(way)[6]
    assert dict(step.facts)["batch"] == to_hex(batch.root)
    assert way.maker.registered.transaction in dict(step.facts)["registered"]
    assert json.loads(json.dumps(walk_json(way)))["maker"]["batch"] == to_hex(batch.root)


async def test_told_walk__given_claims_and_changed_keys__says_what_the_maker_vouched_for(day: Street) -> None:
    """The demo's telling of a walk: an endorsed key, the key after it, and one of a maker's batch."""
    slot = await slot_of_keys(day)
    one, six = day.homes[0], day.sixth
    first, changed, claimed = [
        {step.title: step.sentence for step in told_walk(await walk(day.node, day.book, *place), "A", 0)}
        for place in ((one.meter, day.first), (one.meter, slot), (six.meter, slot))
    ]
    assert first["Maker"].startswith("The maker endorsed that key,")
    assert changed["Maker"].startswith("The maker endorsed the device's first key,")
    assert claimed["Maker"].startswith("The maker registered a batch that has that key in it,")
    assert "endorsed" not in claimed["Maker"] and claimed["Maker"].endswith("holds.")
    assert "named after it." in first["Device key"] and "named after it." in claimed["Device key"]
    assert "key number 2; the device is named after its first one" in changed["Device key"]
    assert "in doubt" in claimed["Device key"] and "in doubt" not in first["Device key"]


async def test_walk__given_a_claim_among_others__finds_its_own(day: Street) -> None:
    """The spare device of home 1 claimed itself in one transaction with another's, and has no meter."""
    lookup = Lookup(day.node, day.book, await day.node.block_number())
    provenance = Provenance(lookup, Proofs(day.book.chain_id, dict(day.book.addresses)), BATCH_KEYS[0].device)
    maker = await provenance.maker()
    assert maker.holds
    assert maker.proof == batch_of(BATCH_KEYS).proof(BATCH_KEYS[0].device)


async def test_walk__given_a_key_in_doubt__says_so_and_holds(day: Street) -> None:
    slot = await slot_of_keys(day)
    for home in (day.homes[3], day.sixth):
        way = await walk(day.node, day.book, home.meter, slot)
        assert way.holds and way.device.in_doubt
        assert "in doubt" in walk_steps(way)[5].sentence
    assert not (await walk(day.node, day.book, day.homes[3].meter, day.first)).device.in_doubt


@pytest.mark.parametrize("what", ["proof", "claim", "batch"])
async def test_walk__when_what_a_maker_s_batch_rests_on_is_altered__does_not_hold(day: Street, what: str) -> None:
    function = "registerBatch" if what == "batch" else "claim"
    call = (await calls_of(day, "DeviceRegistry", function))[0]
    place = {"proof": len(call.data) - 1, "claim": 4 + 7 * 32 + 3, "batch": 4 + 10 * 32}[what]
    lie = about_input(to_hex(call.hash), lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    async with lying_node(day.chain.url, lie, day.answers) as node:
        way = await walk(node, day.book, day.sixth.meter, await slot_of_keys(day))
    assert not way.maker.holds
    assert not way.holds


async def slot_of_keys(day: Street) -> int:
    """The slot in which homes 1 and 2 read by new keys, and home 6 by its first."""
    lookup = Lookup(day.node, day.book, await day.node.block_number())
    return (await lookup.events("EnergyAuction", Settled, meter=day.sixth.meter))[0].slot


async def test_walk__when_the_reading_s_signature_is_altered__does_not_hold(day: Street) -> None:
    home = day.homes[0]
    true = await walk(day.node, day.book, home.meter, day.first)
    assert true.reading is not None
    assert true.reading.signature is not None
    signature = true.reading.signature
    lie = about_input(true.reading.place.transaction or "", lambda data: data.replace(signature, signature[::-1]))
    async with lying_node(day.chain.url, lie, day.answers) as node:
        way = await walk(node, day.book, home.meter, day.first)
    assert not way.reading.holds  # type: ignore[union-attr]
    assert not way.holds


async def test_walk__given_a_slot_without_settlement__raises(day: Street) -> None:
    with pytest.raises(NothingPaid):
        await walk(day.node, day.book, day.homes[0].meter, day.first + 100)


async def test_walk_json__given_a_walk__is_plain(day: Street) -> None:
    way = await walk(day.node, day.book, day.homes[0].meter, day.first)
    told = json.loads(json.dumps(walk_json(way)))
    assert [step["title"] for step in told["steps"]] == STATIONS
    assert told["reading"]["digest"] == to_hex(way.reading.digest)  # type: ignore[union-attr]
    assert told["orders"][0]["side"] in ("bid", "ask")
    assert told["holds"] is True


async def test_audit__given_another_chain__refuses(day: Street) -> None:
    wrong = AddressBook(day.book.chain_id + 1, day.book.addresses)
    with pytest.raises(WrongChain, match="chain"):
        await audit(day.node, wrong)
    genesis = AddressBook(day.book.chain_id, day.book.addresses, 0, "0x" + "11" * 32)
    with pytest.raises(WrongChain, match="first block"):
        await audit(day.node, genesis)


async def test_audit__given_an_earlier_last_block__audits_up_to_it(day: Street) -> None:
    newest = await day.node.block_number()
    report = await audit(day.node, day.book, last=newest - 20)
    assert report.clean
    assert report.last_block == newest - 20


async def test_audit__given_from__leaves_out_earlier_differences(day: Street) -> None:
    lie = about_input(to_hex(await first_placement(day)), lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    newest = await day.node.block_number()
    async with lying_node(day.chain.url, lie, day.answers) as node:
        whole = await audit(node, day.book)
        later = await audit(node, day.book, since=newest - 5)
    assert not whole.clean
    assert later.clean
    assert later.first_block == newest - 5


async def first_placement(street: Street) -> bytes:
    from gridweave.audit.inputs import selector_of

    async with lying_node(street.chain.url, honest, street.answers) as node:
        for number in range(await node.block_number() + 1):
            block = await node.block(number)
            for hash_ in block.transactions if block else ():
                transaction = await node.transaction(hash_)
                if transaction and transaction.data[:4] == selector_of("EnergyAuction", "place"):
                    return hash_
    raise AssertionError("nobody placed an order")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", *arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout


def options(street: Street, *more: str) -> list[str]:
    return ["--rpc", street.chain.url, "--deployment", str(street.chain.home.deployment_file), *more]


async def in_thread(*arguments: str) -> tuple[int, str]:
    import asyncio

    return await asyncio.to_thread(run, *arguments)


async def test_audit_command__given_an_honest_chain__exits_0_and_shows_what_it_did(day: Street) -> None:
    code, said = await in_thread(*options(day))
    assert code == 0, said
    assert "No difference" in said
    assert "reading signatures (P-256)" in said
    assert "Rests on a key in doubt" in said
    doubted = day.measured[0]
    for what in (f"batch 2 of stream {to_hex(day.streams[2].id)}", "state 2 of asset 3", "release 4 of model 9"):
        assert what in said and doubted.device in said
    assert f"reading of meter {day.homes[3].meter}, slot" in said


async def test_audit_command__given_json__prints_one_document(day: Street) -> None:
    code, said = await in_thread(*options(day, "--json", "--logs-only"))
    report = json.loads(said)
    assert code == 0
    assert report["differences"] == []
    assert report["recomputed"]["prices"] == 8


async def test_audit_command__given_a_planted_word__exits_1_and_names_it(day: Street) -> None:
    from .test_storage import planted, storage_slot

    account = day.homes[0].party.address
    async with planted(day, "Vault", storage_slot("Vault", "_accounts", account), 184):
        code, said = await in_thread(*options(day, "--json"))
        shown_code, shown = await in_thread(*options(day))
    (found,) = json.loads(said)["differences"]
    assert (code, shown_code) == (1, 1)
    assert (found["kind"], found["subject"]["account"]) == ("storage", account)
    assert set(found) == {"kind", "subject", "expected", "found", "block", "transaction", "logIndex", "sentence"}
    assert found["sentence"] in shown


async def test_audit_command__given_no_node_or_no_record__exits_2(day: Street, tmp_path: Path) -> None:
    code, _ = await in_thread("--rpc", "http://127.0.0.1:1", "-d", str(day.chain.home.deployment_file))
    assert code == 2
    code, _ = await in_thread("--rpc", day.chain.url, "-d", str(tmp_path / "none.json"))
    assert code == 2
    code, _ = await in_thread("--nonsense")
    assert code == 2


async def test_walk_command__given_a_payment__tells_every_station(day: Street) -> None:
    where = ["--meter", str(day.homes[0].meter), "--slot", str(day.first)]
    code, said = await in_thread(*options(day), "walk", *where)
    assert code == 0, said
    assert all(station in said for station in STATIONS)
    code, said = await in_thread(*options(day), "walk", *where, "--json")
    assert code == 0
    assert json.loads(said)["holds"] is True
