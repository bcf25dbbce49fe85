"""What a device takes and what it refuses, by name, against a real chain's headers and proofs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.client.firmware import Bundle, DeviceState
from gridweave.client.firmware.refusals import (
    CounterBelowFloor,
    CounterNotNewer,
    DeviceNotInRamp,
    HeaderFromFuture,
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
    ModelWrong,
    ProofInvalid,
    ReleaseNotInstallable,
    ReleaseNotProved,
    ReleaseWasRevoked,
    WitnessUnknown,
)
from gridweave.client.firmware.state import Header
from gridweave.domain.eip712 import digest
from gridweave.domain.firmware.errors import (
    BelowThreshold,
    SignersNotAscending,
    UnknownReleaseKey,
    WrongKeySetVersion,
    WrongSignature,
)
from gridweave.domain.firmware.rollout import RolloutState
from gridweave.domain.signatures import sign_compact, to_rsv
from tests.e2e.differential.fleet import MODEL
from tests.e2e.firmware.factory import IMAGE, MAX_AGE, WITNESSES, Factory, image_of, with_release

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]


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
