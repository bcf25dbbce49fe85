from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from gridweave.client import Keystore, KeystoreError, Wallet, WrongPassword
from gridweave.client.errors import KeyNotFound
from gridweave.domain.acts import KeyKind, Withdrawal
from gridweave.domain.eip712 import typed_data
from tests.backend.client.simulator import domain

KEY = bytes(range(1, 33))
WITHDRAWAL = Withdrawal("0x" + "11" * 20, "0x" + "22" * 20, 5_000_000, 7, 1_465_513_200)


def test_load__given_the_wrong_password__says_so(tmp_path: Path) -> None:
    Wallet(KEY).save(tmp_path / "home.json", "right")
    with pytest.raises(WrongPassword, match=r"home\.json"):
        Wallet.load(tmp_path / "home.json", "wrong")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 3}', '{"version": 1, "crypto": {}}'])
def test_load__given_no_keystore_file__names_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "home.json").write_text(content)
    with pytest.raises(KeystoreError, match=r"home\.json"):
        Wallet.load(tmp_path / "home.json", "x")


def test_save__given_an_existing_file__never_overwrites(tmp_path: Path) -> None:
    Wallet(KEY).save(tmp_path / "home.json", "a")
    before = (tmp_path / "home.json").read_bytes()
    with pytest.raises(KeystoreError, match="exists already"):
        Wallet.create().save(tmp_path / "home.json", "b")
    assert (tmp_path / "home.json").read_bytes() == before


def test_save__when_done__only_its_owner_can_read_an_encrypted_key(tmp_path: Path) -> None:
    Wallet(KEY).save(tmp_path / "home.json", "pässword")
    mode = stat.S_IMODE((tmp_path / "home.json").stat().st_mode)
    text = (tmp_path / "home.json").read_text()
    assert mode == 0o600
    assert KEY.hex() not in text
    assert json.loads(text)["crypto"]["kdf"] == "scrypt"


def test_save__when_opened_by_another_program__gives_the_same_key(tmp_path: Path) -> None:
    Wallet(KEY).save(tmp_path / "home.json", "pässword")
    opened = Account.decrypt(json.loads((tmp_path / "home.json").read_text()), "pässword")
    assert bytes(opened) == KEY
    assert Wallet.load(tmp_path / "home.json", "pässword").address == Account.from_key(KEY).address


def test_sign_act__given_a_message__is_what_another_wallet_signs() -> None:
    signed = Account.sign_message(encode_typed_data(full_message=typed_data(domain("Vault"), WITHDRAWAL)), KEY)
    assert Wallet(KEY).sign_act(domain("Vault"), WITHDRAWAL) == bytes(signed.signature)


def test_repr__given_a_wallet__shows_the_address_only() -> None:
    assert repr(Wallet(KEY)) == f"Wallet({Account.from_key(KEY).address})"
    assert KEY.hex() not in repr(vars(Wallet) if hasattr(Wallet, "__dict__") else "")


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, b"\x01" * 31])
def test_wallet__given_no_private_key__is_refused(key: bytes) -> None:
    with pytest.raises(KeystoreError):
        Wallet(key)


def test_create__called_twice__gives_different_keys() -> None:
    assert Wallet.create().address != Wallet.create().address


def test_keystore__given_an_unknown_name__names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(KeyNotFound, match="gridweave keys new ghost"):
        Keystore(tmp_path).wallet("ghost", "x")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 65])
def test_keystore__given_a_name_that_is_no_file_name__is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeystoreError):
        Keystore(tmp_path).add_wallet(name, Wallet(KEY), "x")


def test_keystore__given_two_keys__lists_both_and_opens_one(tmp_path: Path) -> None:
    keys = Keystore(tmp_path / "keys")
    wallet = Wallet.create()
    keys.add_wallet("home", wallet, "x")
    Wallet(KEY).save(tmp_path / "keys" / "other.json", "y")
    assert [(key.name, key.kind, key.address) for key in keys] == [
        ("home", "wallet", wallet.address),
        ("other", "wallet", Wallet(KEY).address),
    ]
    assert keys.wallet("home", "x").address == keys.address_of("home") == wallet.address
    with pytest.raises(KeystoreError, match="already"):
        keys.add_wallet("home", Wallet.create(), "z")


def test_keystore__given_a_file_that_names_no_address__lists_it_without_one(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"address": "0x12"}')
    assert [(key.name, key.address) for key in Keystore(tmp_path)] == [("odd", None)]
    with pytest.raises(KeystoreError, match="no address"):
        Keystore(tmp_path).address_of("odd")


def test_address_of__of_a_devices_key__asks_for_the_devices_id(tmp_path: Path) -> None:
    Keystore(tmp_path).new_device("roof", KeyKind.P256, "secret")
    with pytest.raises(KeyNotFound, match="by its id"):
        Keystore(tmp_path).address_of("roof")
