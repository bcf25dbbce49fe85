"""Every signed type hashes as eth_account hashes it, from the same table that makes the wallet's JSON."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data

from gridweave.domain import (
    acknowledgements,
    acts,
    anchors,
    delegations,
    device_acts,
    eip712,
    orders,
    readings,
    stream_acts,
    terms,
)
from gridweave.domain.eip712 import DOMAIN_NAMES, TYPES, Domain, StructType, digest, typed_data
from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.firmware import messages as firmware
from gridweave.domain.flexibility import acts as response_acts
from gridweave.domain.flexibility import day_acts
from gridweave.domain.flexibility import terms as response_terms
from gridweave.domain.hashing import keccak
from gridweave.domain.signatures import sign_compact, to_vrs
from gridweave.domain.telemetry import segments

ROOT = Path(__file__).resolve().parents[3]
SEED = 20_260_712
ROUNDS = 25
MESSAGES: dict[str, type[Any]] = {
    kind.TYPE.name: kind
    for module in (
        acknowledgements,
        acts,
        anchors,
        day_acts,
        delegations,
        device_acts,
        firmware,
        orders,
        readings,
        response_acts,
        response_terms,
        segments,
        stream_acts,
        terms,
    )
    for kind in vars(module).values()
    if isinstance(kind, type) and isinstance(getattr(kind, "TYPE", None), StructType) and kind is not Domain
}
SIGNED = sorted(set(TYPES) - {"MarketTerms", "ProgrammeTerms", "RuleTerms"})


def random_value(rng: random.Random, solidity_type: str) -> Any:
    if solidity_type.endswith("[]"):
        return tuple(random_value(rng, solidity_type.removesuffix("[]")) for _ in range(rng.randrange(4)))
    if solidity_type in TYPES:
        return random_message(rng, solidity_type)
    if solidity_type == "address":
        return "0x" + rng.randbytes(20).hex()
    if solidity_type == "bytes":
        return rng.randbytes(rng.randrange(100))
    if solidity_type == "bytes32":
        return rng.randbytes(32)
    if solidity_type == "bool":
        return rng.random() < 0.5
    if solidity_type == "string":
        return rng.choice(["", "https://example.org/größe", rng.randbytes(40).hex()])
    if solidity_type.startswith("int"):
        bits = int(solidity_type.removeprefix("int"))
        return rng.choice([0, -1, -(1 << bits - 1), (1 << bits - 1) - 1, rng.getrandbits(bits - 1)])
    bits = int(solidity_type.removeprefix("uint"))
    return rng.choice([0, 1, (1 << bits) - 1, rng.getrandbits(bits)])


def random_message(rng: random.Random, name: str) -> Any:
    return MESSAGES[name](**{f.attribute: random_value(rng, f.type) for f in TYPES[name].fields})


def random_domain(rng: random.Random) -> Domain:
    contract = rng.choice(sorted(DOMAIN_NAMES))
    return Domain.of(contract, rng.choice([1, 31337, rng.getrandbits(53)]), "0x" + rng.randbytes(20).hex())


def test_types__each__has_one_message_class() -> None:
    assert set(MESSAGES) == set(TYPES)


@pytest.mark.parametrize("name", SIGNED)
def test_digest__given_random_values__equals_eth_account(name: str) -> None:
    rng = random.Random(f"{SEED} {name}")
    for _ in range(ROUNDS):
        domain, message = random_domain(rng), random_message(rng, name)
        data = json.loads(json.dumps(typed_data(domain, message)))
        assert digest(domain, message) == bytes(_hash_eip191_message(encode_typed_data(full_message=data)))


def test_digest__signed_by_a_wallet_from_the_json__is_our_compact_signature() -> None:
    rng = random.Random(SEED)
    key = rng.randbytes(32)
    domain, message = random_domain(rng), random_message(rng, "Order")
    signed = Account.sign_typed_data(key, full_message=typed_data(domain, message))
    v, r, s = to_vrs(sign_compact(key, digest(domain, message)))
    assert (signed.v, signed.r, signed.s) == (v, int.from_bytes(r, "big"), int.from_bytes(s, "big"))


@pytest.mark.parametrize("name", ["Schedule", "CancelSchedule"])
def test_type_hash__of_schedules__is_the_contracts_constant(name: str) -> None:
    source = (ROOT / "contracts" / "libraries" / "OrderDigest.sol").read_text()
    assert any(keccak(said.encode()) == TYPES[name].type_hash for said in re.findall(r"\"(\w+\(.+\))\"", source))


@pytest.mark.parametrize("name", ["Order", "Cancel", "Reading"])
def test_type_hash__of_packed_words__is_the_contracts_constant(name: str) -> None:
    sources = "".join(path.read_text() for path in sorted((ROOT / "contracts" / "types").glob("*.sol")))
    match = re.search(rf"{name.upper()}_TYPEHASH =?\s*=?\s*keccak256\(\s*\"([^\"]+)\"", sources)
    assert match
    assert keccak(match[1].encode()) == TYPES[name].type_hash


def test_declarations__of_the_interfaces__are_ours_to_the_letter() -> None:
    comments = "".join(path.read_text() for path in sorted((ROOT / "contracts" / "interfaces").glob("*.sol")))
    said = re.sub(r"\s*///\s*", " ", comments)
    for name in sorted(
        set(SIGNED) - {"Order", "Cancel", "Reading", "Permit", "Acknowledgement", "DeviceSession", "Segment"}
    ):
        match = re.search(rf"\b{name}\(([\w\[\]]+ \w+(?:,\s*[\w\[\]]+ \w+)*)\)", said)
        assert match, name
        assert f"{name}({re.sub(r', +', ',', match[1])})" == TYPES[name].declaration


def test_market_terms__fields__follow_the_struct() -> None:
    source = (ROOT / "contracts" / "types" / "MarketTerms.sol").read_text()
    members = re.findall(r"^    (\w+) (\w+);", source, re.MULTILINE)
    assert members == [(f.type, f.name) for f in TYPES["MarketTerms"].fields]


@pytest.mark.parametrize(
    ("field", "value"),
    [("market", 1 << 32), ("market", -1), ("version", 1 << 16), ("deadline", 1 << 40), ("limit_price", 1 << 64)],
)
def test_digest__given_a_value_out_of_range__names_the_field(field: str, value: int) -> None:
    rng = random.Random(SEED)
    values = {f.attribute: 1 for f in TYPES["Order"].fields} | {field: value}
    with pytest.raises(FieldOutOfRange) as refusal:
        digest(random_domain(rng), orders.Order(**values))
    assert refusal.value.values["value"] == str(value)


@pytest.mark.parametrize("address", ["", "0x", "0x12", "0x" + "g" * 40, "0x" + "00" * 21])
def test_digest__given_no_address__names_the_field(address: str) -> None:
    with pytest.raises(FieldOutOfRange, match="account"):
        eip712.struct_hash(acts.Withdrawal(address, "0x" + "11" * 20, 1, 1, 1))


@pytest.mark.parametrize("changed", ["name", "version", "chain_id", "verifying_contract"])
def test_digest__for_another_domain__differs(changed: str) -> None:
    rng = random.Random(SEED)
    message = random_message(rng, "Order")
    base = {"name": "a", "version": "1", "chain_id": 1, "verifying_contract": "0x" + "11" * 20}
    other = base | {changed: {"chain_id": 2, "verifying_contract": "0x" + "12" * 20}.get(changed, "z")}
    assert digest(Domain(**base), message) != digest(Domain(**other), message)  # type: ignore[arg-type]
