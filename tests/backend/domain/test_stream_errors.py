"""Refusals of batches, streams and grants carry the names, arguments and data of the TelemetryAnchor's errors."""

from __future__ import annotations

import pytest

from gridweave.chain.errors import reverted
from gridweave.domain import stream_errors
from gridweave.domain.errors import CallRefusal, NumberMalformed
from gridweave.domain.stream_book import require_count
from gridweave.domain.stream_errors import BodyCountDiffers, EpochOfFormerOwner, TooManyBatches

from .test_device_errors import declared

KINDS: list[type[CallRefusal]] = [getattr(stream_errors, name) for name in stream_errors.__all__]
OF_PROOFS = {
    *("BatchNotAnchored", "ReadingMalformed", "ReadingOutsideBatch", "ProofSizeDiffers", "ReadingNotProved"),
    *("RangeSizeOutOfRange", "RangeBroken"),
}
OF_ARGUMENTS = {"StreamModeMissing", "GasTooLowForBatch"}
"""No StreamMode is none; gas is no matter of the rules."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_error__of_a_stream__is_declared_there_alike(kind: type[CallRefusal]) -> None:
    said = tuple(
        parameter.replace("StreamId ", "bytes32 ") for parameter in declared("ITelemetryAnchor")[kind.__name__]
    )
    assert said == kind.parameters


def test_errors__of_the_anchor__all_stand_here() -> None:
    assert set(declared("ITelemetryAnchor")) - OF_PROOFS - OF_ARGUMENTS == set(stream_errors.__all__)


def test_data__of_an_error__is_read_as_that_error() -> None:
    parties = "0x" + "11" * 20, "0x" + "22" * 20
    said = reverted(EpochOfFormerOwner("0x" + "33" * 32, *parties).data)
    assert said.name == "EpochOfFormerOwner"
    assert dict(said.arguments) == {"stream": bytes.fromhex("33" * 32), "former": parties[0], "owner": parties[1]}
    assert reverted(TooManyBatches(101, 100).data).arguments == {"count": 101, "most": 100}


def test_data__of_an_error_with_text__is_refused() -> None:
    with pytest.raises(TypeError, match="string is no word"):
        _ = NumberMalformed("x", "digits").data


def test_require_count__given_too_many_or_too_few_bodies__refuses() -> None:
    with pytest.raises(TooManyBatches):
        require_count(101, 101)
    with pytest.raises(BodyCountDiffers):
        require_count(2, 1)
    require_count(100, 100)
