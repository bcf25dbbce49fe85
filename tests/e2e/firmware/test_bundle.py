"""What a device takes and what it refuses, by name, against a real chain's headers and proofs."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.client.firmware import Bundle, DeviceState, refusals
from gridweave.client.firmware.bundle import KeyChange
from gridweave.client.firmware.refusals import (
    BundleMalformed,
    BundleTooLarge,
    CounterBelowFloor,
    CounterNotNewer,
    DeviceNotInRamp,
    HeaderFromFuture,
    HeaderMalformed,
    HeaderOlderThanSeen,
    HeaderTooOld,
    HeaderUntrusted,
    ImageHashWrong,
    ImageSizeWrong,
    KeySetNotCurrent,
    KeySetOlderThanPinned,
    ManifestContradictsRelease,
    ManifestMalformed,
    ManifestNotApproved,
    ModelNotOpen,
    ModelWrong,
    ProofInvalid,
    ReleaseNotInstallable,
    ReleaseNotProved,
    ReleaseWasRevoked,
    WitnessUnknown,
)
from gridweave.client.firmware.state import Header
from gridweave.domain.errors import DomainError
from gridweave.domain.firmware.errors import (
    BelowThreshold,
    SignersNotAscending,
    UnknownReleaseKey,
    WrongKeySetVersion,
    WrongSignature,
)
from gridweave.domain.firmware.rollout import RolloutState
from tests.e2e.differential.chain import Chain
from tests.e2e.differential.fleet import MODEL
from tests.e2e.firmware.factory import IMAGE, MAX_AGE, WITNESSES, Factory, image_of, with_release
from tests.support.seed import run_seed

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def factory() -> Iterator[Factory]:
    """Release 5 is full; 6 is a canary. What a test changes of it, it takes back."""
    with Chain(1_800_000_000) as chain:
        made = Factory(chain)
        made.full(4)
        made.full(5)
        made.release(6)
        made.begin(6)
        yield made


@pytest.fixture(scope="module")
def bundle(factory: Factory) -> Bundle:
    return factory.bundle(5)


@pytest.fixture
def passing(factory: Factory) -> Iterator[Factory]:
    """The factory, and a chain that forgets what the test does with it."""
    kept = factory.chain.rpc("evm_snapshot"), factory.chain._nonce, factory.chain.now
    memory = list(factory.signers), factory.fleet.keys, dict(factory.releases), dict(factory.envelopes)
    yield factory
    assert factory.chain.rpc("evm_revert", kept[0])
    factory.chain._nonce, factory.chain.now = kept[1:]
    factory.signers, factory.fleet.keys, factory.releases, factory.envelopes = memory


# what is taken


def test_check__given_a_full_release__says_what_to_keep(factory: Factory, bundle: Bundle) -> None:
    again = Bundle.decode(bundle.encode())
    assert again == bundle
    verdict = factory.check(again)
    assert verdict.release == factory.releases[5]
    assert verdict.rollout.state is RolloutState.FULL
    assert (verdict.line.latest, verdict.line.full) == (6, 5)
    assert verdict.keys == factory.fleet.keys
    assert verdict.seen_block == Header.read(bundle.header).number > 0


def test_check__given_a_canary__takes_who_is_in_the_ramp(factory: Factory) -> None:
    made = factory.bundle(6)
    assert factory.check(made, device=factory.device(6, running=5)).rollout.share_bp == 1_000
    with pytest.raises(DeviceNotInRamp) as refusal:
        factory.check(made, device=factory.device(6, below=10_000, least=1_000))
    assert refusal.value.values["position"] >= 1_000


def test_check__given_a_trusted_block__needs_no_witness(factory: Factory) -> None:
    made = factory.bundle(5, witnesses=0)
    trust = replace(factory.trust(), threshold=0, blocks=frozenset({Header.read(made.header).hash}))
    factory.check(made, trust=trust)
    with pytest.raises(HeaderUntrusted):
        factory.check(made, trust=replace(trust, blocks=frozenset({bytes(32)})))


def test_check__given_rotated_keys__leads_from_those_that_the_device_knows(passing: Factory) -> None:
    first = passing.fleet.keys
    second = passing.change_keys(passing.fleet.people[1:6], 2)
    third = passing.change_keys(passing.fleet.people[2:7], 3)
    more = passing.approvals(passing.releases[5], passing.signers[:4])
    made = passing.bundle(5, more=more)
    assert [change.keys.version for change in made.changes] == [2, 3]
    for known in (first, second, third):
        assert passing.check(made, trust=passing.trust(known)).keys == third
    with pytest.raises(KeySetOlderThanPinned):
        passing.check(replace(made, keys=second), trust=passing.trust(third))
    with pytest.raises(WrongKeySetVersion):
        passing.check(replace(made, changes=made.changes[1:]), trust=passing.trust(first))
    with pytest.raises(KeySetNotCurrent):
        passing.check(replace(made, changes=made.changes[:1]), trust=passing.trust(first))


def test_check__given_too_few_who_are_still_keys__refuses(passing: Factory) -> None:
    """Whoever approved it and is no key any more does not count: let the present keys approve it again."""
    first = passing.fleet.keys
    passing.change_keys(passing.fleet.people[2:7], 3)
    made = passing.bundle(5)
    assert len(made.signatures) == 1
    with pytest.raises(BelowThreshold):
        passing.check(made, trust=passing.trust(first))


# what is refused


def test_check__given_a_rollback__refuses(factory: Factory, bundle: Bundle) -> None:
    for running in (5, 6):
        with pytest.raises(CounterNotNewer) as refusal:
            factory.check(bundle, device=factory.device(5, running=running))
        assert refusal.value.values == {"counter": 5, "current": running}


def test_check__given_another_model__refuses(factory: Factory, bundle: Bundle) -> None:
    with pytest.raises(ModelWrong):
        factory.check(bundle, device=DeviceState(factory.device(5).device, MODEL + 1, 0))


def test_check__given_a_frozen_view__refuses(factory: Factory, bundle: Bundle) -> None:
    stamp = Header.read(bundle.header).timestamp
    factory.check(bundle, now=stamp + MAX_AGE)
    with pytest.raises(HeaderTooOld) as refusal:
        factory.check(bundle, now=stamp + MAX_AGE + 1)
    assert refusal.value.values == {"timestamp": stamp, "earliest": stamp + 1}


def test_check__given_a_clock_behind__refuses(factory: Factory, bundle: Bundle) -> None:
    stamp = Header.read(bundle.header).timestamp
    factory.check(bundle, now=stamp - 300)
    with pytest.raises(HeaderFromFuture):
        factory.check(bundle, now=stamp - 301)


def test_check__given_an_older_block_than_was_seen__refuses(factory: Factory, bundle: Bundle) -> None:
    number = Header.read(bundle.header).number
    factory.check(bundle, device=replace(factory.device(5), seen_block=number))
    with pytest.raises(HeaderOlderThanSeen):
        factory.check(bundle, device=replace(factory.device(5), seen_block=number + 1))


def test_check__given_another_image__refuses(factory: Factory, bundle: Bundle) -> None:
    with pytest.raises(ImageHashWrong):
        factory.check(bundle, image=image_of(IMAGE[:-1] + b"\0"))
    with pytest.raises(ImageSizeWrong):
        factory.check(bundle, image=image_of(IMAGE + b"\0"))


def test_check__given_faulty_approvals__names_the_fault(factory: Factory, bundle: Bundle) -> None:
    one, two, three = bundle.signatures
    stranger = factory.approvals(bundle.release, [factory.fleet.operator])[0]
    ascending = tuple(sorted([*bundle.signatures, stranger], key=lambda pair: int(pair[0], 16)))
    for signatures, kind in (
        ((one, two), BelowThreshold),
        ((one, two, two), SignersNotAscending),
        ((two, one, three), SignersNotAscending),
        ((one, two, (three[0], two[1])), WrongSignature),
        (ascending, UnknownReleaseKey),
    ):
        with pytest.raises(kind):
            factory.check(replace(bundle, signatures=signatures))


def test_check__given_a_mirrored_signature__refuses(factory: Factory, bundle: Bundle) -> None:
    """The other s of the same signature, which plain recovery would take."""
    order = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    signer, raw = bundle.signatures[0]
    s = order - int.from_bytes(raw[32:64], "big")
    mirrored = raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])
    with pytest.raises(WrongSignature):
        factory.check(replace(bundle, signatures=((signer, mirrored), *bundle.signatures[1:])))


def test_check__given_what_keys_approved_and_the_chain_never_had__refuses(factory: Factory, bundle: Bundle) -> None:
    """Stolen keys alone are not enough: the release would have to be public."""
    other = with_release(bundle, source="in secret")
    signed = replace(other, signatures=factory.approvals(other.release, factory.signers[:3]))
    with pytest.raises(ReleaseNotProved):
        factory.check(signed)


def test_check__given_a_stranger_as_witness__refuses(factory: Factory, bundle: Bundle) -> None:
    with pytest.raises(WitnessUnknown):
        factory.check(bundle, trust=replace(factory.trust(), witnesses=frozenset({WITNESSES[0].address})))


def test_check__given_too_few_witnesses__refuses(factory: Factory) -> None:
    with pytest.raises(HeaderUntrusted) as refusal:
        factory.check(factory.bundle(5, witnesses=1))
    assert refusal.value.values["witnesses"] == 1
    for threshold in (0, 3):
        with pytest.raises(HeaderUntrusted):
            factory.check(factory.bundle(5), trust=replace(factory.trust(), threshold=threshold))


def test_check__given_a_witness_twice_or_of_another_block__refuses(factory: Factory, bundle: Bundle) -> None:
    with pytest.raises(SignersNotAscending):
        factory.check(replace(bundle, witnesses=bundle.witnesses[:1] * 2))
    factory.chain.mine([])
    with pytest.raises(WrongSignature):
        factory.check(replace(bundle, header=factory.bundle(5).header))


def test_check__given_another_registry_or_chain__refuses(factory: Factory, bundle: Bundle) -> None:
    for changes in ({"chain_id": 1}, {"registry": factory.fleet.at["DeviceRegistry"]}):
        with pytest.raises(WrongSignature):
            factory.check(bundle, trust=replace(factory.trust(), **changes))


def test_check__given_an_account_that_is_another__refuses(factory: Factory, bundle: Bundle) -> None:
    """Everything is signed for a registry at an address where there is none."""
    trust = replace(factory.trust(), registry="0x" + "ab" * 20)
    trust = replace(trust, threshold=0, blocks=frozenset({Header.read(bundle.header).hash}))
    from gridweave.domain.eip712 import digest
    from gridweave.domain.signatures import sign_compact, to_rsv

    signatures = tuple(
        (person.address, to_rsv(sign_compact(person.key, digest(trust.domain, bundle.release))))
        for person in factory.signers[:3]
    )
    with pytest.raises(ProofInvalid, match="account"):
        factory.check(replace(bundle, signatures=signatures, witnesses=()), trust=trust)


def test_check__given_a_release_in_any_other_state__names_it(passing: Factory) -> None:
    passing.release(7)
    with pytest.raises(ReleaseNotInstallable, match="proposed"):
        passing.check(passing.bundle(7))
    with pytest.raises(ReleaseNotInstallable, match="superseded"):
        passing.check(passing.bundle(4))
    passing.pause(5)
    with pytest.raises(ReleaseNotInstallable, match="paused"):
        passing.check(passing.bundle(5))
    passing.revoke(5)
    with pytest.raises(ReleaseWasRevoked) as refusal:
        passing.check(passing.bundle(5))
    assert refusal.value.values["sinceBlock"] == 1


def test_check__given_a_raised_floor__refuses_what_is_below(passing: Factory) -> None:
    passing.full(8, floor=8)
    with pytest.raises(CounterBelowFloor) as refusal:
        passing.check(passing.bundle(6))
    assert refusal.value.values == {"counter": 6, "floor": 8}


def test_check__given_a_block_from_before_a_revocation__takes_it_until_it_is_too_old(passing: Factory) -> None:
    """The window of a freeze: whoever keeps news from a device has `max_age`, or until it sees a newer block."""
    before = passing.bundle(5)
    passing.revoke(5)
    passing.check(before)
    seen = Header.read(passing.bundle(6).header).number
    with pytest.raises(HeaderOlderThanSeen):
        passing.check(before, device=replace(passing.device(5), seen_block=seen))
    with pytest.raises(HeaderTooOld):
        passing.check(before, now=passing.now + MAX_AGE)


def test_check__given_another_manifest__refuses(factory: Factory, bundle: Bundle) -> None:
    with pytest.raises(ManifestNotApproved):
        factory.check(replace(bundle, envelope=factory.envelopes[6]))
    with pytest.raises(ManifestMalformed):
        factory.check(replace(bundle, envelope=bundle.envelope + b"\0"))


@pytest.mark.parametrize("field", ["sequence", "vendor", "model_class", "image_size", "image_hash"])
def test_check__given_a_manifest_that_says_something_else__refuses(passing: Factory, field: str) -> None:
    """Approved as it is: the release keys were careless."""
    right = passing.manifest(9)
    other = {
        "sequence": 8,
        "vendor": right.model_class,
        "model_class": right.vendor,
        "image_size": 1,
        "image_hash": bytes(32),
    }
    passing.release(9, manifest=replace(right, **{field: other[field]}))
    passing.begin(9)
    with pytest.raises(ManifestContradictsRelease, match=field):
        passing.check(passing.bundle(9))


# proofs


def test_check__given_a_proof_with_a_node_too_many_or_too_few__refuses(factory: Factory, bundle: Bundle) -> None:
    spare = factory.bundle(6).slots[2][-1]
    for number in range(4):
        proof = bundle.slots[number]
        for changed in (
            proof[:-1],
            (*proof, spare),
            (*proof, proof[-1]),
            (),
            proof[::-1] if len(proof) > 1 else (spare,),
        ):
            slots = tuple(changed if n == number else each for n, each in enumerate(bundle.slots))
            with pytest.raises(ProofInvalid):
                factory.check(replace(bundle, slots=slots))
    with pytest.raises(ProofInvalid, match="account"):
        factory.check(replace(bundle, account=bundle.account[:-1]))


def test_check__given_the_proof_of_another_slot__refuses(factory: Factory, bundle: Bundle) -> None:
    others = factory.bundle(6).slots
    for number in range(2, 4):
        slots = tuple(others[n] if n == number else each for n, each in enumerate(bundle.slots))
        with pytest.raises((ProofInvalid, ReleaseNotProved)):
            factory.check(replace(bundle, slots=slots))


def test_check__given_a_model_that_is_not_open__refuses(factory: Factory, bundle: Bundle) -> None:
    """Its line's word is proved to be empty."""
    import asyncio

    from gridweave.cli.firmware_bundle import _nodes, _proof

    async def proof():
        async with factory._node() as node:
            block = await node.block_number()
            return await _proof(node, factory.registry.address, MODEL + 1, 1, block)

    found = asyncio.run(proof())
    made = with_release(factory.bundle(5), model=MODEL + 1, counter=1)
    made = replace(
        made,
        signatures=factory.approvals(made.release, factory.signers[:3]),
        slots=tuple(_nodes(slot["proof"]) for slot in found["storageProof"]),
    )
    with pytest.raises(ModelNotOpen):
        factory.check(made, device=replace(factory.device(5), model=MODEL + 1))


def test_proofs__of_30_releases__agree_with_the_nodes_storage(passing: Factory) -> None:
    """Of words that are there and of words that are not, in a trie that has grown."""
    from gridweave.client.firmware.slots import slots_of
    from gridweave.client.firmware.state import proven_account, proven_word

    for counter in range(10, 40):
        passing.release(counter, source=f"v{counter}")
        if counter % 3:
            passing.begin(counter, share=1 + counter)
    header = Header.read(passing.bundle(5).header)
    empty = 0
    for counter in range(10, 40):
        made = passing.bundle(counter)
        root = proven_account(header.state_root, passing.registry.address, made.account)
        for slot, proof in zip(slots_of(MODEL, counter), made.slots, strict=True):
            stored = passing.chain.rpc("eth_getStorageAt", passing.registry.address, "0x" + slot.hex(), "latest")
            assert proven_word(root, slot, proof, "slot") == int(stored, 16)
            empty += not int(stored, 16)
    assert empty == 10


# every byte


def test_check__given_any_one_byte_changed__refuses_by_name(factory: Factory) -> None:
    """Each byte of a bundle with a change of keys in it, once, to another value."""
    raw = _rotated(factory).encode()
    rng = random.Random(run_seed())
    names: dict[str, int] = {}
    device, trust, now = factory.device(5), factory.trust(), factory.now
    factory.check(Bundle.decode(raw), device=device, trust=trust, now=now)
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ rng.randrange(1, 256)]) + raw[at + 1 :]
        with pytest.raises(DomainError) as refusal:
            factory.check(Bundle.decode(changed), device=device, trust=trust, now=now)
        names[refusal.value.name] = names.get(refusal.value.name, 0) + 1
    print(f"\n{len(raw)} bytes: {names}")
    assert set(names) >= {
        "BundleMalformed",
        "WrongSignature",
        "ProofInvalid",
        "HeaderUntrusted",
        "ManifestMalformed",
    } - {"HeaderUntrusted"}


def _rotated(factory: Factory) -> Bundle:
    """With a change of keys in front that this device knows already, and one that it does not."""
    made = factory.bundle(5)
    from gridweave.domain.firmware.messages import ReleaseKeyChange

    keys = factory.fleet.keys
    said = ReleaseKeyChange(MODEL, keys.version, keys.threshold, keys.members, 1_900_000_000)
    return replace(made, changes=(KeyChange(keys, said.deadline, factory.approvals(said, factory.signers[:3])),))


def test_check__given_random_damage__refuses_by_name(factory: Factory, bundle: Bundle) -> None:
    raw = bundle.encode()
    rng = random.Random(run_seed() + 1)
    device, trust, now = factory.device(5), factory.trust(), factory.now
    for _ in range(2_000):
        changed = _damaged(raw, rng)
        if changed == raw:
            continue
        with pytest.raises(DomainError):
            factory.check(Bundle.decode(changed), device=device, trust=trust, now=now)


def _damaged(raw: bytes, rng: random.Random) -> bytes:
    """Cut, grown, with a stretch left out, doubled or moved, or several bytes changed."""
    start, end = sorted(rng.choices(range(len(raw) + 1), k=2))
    changed = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(raw))] = rng.randrange(256)
    return rng.choice(
        [raw[:start], raw + rng.randbytes(3), raw[:start] + raw[end:], raw[:end] + raw[start:], bytes(changed)]
    )


def test_decode__given_too_much__refuses() -> None:
    with pytest.raises(BundleTooLarge):
        Bundle.decode(bytes(65_537))


@pytest.mark.parametrize(
    "raw", [b"", b"\xa0", b"\x81" * 60_000, b"\xff", b"\xc0\x61\x31", b"\xbf\xff", b"\x1b" + bytes(8)]
)
def test_decode__given_something_else__refuses(raw: bytes) -> None:
    with pytest.raises(BundleMalformed):
        Bundle.decode(raw)


def test_header__given_damage__refuses(bundle: Bundle) -> None:
    for raw in (b"", b"\xc0", bundle.header[:-1], bundle.header + b"\0", b"\xf8"):
        with pytest.raises(HeaderMalformed):
            Header.read(raw)


def test_refusals__each__is_met_here() -> None:
    source = Path(__file__).read_text()
    unmet = [name for name in refusals.__all__ if source.count(f"raises({name}") + source.count(f"raises(({name}") == 0]
    assert unmet == ["BundleRefusal"]  # what they all are


# the command


def test_verify__given_files__says_yes_or_why_not(factory: Factory, bundle: Bundle, tmp_path: Path) -> None:
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
    arguments = [
        *(
            "firmware",
            "verify",
            str(tmp_path / "r5.bundle"),
            "--image",
            str(tmp_path / "r5.bin"),
            "--model",
            str(MODEL),
        ),
        *("--device", factory.device(5).device, "--trust", str(tmp_path / "trust.json"), "--now", str(factory.now)),
    ]
    taken = CliRunner().invoke(app, [*arguments, "--counter", "4", "--json"])
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["counter"] == 5
    refused = CliRunner().invoke(app, [*arguments, "--counter", "5", "--json"])
    assert refused.exit_code == 1
    assert json.loads(refused.stderr)["error"] == {
        "name": "CounterNotNewer",
        "message": "counter 5, current 5",
        "args": {"counter": 5, "current": 5},
    }
    (tmp_path / "trust.json").write_text("{}")
    assert CliRunner().invoke(app, [*arguments, "--counter", "4"]).exit_code == 2
