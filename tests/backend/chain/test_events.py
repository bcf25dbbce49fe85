"""Every event of every contract has its typed record, equal to what a general decoder reads."""

from __future__ import annotations

import dataclasses

import pytest
from eth_abi import encode

from gridweave import artifacts
from gridweave.chain import EVENTS, Log, checksum_address, decode_log, decode_logs, topics_of
from gridweave.chain.abi import canonical_type, snake_case
from gridweave.chain.events import Event, Paid, Placed
from gridweave.domain.firmware.messages import Release
from gridweave.domain.flexibility.terms import ProgrammeTerms, RuleTerms
from gridweave.domain.hashing import keccak
from gridweave.domain.terms import MarketTerms

STRUCTS = {len(dataclasses.fields(kind)): kind for kind in (MarketTerms, Release, ProgrammeTerms, RuleTerms)}
"""By how many fields they have."""
RENAMED = {"from": "sender"}
PLACE = tuple(field.name for field in dataclasses.fields(Event))
DECLARED = {
    (name, entry["name"]): entry
    for name in artifacts.deployables()
    for entry in artifacts.load(name).abi
    if entry["type"] == "event"
}


def _random(kind, field, rng):
    if kind.endswith("[]"):
        return tuple(_random(kind.removesuffix("[]"), field, rng) for _ in range(rng.randrange(4)))
    if kind.startswith("("):
        return tuple(_random(part["type"], part, rng) for part in field["components"])
    if kind == "address":
        return checksum_address(rng.randbytes(20))
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "string":
        return "Rolle Ä" + str(rng.random())
    if kind == "bytes":
        return rng.randbytes(rng.randrange(70))
    if kind.startswith("bytes"):
        return rng.randbytes(int(kind.removeprefix("bytes")))
    signed = kind.startswith("int")
    bits = int(kind.lstrip("uint"))
    return rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else rng.randrange(2**bits)


def _log(entry, values):
    kinds = [canonical_type(field) for field in entry["inputs"]]
    topics = [keccak(f"{entry['name']}({','.join(kinds)})".encode())]
    plain = []
    for field, kind, value in zip(entry["inputs"], kinds, values, strict=True):
        if field["indexed"]:
            topics.append(encode([kind], [value]))
        else:
            plain.append((kind, value))
    data = encode([kind for kind, _ in plain], [value for _, value in plain])
    return Log(checksum_address(b"\1" * 20), tuple(topics), data, 7, b"\2" * 32, b"\3" * 32, 4, 5)


@pytest.mark.parametrize("key", DECLARED, ids=lambda key: f"{key[0]}.{key[1]}")
def test_events__given_the_abi__have_a_class_with_its_parameters(key):
    entry = DECLARED[key]
    names = [RENAMED.get(snake_case(field["name"]), snake_case(field["name"])) for field in entry["inputs"]]
    assert [field.name for field in dataclasses.fields(EVENTS[entry["name"]])] == [*PLACE, *names]


def test_events__given_all_classes__are_all_declared_by_a_contract():
    assert set(EVENTS) == {name for _, name in DECLARED}


@pytest.mark.parametrize("key", DECLARED, ids=lambda key: f"{key[0]}.{key[1]}")
def test_decode_log__given_random_values__reads_what_was_encoded(key, rng):
    entry = DECLARED[key]
    for _ in range(20):
        values = [_random(canonical_type(field), field, rng) for field in entry["inputs"]]
        event = decode_log(_log(entry, values))
        found = [getattr(event, field.name) for field in dataclasses.fields(event)][len(PLACE) :]
        kinds = [canonical_type(field) for field in entry["inputs"]]
        expected = [
            STRUCTS[len(value)](*value) if kind.startswith("(") else value
            for field, kind, value in zip(entry["inputs"], kinds, values, strict=True)
        ]
        assert type(event).__name__ == entry["name"]
        assert found == expected
        assert (event.block_number, event.transaction_index, event.log_index) == (7, 4, 5)
        assert (event.block_hash, event.transaction_hash) == (b"\2" * 32, b"\3" * 32)


def test_decode_log__given_a_strangers_event__is_none():
    assert decode_log(Log("0x" + "11" * 20, (keccak(b"Other()"),), b"", 1, b"", b"", 0, 0)) is None
    assert decode_log(Log("0x" + "11" * 20, (), b"", 1, b"", b"", 0, 0)) is None


def test_decode_log__given_a_short_log__refuses(rng):
    entry = DECLARED["Vault", "Paid"]
    log = _log(entry, [_random(canonical_type(field), field, rng) for field in entry["inputs"]])
    with pytest.raises(ValueError, match="bytes"):
        decode_log(log._replace(data=log.data[:-1]))
    with pytest.raises(ValueError, match="indexed"):
        decode_log(log._replace(topics=log.topics[:-1]))


def test_decode_logs__given_10000_logs__decodes_each(rng):
    kinds = [DECLARED["EnergyAuction", "Placed"], DECLARED["Vault", "Paid"], DECLARED["EnergyAuction", "Settled"]]
    logs = [
        _log(entry, [_random(canonical_type(field), field, rng) for field in entry["inputs"]])
        for entry in (kinds[n % 3] for n in range(300))
    ]
    assert sum(1 for _ in decode_logs(logs * 34)) == 10_200


def test_topics_of__given_classes__are_their_first_topics():
    kinds = {"Placed": Placed, "Paid": Paid}
    expected = set()
    for (_, name), entry in DECLARED.items():
        if name in kinds:
            signature = f"{name}({','.join(canonical_type(field) for field in entry['inputs'])})"
            expected.add(keccak(signature.encode()))
    assert set(topics_of(*kinds.values())) == expected


def test_decode_log__given_text_that_is_no_utf8__shows_what_can_be_read():
    """One such event would otherwise stop every reader of the chain for good."""
    log = _log(DECLARED[("Authority", "RoleLabel")], [7, "a?b"])
    spoilt = log._replace(data=log.data.replace(b"a?b", b"a\xffb"))
    assert decode_log(spoilt).label == "a\ufffdb"
