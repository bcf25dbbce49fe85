from __future__ import annotations

import pytest

from gridweave.audit import CONTRACTS, AddressBook, WrongChain


def test_address_book__given_the_addresses_of_a_time_without_bonds__names_what_is_missing() -> None:
    addresses = {name: "0x" + "01" * 20 for name in CONTRACTS if name != "RelayerBond"}
    with pytest.raises(WrongChain, match=r"^no address of RelayerBond$"):
        AddressBook(1, addresses)
