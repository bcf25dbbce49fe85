"""Keys that pay gas, and how they are loaded: from a keystore, the environment or a local chain's files.

A key is never printed: `Signer` shows its address only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coincurve
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32

from gridweave.chain.hexes import from_hex
from gridweave.chain.profile import Fees
from gridweave.chain.types import Call
from gridweave.domain.addresses import checksum_address
from gridweave.domain.signatures import compact_by

__all__ = ["KeyUnusable", "SignedTransaction", "Signer", "load_signer"]


class KeyUnusable(Exception):
    """The key cannot be loaded; the message says what to change and never holds the key."""


@dataclass(frozen=True)
class SignedTransaction:
    """Bytes for `Node.send_raw`. The same call, nonce, gas and fees always give the same bytes."""

    hash: bytes
    raw: bytes
    nonce: int


class Signer:
    """A private key that signs transactions and 32-byte digests."""

    def __init__(self, secret: bytes) -> None:
        try:
            self._account: LocalAccount = Account.from_key(secret)
        except Exception as error:
            raise KeyUnusable("a key is 32 bytes, not zero and below the curve's order") from error
        self._key = coincurve.PrivateKey(secret)
        self.address = checksum_address(self._account.address)

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, call: Call, *, nonce: int, fees: Fees, chain_id: int, gas: int | None = None) -> SignedTransaction:
        """The call as a signed transaction. `gas` defaults to the call's own; ValueError if neither says it."""
        limit = call.gas if gas is None else gas
        if limit is None:
            raise ValueError("a transaction names its gas limit")
        fields: dict[str, Any] = {
            "chainId": chain_id,
            "nonce": nonce,
            "gas": limit,
            "value": call.value,
            "data": call.data,
            **_fee_fields(fees),
        }
        if call.to is not None:
            fields["to"] = call.to
        signed = self._account.sign_transaction(fields)
        return SignedTransaction(bytes(signed.hash), bytes(signed.raw_transaction), nonce)

    def sign_digest(self, digest: bytes) -> bytes:
        """r, s, v (27 or 28) over a 32-byte digest, 65 bytes."""
        return bytes(self._account.unsafe_sign_hash(Hash32(digest)).signature)

    def sign_compact(self, digest: bytes) -> bytes:
        """The ERC-2098 signature over a 32-byte digest, 64 bytes."""
        return compact_by(self._key, digest)

    @property
    def secret(self) -> bytes:
        """The private key, for the few places that sign with other means. Never log it."""
        return bytes(self._account.key)


def load_signer(
    *,
    keystore: Path | None = None,
    password: str | None = None,
    password_file: Path | None = None,
    key_file: Path | None = None,
    variable: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Signer:
    """The signer behind exactly one of `keystore` (JSON v3), `key_file` (plain hex, local chains) and `variable`.

    `variable` names an environment variable that holds the key in hex. Raises KeyUnusable.
    """
    sources = [source for source in (keystore, key_file, variable) if source is not None]
    if len(sources) != 1:
        raise KeyUnusable("name one source of the key: a keystore, a key file or an environment variable")
    if keystore is not None:
        return Signer(_from_keystore(keystore, _password(password, password_file)))
    if key_file is not None:
        return Signer(_hex_key(_read(key_file), str(key_file)))
    values = os.environ if environment is None else environment
    if variable is None or not values.get(variable):
        raise KeyUnusable(f"the environment variable {variable} is empty: put the key into it, in hex")
    return Signer(_hex_key(values[variable], variable))


def _from_keystore(path: Path, password: str) -> bytes:
    try:
        return bytes(Account.decrypt(json.loads(_read(path)), password))
    except (ValueError, KeyError, TypeError) as error:
        raise KeyUnusable(f"{path} does not open: wrong password, or no keystore of version 3") from error


def _password(password: str | None, path: Path | None) -> str:
    if password is not None:
        return password
    if path is None:
        raise KeyUnusable("a keystore needs its password: name a password file")
    return _read(path).rstrip("\r\n")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"{path} cannot be read") from error


def _hex_key(text: str, place: str) -> bytes:
    try:
        return from_hex(text.strip())
    except ValueError as error:
        raise KeyUnusable(f"{place} holds no key in hex") from error


def _fee_fields(fees: Fees) -> dict[str, int]:
    if fees.priority is None:
        return {"gasPrice": fees.most}
    return {"maxFeePerGas": fees.most, "maxPriorityFeePerGas": fees.priority, "type": 2}
