import pytest
from eth_utils.address import to_checksum_address

from gridweave.domain.addresses import address_bytes, checksum_address
from tests.support.seed import seeded

EIP55 = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)


@pytest.mark.parametrize("spelled", EIP55)
def test_checksum_address__of_the_standards_examples__is_as_there(spelled: str) -> None:
    assert checksum_address(spelled.lower()) == spelled
    assert checksum_address(spelled[2:].upper()) == spelled
    assert checksum_address(address_bytes(spelled)) == spelled


def test_checksum_address__of_random_bytes__is_what_wallets_say() -> None:
    rng = seeded("addresses")
    for raw in (rng.randbytes(20) for _ in range(200)):
        assert checksum_address(raw) == to_checksum_address(raw)


@pytest.mark.parametrize("wrong", ["", "0x", EIP55[0][:-1], EIP55[0] + "00", "0x" + "g" * 40])
def test_checksum_address__of_anything_else__is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"20 bytes|hexadecimal"):
        checksum_address(wrong)
