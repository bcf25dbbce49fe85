from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.client import DeviceKey, Keystore, KeystoreError, WrongPassword
from gridweave.domain import signatures
from gridweave.domain.acts import KeyKind
from gridweave.domain.eip712 import digest
from gridweave.domain.readings import Reading
from tests.backend.client.simulator import domain

READING = Reading(3, 1_628_400, 1, 250, 0)
BOTH = pytest.mark.parametrize("kind", list(KeyKind))


@BOTH
def test_load__given_the_wrong_password__says_so(tmp_path: Path, kind: KeyKind) -> None:
    DeviceKey.create(kind).save(tmp_path / "roof.pem", "right")
    with pytest.raises(WrongPassword):
        DeviceKey.load(tmp_path / "roof.pem", "wrong")


@BOTH
def test_load__after_save__is_the_same_device(tmp_path: Path, kind: KeyKind) -> None:
    key = DeviceKey.create(kind)
    key.save(tmp_path / "roof.pem", "right")
    loaded = DeviceKey.load(tmp_path / "roof.pem", "right")
    assert (loaded.kind, loaded.device, loaded.x, loaded.y) == (kind, key.device, key.x, key.y)
    assert stat.S_IMODE((tmp_path / "roof.pem").stat().st_mode) == 0o600
    assert b"ENCRYPTED" in (tmp_path / "roof.pem").read_bytes()


def test_save__without_a_password__is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="password"):
        DeviceKey.create(KeyKind.P256).save(tmp_path / "roof.pem", "")
    assert not (tmp_path / "roof.pem").exists()


def test_device_key__given_another_curve__is_refused() -> None:
    with pytest.raises(KeystoreError, match="secp384r1"):
        DeviceKey(ec.generate_private_key(ec.SECP384R1()))


@BOTH
def test_sign__given_a_reading__verifies_under_its_own_key_alone(kind: KeyKind) -> None:
    key, other = DeviceKey.create(kind), DeviceKey.create(kind)
    verify = signatures.verify_p256 if kind is KeyKind.P256 else signatures.verify_secp256k1
    hash_ = digest(domain("MeterLedger"), READING)
    signature = key.sign(domain("MeterLedger"), READING)
    assert verify(key.x, key.y, hash_, signature)
    assert not verify(other.x, other.y, hash_, signature)
    assert key.sign(domain("MeterLedger"), READING) == signature
    assert key.device == signatures.device_id(key.x, key.y)


def test_keystore__given_a_device_key__lists_it_apart_from_wallets(tmp_path: Path) -> None:
    keys = Keystore(tmp_path)
    made = keys.new_device("roof", KeyKind.P256, "x")
    assert [(key.name, key.kind) for key in keys] == [("roof", "device")]
    assert keys.device("roof", "x").device == made.device
