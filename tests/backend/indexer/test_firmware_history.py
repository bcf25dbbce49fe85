"""Firmware's events as history tells them: releases by their fields, keys as accounts that one can ask for."""

from __future__ import annotations

import json

from gridweave.chain.event import Event
from gridweave.chain.firmware_events import FirmwareReleased, InstallTold, ModelOpened, ReceiptRefused
from gridweave.domain.firmware.errors import NotInRamp
from gridweave.domain.firmware.messages import Release
from gridweave.indexer.history import History

PLACE = ("0x" + "11" * 20, 7, b"\2" * 32, b"\3" * 32, 4, 5)
MAKER, KEY, OTHER, DEVICE = ("0x" + digit * 40 for digit in "abcd")
RELEASE = Release(
    7, 5, 3, 2**60, b"\1" * 32, b"\2" * 32, bytes(32), "https://example.org/größe", 4, 2_500, 1_900_000_000
)


def told(event: Event) -> tuple[dict[str, object], set[str]]:
    """Its arguments, and what it can be asked for by."""
    history = History()
    history.add(event, {"block_number": 7, "tx_hash": "0x33"})
    rows = history.rows()
    return json.loads(rows["history"][0]["args"]), {row["subject"] for row in rows["history_subjects"]}


def test_history__of_a_release__tells_its_fields() -> None:
    arguments, _ = told(FirmwareReleased(*PLACE, 7, 5, b"\4" * 32, RELEASE))
    assert arguments["commitment"] == "0x" + "04" * 32
    assert arguments["release"] == {
        "model": 7,
        "counter": 5,
        "floor": 3,
        "imageSize": str(2**60),
        "imageHash": "0x" + "01" * 32,
        "manifestHash": "0x" + "02" * 32,
        "bomHash": "0x" + "00" * 32,
        "source": "https://example.org/größe",
        "leastReceipts": 4,
        "failureLimitBp": 2_500,
        "deadline": 1_900_000_000,
    }


def test_history__of_an_opened_model__names_maker_and_keys() -> None:
    arguments, subjects = told(ModelOpened(*PLACE, 7, MAKER, 2, (KEY, OTHER)))
    assert arguments == {"model": 7, "maker": MAKER, "threshold": 2, "keys": [KEY, OTHER]}
    assert {f"account:{who}" for who in (MAKER, KEY, OTHER)} <= subjects


def test_history__of_a_receipt__is_the_devices() -> None:
    _, subjects = told(InstallTold(*PLACE, DEVICE, 7, 5, 0, 1_900_000_000))
    assert f"device:{DEVICE}" in subjects
    arguments, subjects = told(ReceiptRefused(*PLACE, DEVICE, 7, 5, NotInRamp.selector()))
    assert arguments["reason"] == "NotInRamp"
    assert f"device:{DEVICE}" in subjects
