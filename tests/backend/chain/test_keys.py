"""Keys: where they come from, what they sign, and that they never show."""

from __future__ import annotations

import json

import pytest
from eth_account import Account

from gridweave.chain import Call, Fees, KeyUnusable, Signer, load_signer

SECRET = bytes.fromhex("42" * 32)
ADDRESS = Account.from_key(SECRET).address
CALL = Call("0x" + "11" * 20, b"\1\2", value=3, gas=50_000)


@pytest.fixture
def keystore(tmp_path):
    path = tmp_path / "relayer.json"
    path.write_text(json.dumps(Account.encrypt(SECRET, "correct horse", kdf="scrypt", iterations=2)))
    return path


def test_load_signer__given_no_source_or_two__refuses(keystore):
    with pytest.raises(KeyUnusable, match="one source"):
        load_signer()
    with pytest.raises(KeyUnusable, match="one source"):
        load_signer(keystore=keystore, password="x", variable="KEY")


def test_load_signer__given_a_wrong_password__refuses(keystore):
    with pytest.raises(KeyUnusable, match="wrong password"):
        load_signer(keystore=keystore, password="battery staple")


def test_load_signer__given_a_keystore_without_password__says_what_is_missing(keystore):
    with pytest.raises(KeyUnusable, match="password file"):
        load_signer(keystore=keystore)


@pytest.mark.parametrize("value", ["", "no hex", "0x" + "00" * 32, "0x1234"])
def test_load_signer__given_an_unusable_variable__refuses_without_showing_it(value):
    with pytest.raises(KeyUnusable) as raised:
        load_signer(variable="RELAYER_KEY", environment={"RELAYER_KEY": value})
    assert not value or value not in str(raised.value)


def test_load_signer__given_a_missing_file__names_it(tmp_path):
    with pytest.raises(KeyUnusable, match=r"nothing\.json"):
        load_signer(keystore=tmp_path / "nothing.json", password="x")


def test_load_signer__given_each_source__finds_the_key(keystore, tmp_path):
    password_file, key_file = tmp_path / "password", tmp_path / "dev-key"
    password_file.write_text("correct horse\n")
    key_file.write_text("0x" + SECRET.hex() + "\n")
    found = [
        load_signer(keystore=keystore, password="correct horse"),
        load_signer(keystore=keystore, password_file=password_file),
        load_signer(key_file=key_file),
        load_signer(variable="KEY", environment={"KEY": SECRET.hex()}),
    ]
    assert [signer.address for signer in found] == [ADDRESS] * 4


def test_signer__when_shown__shows_no_secret():
    assert repr(Signer(SECRET)) == f"Signer({ADDRESS})"


@pytest.mark.parametrize(("fees", "kind"), [(Fees(30, 2), 2), (Fees(30, None), 0)])
def test_sign__given_fees_of_either_kind__is_recovered_as_the_signers(fees, kind):
    signed = Signer(SECRET).sign(CALL, nonce=5, fees=fees, chain_id=77)
    assert Account.recover_transaction(signed.raw) == ADDRESS
    assert (signed.raw[0] == 2) is (kind == 2)
    assert signed.nonce == 5


def test_sign__given_the_same_call_twice__gives_the_same_bytes():
    one, two = (Signer(SECRET).sign(CALL, nonce=5, fees=Fees(30, 2), chain_id=77) for _ in range(2))
    assert one == two


def test_sign__given_no_gas__refuses():
    with pytest.raises(ValueError, match="gas"):
        Signer(SECRET).sign(Call(None, b""), nonce=0, fees=Fees(1, None), chain_id=1)


def test_sign_digest__given_a_digest__is_recovered_as_the_signers():
    signature = Signer(SECRET).sign_digest(b"\5" * 32)
    assert len(signature) == 65
    assert Account._recover_hash(b"\5" * 32, signature=signature) == ADDRESS
