"""What the differential test cannot say by itself: what a device's standing and doubts mean at their edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.domain.acts import DeviceStatus, Endorsement, KeyKind, StatusChange
from gridweave.domain.device_acts import CompromiseNotice, KeyProposal
from gridweave.domain.device_errors import DeviceSpent, RotationNotReady, WrongDeviceId
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_outcomes import FOREVER, DeviceEnrolled, DIDAttributeChanged, DIDOwnerChanged
from gridweave.domain.device_registry import ROTATION_DELAY, DeviceBook
from gridweave.domain.devices import MOST_ACTS, Moment, Rotation
from gridweave.domain.eip712 import Message
from gridweave.domain.errors import DeviceSuspended, UnknownDevice
from gridweave.domain.signatures import secp256k1_point

OWNER, MAKER, OPERATOR = ("0x" + digit * 40 for digit in "123")
FIRST, SECOND, THIRD = (DevicePublicKey(KeyKind.SECP256K1, *secp256k1_point(bytes(31) + bytes([n]))) for n in (1, 2, 3))
DEVICE = FIRST.name


class Trusting:
    """A witness that believes everybody."""

    def require_consent(self, signer: str, message: Message) -> None:
        pass

    def may(self, signer: str) -> bool:
        return True

    def is_signed(self, key: DevicePublicKey, message: Message) -> bool:
        return True


WITNESS = Trusting()


@pytest.fixture
def book() -> DeviceBook:
    """One device, enrolled in block 10 at 1,000."""
    book = DeviceBook()
    said = Endorsement(DEVICE, MAKER, OWNER, 7, FIRST.kind, FIRST.x, FIRST.y, 1, 2_000)
    assert [type(each) for each in book.enrol(said, Moment(1_000, 10), WITNESS)] == [
        DeviceEnrolled,
        DIDOwnerChanged,
        DIDAttributeChanged,
    ]
    return book


def set_status(book: DeviceBook, status: DeviceStatus, time: int) -> None:
    book.set_status(StatusChange(DEVICE, status, time, FOREVER), OWNER, Moment(time, time // 100), WITNESS)


def note(book: DeviceBook, since: int, at: Moment) -> None:
    book.note_compromise(CompromiseNotice(DEVICE, since, 1, FOREVER), book.devices[DEVICE].key.name, OWNER, at, WITNESS)


def adopt(book: DeviceBook, key: DevicePublicKey, at: Moment) -> None:
    proposal = KeyProposal(DEVICE, key.kind, key.x, key.y, 1, FOREVER)
    book.propose(proposal, OWNER, Moment(at.time - ROTATION_DELAY, at.block), WITNESS)
    book.complete(Rotation(DEVICE, book.devices[DEVICE].key.name, key, FOREVER), at, WITNESS)


def test_enrol__given_another_s_id__is_refused_and_changes_nothing() -> None:
    book = DeviceBook()
    said = Endorsement(SECOND.name, MAKER, OWNER, 7, FIRST.kind, FIRST.x, FIRST.y, 1, 2_000)
    with pytest.raises(WrongDeviceId):
        book.enrol(said, Moment(1_000, 10), WITNESS)
    assert not book.devices and not book.origins


def test_fault_of__given_changes_of_status__knows_how_the_device_stood_when(book: DeviceBook) -> None:
    set_status(book, DeviceStatus.SUSPENDED, 1_500)
    set_status(book, DeviceStatus.ACTIVE, 1_600)
    set_status(book, DeviceStatus.SUSPENDED, 1_600)
    faults = [book.fault_of(DEVICE, time) for time in (999, 1_000, 1_499, 1_500, 1_599, 1_600)]
    assert faults == [UnknownDevice, None, None, DeviceSuspended, DeviceSuspended, DeviceSuspended]
    assert len(book.devices[DEVICE].checkpoints) == 2


def test_is_trusted_at__given_a_doubt_that_a_key_ended__covers_its_blocks_alone(book: DeviceBook) -> None:
    note(book, 15, Moment(1_100, 20))
    assert [book.is_trusted_at(DEVICE, block) for block in (14, 15, 10_000)] == [True, False, False]
    note(book, 12, Moment(1_200, 21))
    adopt(book, SECOND, Moment(1_000_000, 90))
    assert [book.is_trusted_at(DEVICE, block) for block in (11, 12, 89, 90, 91)] == [True, False, False, True, True]
    note(book, 95, Moment(1_000_100, 99))
    adopt(book, THIRD, Moment(3_000_000, 120))
    trusted = [book.is_trusted_at(DEVICE, block) for block in (94, 95, 119, 120)]
    assert trusted == [True, False, False, True]
    assert book.devices[DEVICE].doubts == ((12, 90), (95, 120))
    assert not book.is_trusted_at(SECOND.name, 1)


def test_complete__before_seven_days__is_refused(book: DeviceBook) -> None:
    book.propose(KeyProposal(DEVICE, SECOND.kind, SECOND.x, SECOND.y, 1, FOREVER), OWNER, Moment(1_000, 11), WITNESS)
    early, due = Moment(1_000 + ROTATION_DELAY - 1, 90), Moment(1_000 + ROTATION_DELAY, 91)
    with pytest.raises(RotationNotReady):
        book.complete(Rotation(DEVICE, FIRST.name, SECOND, FOREVER), early, WITNESS)
    book.complete(Rotation(DEVICE, FIRST.name, SECOND, FOREVER), due, WITNESS)
    device = book.devices[DEVICE]
    assert (device.key, device.key_version, device.nonce, device.changed) == (SECOND, 2, 1, 91)
    assert book.proposal_of(DEVICE) is None


def test_judging_key__given_a_key_kept_before__is_that_again_once_it_is_current(book: DeviceBook) -> None:
    book.keep(DEVICE, FIRST.name)
    adopt(book, SECOND, Moment(1_000_000, 90))
    assert not book.devices[DEVICE].is_kept
    adopt(book, FIRST, Moment(2_000_000, 95))
    assert book.devices[DEVICE].is_kept


def test_rotate__given_as_many_acts_as_can_be_counted__is_refused(book: DeviceBook) -> None:
    book.devices[DEVICE] = replace(book.devices[DEVICE], nonce=MOST_ACTS)
    with pytest.raises(DeviceSpent):
        book.rotate(Rotation(DEVICE, FIRST.name, SECOND, FOREVER), Moment(1_100, 12), WITNESS)
    book.devices[DEVICE] = replace(book.devices[DEVICE], nonce=MOST_ACTS - 1)
    book.rotate(Rotation(DEVICE, FIRST.name, SECOND, FOREVER), Moment(1_100, 12), WITNESS)
    assert len(book.devices[DEVICE].standing_word) == 32
