"""Calls of the device registry that nobody saw, found from what they said."""

from __future__ import annotations

from typing import Any

import pytest

from gridweave.audit.device_calls import (
    AcceptingTransfer,
    ClaimingDevice,
    ClosingBatch,
    DeviceCall,
    Enrolling,
    NotingCompromise,
    OfferingTransfer,
    ProposingRotation,
    RegisteringBatch,
    ReplacingKey,
    SettingStatus,
    VetoingRotation,
)
from gridweave.audit.inference import infer
from gridweave.audit.signed import SignedAct
from gridweave.chain import events as chain
from gridweave.chain.events import Event
from gridweave.domain.acts import DeviceStatus, KeyKind
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.device_outcomes import FOREVER, NO_BATCH
from gridweave.domain.signatures import secp256k1_point

from .test_inference import HOME, UTILITY, event

MAKER, OTHER = "0x" + "03" * 20, "0x" + "04" * 20
KEY, NEXT = (DevicePublicKey(KeyKind.SECP256K1, *secp256k1_point(bytes([9]) * 31 + bytes([n]))) for n in (1, 2))
DEVICE, ROOT = KEY.name, b"\x05" * 32


def enrolled(batch: bytes) -> list[Event]:
    return [
        event(chain.DeviceEnrolled, device=DEVICE, maker=MAKER, owner=HOME, model=7, batch=batch),
        event(chain.DIDOwnerChanged, identity=DEVICE, owner=HOME, previous_change=0),
        told(KEY, FOREVER),
    ]


def told(key: DevicePublicKey, valid_to: int, **changes: Any) -> Event:
    said = {"identity": DEVICE, "name": key.attribute, "value": key.compressed, "valid_to": valid_to}
    return event(chain.DIDAttributeChanged, **{**said, "previous_change": 0, **changes})


def status(wanted: DeviceStatus, by: str = HOME) -> Event:
    return event(chain.DeviceStatusChanged, device=DEVICE, status=int(wanted), by=by)


def owner(whose: str) -> Event:
    return event(chain.DIDOwnerChanged, identity=DEVICE, owner=whose, previous_change=3)


def compromised(by: str = HOME) -> Event:
    return event(chain.DeviceCompromised, device=DEVICE, since_block=5, by=by)


def unseen(signer: str) -> SignedAct:
    return SignedAct(signer, 0, 0, None)


ENDORSED = Enrolling(DEVICE, HOME, 7, KEY.kind, KEY.x, KEY.y, unseen(MAKER), None)
CLAIMED = ClaimingDevice(ROOT, HOME, KEY, None, None, None)
NOTED = NotingCompromise(DEVICE, 5, None, unseen(HOME))
SUSPENDED = SettingStatus(DEVICE, DeviceStatus.SUSPENDED, unseen(HOME))
ACCEPTED = AcceptingTransfer(DEVICE, None, unseen(OTHER), None)
PLAIN: list[tuple[Event, DeviceCall]] = [
    (
        event(chain.BatchRegistered, root=ROOT, maker=MAKER, model=7, size=3),
        RegisteringBatch(ROOT, 7, 3, unseen(MAKER)),
    ),
    (event(chain.BatchClosed, root=ROOT, by=UTILITY), ClosingBatch(ROOT, unseen(UTILITY))),
    (
        event(chain.RotationProposed, device=DEVICE, key_kind=1, x=NEXT.x, y=NEXT.y, ready_at=9),
        ProposingRotation(DEVICE, NEXT, unseen("")),
    ),
    (event(chain.RotationVetoed, device=DEVICE, key=NEXT.name), VetoingRotation(DEVICE, None, None, None)),
    (
        event(chain.TransferOffered, device=DEVICE, to=OTHER, until=9),
        OfferingTransfer(DEVICE, OTHER, 9, unseen("")),
    ),
    (owner(OTHER), ACCEPTED),
    (status(DeviceStatus.SUSPENDED), SUSPENDED),
]


@pytest.mark.parametrize(("said", "call"), PLAIN, ids=[type(said).__name__ for said, _ in PLAIN])
def test_infer__given_an_event_of_one_call__is_that_call(said: Event, call: DeviceCall) -> None:
    assert infer([said], lambda _: 1) == [call]


def test_infer__given_enrolments__knows_who_was_endorsed_and_who_claimed_itself() -> None:
    assert infer(enrolled(NO_BATCH), lambda _: 1) == [ENDORSED]
    assert infer([*enrolled(ROOT), owner(OTHER)], lambda _: 1) == [CLAIMED, ACCEPTED]


def test_infer__given_a_key_that_follows_another__is_a_change_of_key() -> None:
    replaced = ReplacingKey(DEVICE, KEY.name, NEXT)
    assert infer([told(KEY, 0), told(NEXT, FOREVER)], lambda _: 1) == [replaced]


def test_infer__given_a_notice__takes_what_it_says_besides_as_its_own() -> None:
    first = [compromised(), told(KEY, 0), status(DeviceStatus.SUSPENDED)]
    assert infer(first, lambda _: 1) == [NOTED]
    assert infer([compromised(), told(KEY, 0)], lambda _: 1) == [NOTED]
    assert infer([compromised()], lambda _: 1) == [NOTED]
    # another's change of status, or one after a later notice, is a call of its own
    apart = infer([compromised(by=OTHER), told(KEY, 0), status(DeviceStatus.SUSPENDED)], lambda _: 1)
    assert apart == [NotingCompromise(DEVICE, 5, None, unseen(OTHER)), SUSPENDED]
    assert infer([compromised(), status(DeviceStatus.SUSPENDED)], lambda _: 1) == [NOTED, SUSPENDED]


def test_infer__given_a_revocation__is_one_call_though_the_owner_is_told_too() -> None:
    revoked = SettingStatus(DEVICE, DeviceStatus.REVOKED, unseen(HOME))
    assert infer([status(DeviceStatus.REVOKED), owner(ZERO_ADDRESS)], lambda _: 1) == [revoked]


def test_infer__given_what_no_call_can_have_said__makes_no_call_of_it() -> None:
    assert infer([told(NEXT, FOREVER)], lambda _: 1) == []
    assert infer([told(KEY, 0)], lambda _: 1) == []
    assert infer(enrolled(NO_BATCH)[:1], lambda _: 1) == []
    assert infer([told(KEY, 0), told(NEXT, FOREVER, name=bytes(32))], lambda _: 1) == []
    assert infer([told(KEY, 0), told(NEXT, FOREVER, value=b"\x02" + b"\xff" * 32)], lambda _: 1) == []
