"""What reads bundles, manifests, headers and proofs refuses whatever else it is given, by name."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Any
from uuid import UUID

import cbor2
import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from gridweave import artifacts
from gridweave.client.firmware import Bundle, Manifest
from gridweave.client.firmware.bundle import KeyChange
from gridweave.client.firmware.cbor import Unreadable, encode, read
from gridweave.client.firmware.manifest import manifest_digest
from gridweave.client.firmware.refusals import BundleMalformed, HeaderMalformed, ManifestMalformed, ProofInvalid
from gridweave.client.firmware.state import Header, proven_account, proven_word
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import Release
from gridweave.domain.firmware.rollout import Line
from gridweave.domain.firmware.slots import MODELS_SLOT, line_of, rollout_of, slots_of
from gridweave.domain.hashing import keccak

LAYOUT = artifacts.load("FirmwareRegistry").storage_layout
WORD, COUNTER, NUMBER = st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1), st.integers(0, 2**256 - 1)
ADDRESS = st.binary(min_size=20, max_size=20).map(checksum_address)
SIGNATURES = st.lists(st.tuples(ADDRESS, st.binary(min_size=65, max_size=65)), max_size=3).map(tuple)
KEYS = st.builds(KeySet, COUNTER, st.integers(0, 255), st.lists(ADDRESS, max_size=4).map(tuple))
NODES = st.lists(st.binary(max_size=40), max_size=3).map(tuple)
RELEASES = st.builds(
    Release,
    *(COUNTER, COUNTER, COUNTER, st.integers(0, 2**64 - 1), WORD, WORD, WORD),
    *(st.text(max_size=20), COUNTER, st.integers(0, 2**16 - 1), NUMBER),
)
BUNDLES = st.builds(
    Bundle,
    envelope=st.binary(max_size=40),
    release=RELEASES,
    signatures=SIGNATURES,
    keys=KEYS,
    changes=st.lists(st.builds(KeyChange, KEYS, NUMBER, SIGNATURES), max_size=2).map(tuple),
    header=st.binary(max_size=40),
    witnesses=SIGNATURES,
    account=NODES,
    slots=st.tuples(NODES, NODES, NODES, NODES),
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
NAMES = st.integers(0, 12) | st.text(max_size=2)
CBOR = st.recursive(
    PLAIN | st.binary(max_size=70),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


# bundles


@given(BUNDLES)
def test_decode__of_what_was_encoded__is_the_bundle(bundle: Bundle) -> None:
    assert Bundle.decode(bundle.encode()) == bundle


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_decode__given_any_bytes__refuses(raw: bytes) -> None:
    with pytest.raises(BundleMalformed):
        Bundle.decode(raw)


@settings(max_examples=200)
@given(CBOR)
def test_decode__given_any_other_value__refuses(value: Any) -> None:
    with pytest.raises(BundleMalformed):
        Bundle.decode(cbor2.dumps(value))


@pytest.mark.parametrize("other", [True, 1.0], ids=["true", "1.0"])
@given(bundle=BUNDLES)
def test_decode__given_what_equals_a_number_and_is_none__refuses(bundle: Bundle, other: Any) -> None:
    fields = cbor2.loads(bundle.encode())
    for changed in (fields | {1: other}, {other: 1} | {key: fields[key] for key in fields if key != 1}):
        with pytest.raises(BundleMalformed):
            Bundle.decode(cbor2.dumps(changed, canonical=True))


@settings(max_examples=200)
@given(BUNDLES, st.integers(1, 10), CBOR)
def test_decode__given_another_value_in_a_field__refuses_or_reads_just_that(
    bundle: Bundle, field: int, value: Any
) -> None:
    fields = cbor2.loads(bundle.encode())
    fields[field] = value
    raw = cbor2.dumps(fields, canonical=True)
    try:
        decoded = Bundle.decode(raw)
    except BundleMalformed:
        return
    assert decoded.encode() == raw


@settings(max_examples=200)
@given(BUNDLES, st.data())
def test_decode__given_a_byte_changed__refuses_or_reads_another_bundle(bundle: Bundle, data: st.DataObject) -> None:
    raw = bundle.encode()
    at, other = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(1, 255))
    changed = raw[:at] + bytes([raw[at] ^ other]) + raw[at + 1 :]
    with suppress(BundleMalformed):
        assert Bundle.decode(changed) != bundle


@pytest.mark.parametrize(
    "raw",
    [
        bytes([0x18, 0x01]),  # 1 in two bytes
        bytes([0x5F, 0x41, 0x00, 0xFF]),  # bytes of indefinite length
        bytes([0xA2, 0x02, 0x00, 0x01, 0x00]),  # keys out of order
        bytes([0xA2, 0x01, 0x00, 0x01, 0x01]),  # a key twice
        bytes([0x01, 0x00]),  # something behind
        bytes([0xFA, 0x3F, 0x80, 0x00, 0x00]),  # 1.0 in four bytes
    ],
    ids=bytes.hex,
)
def test_read__given_another_spelling__refuses(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw, "value")


# manifests


MANIFEST = Manifest(5, UUID(int=1), UUID(int=2), 34_768, sha256(b"image").digest())


def test_manifest_digest__of_the_drafts_first_example__is_the_drafts() -> None:
    """draft-ietf-suit-manifest, B.1, secure boot."""
    shared = [
        20,
        {
            1: bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe"),
            2: bytes.fromhex("1492af1425695e48bf429b2d51f2ab45"),
            3: encode([-16, bytes.fromhex("00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210")]),
            14: 34_768,
        },
        *(1, 15, 2, 15),
    ]
    common = encode({2: [[b"\0"]], 4: encode(shared)})
    manifest = encode({1: 1, 2: 0, 3: common, 7: encode([3, 15]), 9: encode([23, 2])})
    assert manifest_digest(manifest).hex() == "6658ea560262696dd1f13b782239a064da7c6c5cbaf52fded428a6fc83c7e5af"


@pytest.mark.parametrize("uri", ["", "https://example.org/r5.bin"])
def test_manifest__read_back__is_what_was_said(uri: str) -> None:
    envelope = MANIFEST.envelope(uri)
    manifest, digest = Manifest.read(envelope)
    assert manifest == MANIFEST
    assert digest == manifest_digest(cbor2.loads(envelope).value[3])


def test_manifest__given_any_byte_changed__is_refused() -> None:
    """The digest stands in the envelope, and no byte of it is idle."""
    envelope = MANIFEST.envelope("https://example.org/r5.bin")
    for at in range(len(envelope)):
        with pytest.raises(ManifestMalformed):
            Manifest.read(envelope[:at] + bytes([envelope[at] ^ 1]) + envelope[at + 1 :])


@settings(max_examples=200)
@given(st.binary(max_size=200) | CBOR.map(cbor2.dumps))
def test_manifest__given_anything_else__refuses(raw: bytes) -> None:
    with pytest.raises(ManifestMalformed):
        Manifest.read(raw)


# headers and proofs


@settings(max_examples=200)
@given(st.binary(max_size=700))
def test_header__given_any_bytes__refuses(raw: bytes) -> None:
    with pytest.raises(HeaderMalformed):
        Header.read(raw)


def test_header__given_fields_of_a_wrong_form__refuses() -> None:
    fields: list[Any] = [bytes(32)] * 8 + [b"\1", b"\1", b"\1", b"\1"] + [b""] * 3
    assert Header.read(rlp.encode(fields)).number == 1
    for place, value in ((3, bytes(31)), (3, []), (8, b"\0\1"), (8, bytes([1] * 9)), (11, []), (11, b"\0")):
        with pytest.raises(HeaderMalformed):
            Header.read(rlp.encode([*fields[:place], value, *fields[place + 1 :]]))
    with pytest.raises(HeaderMalformed):
        Header.read(rlp.encode(fields[:-1]))


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_proofs__given_any_nodes__refuse(nodes: list[bytes]) -> None:
    for root in (bytes(32), keccak(nodes[0]) if nodes else bytes(32)):
        with pytest.raises(ProofInvalid):
            proven_word(root, bytes(32), nodes, "slot")
        with pytest.raises(ProofInvalid):
            proven_account(root, "0x" + "11" * 20, nodes)


# storage


def test_slots__are_where_the_compiler_put_them() -> None:
    (models,) = (entry for entry in LAYOUT["storage"] if entry["label"] == "_models")
    assert int(models["slot"]) == MODELS_SLOT
    (model,) = (kind for kind in LAYOUT["types"].values() if kind["label"] == "struct FirmwareRegistry.Model")
    assert [(member["label"], int(member["slot"])) for member in model["members"]] == [
        *(("line", 0), ("keys", 1), ("floors", 2), ("releases", 3), ("rollouts", 4))
    ]
    (line,) = (kind for kind in LAYOUT["types"].values() if kind["label"] == "struct IFirmwareRegistry.Line")
    assert [(member["label"], member["offset"]) for member in line["members"]] == [
        *(("maker", 0), ("latest", 20), ("full", 24), ("floor", 28))
    ]
    assert len(set(slots_of(7, 1) + slots_of(7, 2) + slots_of(8, 1))) == 10


def test_line_of__given_a_word__reads_its_parts() -> None:
    maker = checksum_address(bytes(range(1, 21)))
    word = int.from_bytes(bytes(range(1, 21)), "big") | 9 << 160 | 8 << 192 | 7 << 224
    assert line_of(word) == Line(maker, 9, 8, 7)
    assert line_of(9 << 160) is None
    assert rollout_of(9 << 248) is None
