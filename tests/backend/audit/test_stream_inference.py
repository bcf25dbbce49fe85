"""Calls of the TelemetryAnchor and the FirmwareRegistry that nobody saw, found from what they said."""

from __future__ import annotations

import pytest

from gridweave.audit.firmware_calls import (
    ChangingKeys,
    OpeningModel,
    PausingRollout,
    ReleasingFirmware,
    RevokingRelease,
    SeenReceipt,
    SteppingRollout,
    TellingReceipts,
)
from gridweave.audit.inference import infer
from gridweave.audit.signed import SignedAct
from gridweave.audit.stream_calls import AnchoringBatches, BeginningEpoch, GrantingAccess, OpeningStream, SeenBatch
from gridweave.chain import events as chain
from gridweave.domain.addresses import ZERO_ADDRESS
from gridweave.domain.anchors import Span, StreamMode
from gridweave.domain.device_outcomes import FOREVER
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import InstallReceipt, Release, ReleaseRevocation

from .test_inference import HOME, UTILITY, event

STREAM, OTHER = b"\x05" * 32, b"\x06" * 32
SPAN = Span(0, 3, 10, 20, 1, 1, 0)
KEYS = (HOME, UTILITY)


def calls(*events: chain.Event) -> list[object]:
    return list(infer(events, lambda _: 1))


def unseen(signer: str) -> SignedAct:
    return SignedAct(signer, 0, 0, None)


def opened(mode: int = 1) -> chain.Event:
    return event(chain.StreamOpened, stream=STREAM, device=HOME, schema_hash=bytes(32), mode=mode)


def begun(stream: bytes = STREAM, epoch: int = 1) -> chain.Event:
    return event(chain.EpochBegun, stream=stream, owner=UTILITY, epoch=epoch, tip=0)


def anchored(stream: bytes = STREAM) -> chain.Event:
    word = int.from_bytes(SPAN.pack(), "big")
    return event(chain.BatchAnchored, stream=stream, span=word, head=bytes(32), root=b"\x01" * 32, body_hash=bytes(32))


def body(stream: bytes = STREAM) -> chain.Event:
    return event(chain.BodyAnchored, stream=stream, number=1, body=b"sealed")


def batch(sealed: bytes, stream: bytes = STREAM) -> AnchoringBatches:
    seen = SeenBatch(stream, SPAN, None, b"\x01" * 32, bytes(32), sealed, None)
    return AnchoringBatches((seen,), in_batch=False, bodies=1)


def test_infer__given_an_opened_stream__is_one_call_with_its_first_epoch() -> None:
    assert calls(opened(), begun()) == [OpeningStream(HOME, bytes(32), StreamMode.FULL, unseen(UTILITY))]


@pytest.mark.parametrize("mode", [0, 3])
def test_infer__given_a_mode_that_there_is_not__finds_no_opening(mode: int) -> None:
    assert calls(opened(mode), begun()) == []


def test_infer__given_an_epoch_of_another_stream__is_a_call_of_its_own() -> None:
    assert calls(opened(), begun(OTHER, 4)) == [
        OpeningStream(HOME, bytes(32), StreamMode.FULL, unseen(UTILITY)),
        BeginningEpoch(OTHER, 4, None, unseen(UTILITY)),
    ]


def test_infer__given_batches__takes_each_body_to_its_own() -> None:
    said = anchored(), body(), anchored(), anchored(OTHER), body(OTHER), body()
    assert calls(*said) == [batch(b"sealed"), batch(b""), batch(b"sealed", OTHER)]


def test_infer__given_a_refused_batch__finds_nothing() -> None:
    assert calls(event(chain.BatchRefused, stream=STREAM, span=0, reason=b"1234")) == []


def test_infer__given_a_grant__leaves_its_owner_to_the_stream() -> None:
    said = event(chain.AccessGranted, stream=STREAM, to=HOME, epoch=2, first_window=3, last_window=4, sealed_=b"x")
    assert calls(said) == [GrantingAccess(STREAM, HOME, 2, 3, 4, b"x", unseen(""))]


def test_infer__given_a_model_and_its_releases__finds_every_call() -> None:
    release = Release(7, 2, 0, 1, b"\x01" * 32, b"\x02" * 32, bytes(32), "here", 1, 0, 5)
    named = {"model": 7, "counter": 2}
    said = (
        event(chain.ModelOpened, model=7, maker=HOME, threshold=1, keys=KEYS),
        event(chain.ReleaseKeysChanged, model=7, version=2, threshold=2, keys=KEYS),
        event(chain.FirmwareReleased, **named, commitment=bytes(32), release=release),
        event(chain.FloorRaised, model=7, floor=1),
        event(chain.RolloutStepped, **named, state=4, share_bp=10_000, step=3),
        event(chain.RolloutPaused, **named, by=UTILITY, told=1, failures=0, step=4),
        event(chain.ReleaseRevoked, **named, since_block=9),
    )
    assert calls(*said) == [
        OpeningModel(7, KeySet(1, 1, KEYS), None, unseen(HOME)),
        ChangingKeys(7, KeySet(2, 2, KEYS), FOREVER, None),
        ReleasingFirmware(release, None),
        SteppingRollout(7, 2, 10_000),
        PausingRollout(7, 2, FOREVER, None, UTILITY),
        RevokingRelease(ReleaseRevocation(7, 2, 9, FOREVER), None),
    ]


def test_infer__given_a_receipt_that_stops_a_ramp__is_the_receipt_alone() -> None:
    named = {"model": 7, "counter": 2}
    told = event(chain.InstallTold, device=HOME, **named, failure_code=5, time=9)
    stopped = event(chain.RolloutPaused, **named, by=ZERO_ADDRESS, told=2, failures=2, step=4)
    refused = event(chain.ReceiptRefused, device=HOME, **named, reason=b"1234")
    receipt = SeenReceipt(InstallReceipt(HOME, 7, 2, 5, 9), None)
    assert calls(told, stopped, refused) == [TellingReceipts((receipt,), in_batch=False)]
