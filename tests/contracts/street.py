"""A street under Brownie: keys that sign, and the acts that register a market, devices and homes."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

from brownie import accounts, chain, web3

from gridweave.domain.acts import (
    CreateMarket,
    Endorsement,
    KeyKind,
    Mandate,
    MeterRegistration,
    Permit,
    Possession,
    Underwrite,
)
from gridweave.domain.eip712 import Domain, digest
from gridweave.domain.orders import Order
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import address_of, device_id, secp256k1_point, sign_compact, to_rsv, to_vrs
from gridweave.domain.terms import MarketTerms

DEADLINE = 2**40 - 1
PURSE = 100_000_000  # micro


@dataclass(frozen=True)
class Home:
    """A home: the account's key, its device's key, and its meter."""

    key: bytes
    device_key: bytes
    meter: int

    @property
    def address(self) -> str:
        return address_of(self.key)


def mine_at(timestamp: int) -> None:
    """Makes a block at that chain time. Brownie's own `chain.mine(timestamp=...)` sends anvil a malformed request."""
    answer = web3.provider.make_request("evm_mine", [timestamp])
    assert "error" not in answer, answer


class Street:
    """Deployed contracts as Brownie sees them, by name, and the keys of whoever consents."""

    def __init__(self, contracts: dict[str, Any], keys: dict[str, bytes], relayer: Any) -> None:
        self.contracts, self.keys, self.relayer = contracts, keys, relayer

    def __getattr__(self, name: str) -> Any:
        return self.contracts[name]

    def address(self, role: str) -> str:
        return address_of(self.keys[role])

    def send(self, function: Any, *arguments: Any) -> Any:
        """The relayer's transaction: it holds no role and pays gas only."""
        return function(*arguments, {"from": self.relayer})

    def digest(self, contract: str, message: Any) -> bytes:
        domain = Domain.of(contract, chain.id, self.contracts[contract].address)
        return digest(domain, message)

    def act(self, contract: str, message: Any, key: bytes) -> tuple[str, int, int, bytes]:
        """The struct Act: `key`'s consent to `message`."""
        signature = to_rsv(sign_compact(key, self.digest(contract, message)))
        return address_of(key), message.nonce, message.deadline, signature

    def open_market(self, terms: MarketTerms) -> int:
        """Both sign the terms; returns the market's number."""
        operator = self.act("EnergyAuction", CreateMarket(terms, 1, DEADLINE), self.keys["operator"])
        utility = self.act("EnergyAuction", Underwrite(terms, 2, DEADLINE), self.keys["utility"])
        self.send(self.EnergyAuction.createMarket, astuple(terms), operator, utility)
        return int(self.EnergyAuction.marketCount())

    def move_in(self, market: int, key: bytes, device_key: bytes, nonce: int) -> Home:
        """Enrols a device, registers its meter with the account's mandate and fills the account's purse by permit."""
        account = address_of(key)
        device = self._enrol(device_key, account, nonce)
        registration = MeterRegistration(device, market, account, 20_000, 20_000, 1, True, nonce, DEADLINE)
        fields = (device, market, account, 20_000, 20_000, 1, True)
        operator = self.act("DERRegistry", registration, self.keys["operator"])
        mandate = self.act("DERRegistry", Mandate(device, market, account, nonce, DEADLINE), key)
        self.send(self.DERRegistry.registerMeter, fields, operator, mandate)
        self.fill_purse(key)
        return Home(key, device_key, int(self.DERRegistry.meterOfDevice(device)))

    def fill_purse(self, key: bytes) -> None:
        """Mints to the key's account and deposits all of it by permit."""
        account = address_of(key)
        minter = accounts.add(self.keys["minter"].hex())
        self.LocalCurrency.mint(account, PURSE, {"from": minter})
        permit = Permit(account, self.Vault.address, PURSE, self.LocalCurrency.nonces(account), DEADLINE)
        v, r, s = to_vrs(sign_compact(key, self.digest("LocalCurrency", permit)))
        self.send(self.Vault.depositWithPermit, account, PURSE, DEADLINE, v, r, s)

    def signed_order(self, home: Home, order: Order) -> tuple[bytes, bytes, bytes]:
        signature = sign_compact(home.key, self.digest("EnergyAuction", order))
        return order.pack(), signature[:32], signature[32:]

    def signed_reading(self, home: Home, reading: Reading) -> tuple[bytes, bytes, bytes]:
        signature = sign_compact(home.device_key, self.digest("MeterLedger", reading))
        return reading.pack(), signature[:32], signature[32:]

    def _enrol(self, device_key: bytes, owner: str, nonce: int) -> str:
        x, y = secp256k1_point(device_key)
        device, maker = device_id(x, y), self.keys["maker"]
        endorsement = Endorsement(device, address_of(maker), owner, 7, KeyKind.SECP256K1, x, y, nonce, DEADLINE)
        proof = sign_compact(
            device_key, self.digest("DeviceRegistry", Possession(device, address_of(maker), owner, DEADLINE))
        )
        self.send(
            self.DeviceRegistry.enrol,
            (device, owner, 7, int(KeyKind.SECP256K1), x, y),
            self.act("DeviceRegistry", endorsement, maker),
            (proof[:32], proof[32:]),
        )
        return device
