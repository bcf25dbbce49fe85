"""The example in docs/telemetry.md is what the domain computes: inputs are read from the page, bytes compared."""

from __future__ import annotations

import inspect
import re

from gridweave.domain.eip712 import TYPES
from gridweave.domain.telemetry import errors
from tests.support.telemetry_example import PAGE, Example, table


def test_page__example__follows_from_what_is_given() -> None:
    said = {row["what"]: row["value"] for row in table("What follows")}
    found = Example().results()
    assert said == {name.replace(" ", ""): value.replace(" ", "") for name, value in found.items()}


def test_page__segment__is_the_type_that_is_signed() -> None:
    assert TYPES["Segment"].declaration in PAGE.read_text()


def test_page__refusals__are_classes_of_telemetry() -> None:
    kinds = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
    text = PAGE.read_text().split("## Example")[0]
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text)) - {"TelemetryAnchor"}
    assert named <= kinds
    assert len(named) > 20
