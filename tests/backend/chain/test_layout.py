from __future__ import annotations

import pytest

from gridweave.chain.layout import element_slot, entry_slot, member_slots, variable_slot


def test_variable_slot__given_no_variable_of_the_contract__says_so() -> None:
    with pytest.raises(KeyError, match="DeviceRegistry has no _nothing"):
        variable_slot("DeviceRegistry", "_nothing")
    with pytest.raises(KeyError, match="DeviceRegistry keeps no Nothing"):
        member_slots("DeviceRegistry", "Nothing")


def test_member_slots__given_a_device_s_record__are_those_of_its_comments() -> None:
    places = {"standing": 0, "holding": 1, "kept": 2, "earlier": 4, "proposal": 5, "offer": 6, "doubts": 7}
    assert member_slots("DeviceRegistry", "Record") == places


def test_slots__given_keys__are_solidity_s() -> None:
    """keccak256(key . slot) and keccak256(slot) + index."""
    key = "0x" + "11" * 20
    slot = entry_slot(0, key)
    assert entry_slot(0, bytes(12) + b"\x11" * 20) == slot == entry_slot(0, int(key, 16))
    assert entry_slot(3, 1, 2) == entry_slot(entry_slot(3, 1), 2)
    assert element_slot(0, 0) == 0x290DECD9548B62A8D60345A988386FC84BA6BC95484008F6362F93160EF3E563
    assert element_slot(0, 5) == element_slot(0, 0) + 5
