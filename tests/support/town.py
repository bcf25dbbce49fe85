"""A small town on a real chain: a market, homes with money, devices and meters, founded in a handful of blocks.

Time stands still until `mine`. Homes sign as people would; who sends what they sign is the test's business.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from gridweave.chain import Act, Call, Contracts, Signer
from gridweave.chain.types import Receipt
from gridweave.deployment import Deployment
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
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.hashing import keccak
from gridweave.domain.orders import Cancel, Order, Side
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import (
    address_of,
    device_id,
    p256_point,
    secp256k1_point,
    sign_compact,
    sign_p256,
    to_rsv,
)
from gridweave.domain.slots import SlotClock
from gridweave.domain.terms import MarketTerms
from gridweave.localnet import Clock, DevKeys, localnet
from tests.support.chains import TownChain
from tests.support.market_terms import make_terms

GENESIS = 1_800_000_000
MODEL = 7
FOREVER = 2**40 - 1
MONEY = 50_000_000
"""Micro that each home and the utility deposit."""

_GAS = 3_000_000
_nonces = itertools.count(1_000_000)
"""Far from those that tests choose, however many towns the process founded before."""


@dataclass(frozen=True)
class DeviceKeyPair:
    """A device's key on either curve."""

    kind: KeyKind
    secret: int

    @property
    def point(self) -> tuple[bytes, bytes]:
        if self.kind is KeyKind.P256:
            return p256_point(ec.derive_private_key(self.secret, ec.SECP256R1()))
        return secp256k1_point(self.secret.to_bytes(32, "big"))

    @property
    def device(self) -> str:
        return device_id(*self.point)

    def sign(self, hash_: bytes) -> bytes:
        """64 bytes."""
        if self.kind is KeyKind.P256:
            return sign_p256(ec.derive_private_key(self.secret, ec.SECP256R1()), hash_)
        return sign_compact(self.secret.to_bytes(32, "big"), hash_)


@dataclass(frozen=True)
class TestHome:
    """A home: its account's key, its device's key and its meter."""

    __test__ = False

    secret: bytes
    key: DeviceKeyPair
    meter: int

    @property
    def account(self) -> str:
        return address_of(self.secret)


@dataclass
class Town:
    """What stands, and what signing in it takes."""

    chain: TownChain
    deployment: Deployment
    contracts: Contracts
    terms: MarketTerms
    market: int = 1
    homes: list[TestHome] = field(default_factory=list)
    versions: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def clock(self) -> SlotClock:
        return SlotClock(self.deployment.slot_length)

    @property
    def keys(self) -> DevKeys:
        return self.chain.keys

    def domain(self, contract: str) -> Domain:
        return Domain.of(contract, self.deployment.chain_id, self.deployment.addresses[contract])

    async def now(self) -> int:
        return (await self.chain.node.head()).timestamp

    async def open_slot(self, ahead: int = 0) -> int:
        """The first slot whose gate is at least two minutes away, or a later one."""
        return self.clock.slot_at(await self.now() + self.terms.gate_lead + 120) + 1 + ahead

    def act(self, signer: Signer | bytes, contract: str, message: Message) -> Act:
        secret = signer if isinstance(signer, bytes) else signer.secret
        signature = to_rsv(sign_compact(secret, digest(self.domain(contract), message)))
        return Act.of(message, address_of(secret), signature)  # type: ignore[arg-type]

    def order(
        self, home: TestHome, slot: int, side: Side, energy_wh: int, limit_price: int, **changes: Any
    ) -> dict[str, Any]:
        """A signed order's body under the next version; `changes` to the order's fields, `secret` signs instead."""
        secret = changes.pop("secret", home.secret)
        version = changes.pop("version", None) or self._next_version(home.meter, slot)
        values: dict[str, Any] = {
            "market": self.market,
            "slot": slot,
            "meter": home.meter,
            "version": version,
            "deadline": self.terms.gate(slot, self.clock) - 1,
            "side": side,
            "energy_wh": energy_wh,
            "limit_price": limit_price,
        }
        order = Order(**(values | changes))
        signature = sign_compact(secret, digest(self.domain("EnergyAuction"), order))
        return {
            **_position(order),
            "side": "bid" if order.side is Side.BID else "ask",
            "energyWh": order.energy_wh,
            "limitPriceMicroPerKwh": order.limit_price,
            "signature": "0x" + signature.hex(),
        }

    def bid(self, home: TestHome, slot: int, energy_wh: int = 1_000, **changes: Any) -> dict[str, Any]:
        return self.order(home, slot, Side.BID, energy_wh, changes.pop("limit_price", 220_000), **changes)

    def ask(self, home: TestHome, slot: int, energy_wh: int = 1_000, **changes: Any) -> dict[str, Any]:
        return self.order(home, slot, Side.ASK, energy_wh, changes.pop("limit_price", 120_000), **changes)

    def cancel(self, home: TestHome, slot: int, **changes: Any) -> dict[str, Any]:
        """A signed cancel's body."""
        secret = changes.pop("secret", home.secret)
        version = changes.pop("version", None) or self._next_version(home.meter, slot)
        deadline = self.terms.gate(slot, self.clock) - 1
        cancel = Cancel(
            **(
                {"market": self.market, "slot": slot, "meter": home.meter, "version": version, "deadline": deadline}
                | changes
            )
        )
        signature = sign_compact(secret, digest(self.domain("EnergyAuction"), cancel))
        return {**_position(cancel), "signature": "0x" + signature.hex()}

    def reading(
        self, home: TestHome, slot: int, import_wh: int, export_wh: int, version: int = 1, **changes: Any
    ) -> dict[str, Any]:
        """A signed reading's body."""
        key: DeviceKeyPair = changes.pop("key", home.key)
        reading = Reading(home.meter, slot, version, import_wh, export_wh)
        signature = key.sign(digest(self.domain("MeterLedger"), reading))
        return {
            "meter": reading.meter,
            "slot": slot,
            "version": version,
            "importWh": import_wh,
            "exportWh": export_wh,
            "signature": "0x" + signature.hex(),
        }

    async def send(self, calls: Sequence[Call], gas: int = _GAS) -> list[Receipt]:
        """Sends calls with the admin's key, eight to a block, and mines them. Fails if one fails."""
        admin, node = self.keys["admin"], self.chain.node
        receipts: list[Receipt] = []
        fees = self.chain.profile().fees((await node.head()).base_fee)
        nonce = await node.nonce(admin.address)
        signed = [
            admin.sign(call, nonce=nonce + at, fees=fees, chain_id=self.chain.chain_id, gas=gas)
            for at, call in enumerate(calls)
        ]
        for start in range(0, len(signed), 8):
            stretch = signed[start : start + 8]
            for result in await node.send_raws([entry.raw for entry in stretch]):
                assert isinstance(result, bytes), result
            await self.chain.mine()
            for entry in stretch:
                receipt = await node.receipt(entry.hash)
                assert receipt is not None
                assert receipt.succeeded, f"call {entry.nonce - nonce} failed"
                receipts.append(receipt)
        return receipts

    def deposit_calls(self, secret: bytes, amount: int, nonce: int = 0) -> list[Call]:
        """Money out of nothing, and a permit to put it into the Vault."""
        account = address_of(secret)
        permit = Permit(account, self.contracts.vault.address, amount, nonce, FOREVER)
        signature = to_rsv(sign_compact(secret, digest(self.domain("LocalCurrency"), permit)))
        return [
            self.contracts.currency.mint(account, amount),
            self.contracts.vault.deposit_with_permit(account, amount, FOREVER, signature),
        ]

    def endorsement(self, key: DeviceKeyPair, owner: str, deadline: int = FOREVER) -> Endorsement:
        maker = self.keys["maker"].address
        return Endorsement(key.device, maker, owner, MODEL, key.kind, *key.point, next(_nonces), deadline)

    def possession(self, key: DeviceKeyPair, owner: str, deadline: int = FOREVER) -> bytes:
        proof = Possession(key.device, self.keys["maker"].address, owner, deadline)
        return key.sign(digest(self.domain("DeviceRegistry"), proof))

    def enrol_call(self, key: DeviceKeyPair, owner: str) -> Call:
        endorsement = self.endorsement(key, owner)
        signature = self.act(self.keys["maker"], "DeviceRegistry", endorsement).signature
        return self.contracts.devices.enrol(endorsement, signature, self.possession(key, owner))

    def meter_call(self, key: DeviceKeyPair, secret: bytes) -> Call:
        account = address_of(secret)
        registration = MeterRegistration(
            key.device, self.market, account, 2_000_000, 2_000_000, 1, True, next(_nonces), FOREVER
        )
        mandate = Mandate(key.device, self.market, account, next(_nonces), FOREVER)
        operator = self.act(self.keys["operator"], "DERRegistry", registration)
        return self.contracts.meters.register_meter(registration, operator, self.act(secret, "DERRegistry", mandate))

    def market_call(self) -> Call:
        created = CreateMarket(self.terms, next(_nonces), FOREVER)
        underwritten = Underwrite(self.terms, next(_nonces), FOREVER)
        operator = self.act(self.keys["operator"], "EnergyAuction", created)
        utility = self.act(self.keys["utility"], "EnergyAuction", underwritten)
        return self.contracts.auction.create_market(self.terms, operator, utility)

    async def settle_in(self, count: int, money: int = MONEY) -> list[TestHome]:
        """More homes: enrolled, metered and with money. Every second device signs on P-256."""
        first = len(self.homes)
        fresh = [draw_home(number) for number in range(first, first + count)]
        calls = [call for secret, key in fresh for call in (self.enrol_call(key, address_of(secret)),)]
        await self.send(calls)
        await self.send([self.meter_call(key, secret) for secret, key in fresh])
        await self.send([call for secret, _ in fresh for call in self.deposit_calls(secret, money)])
        added = [TestHome(secret, key, first + at + 1) for at, (secret, key) in enumerate(fresh)]
        self.homes += added
        return added

    def _next_version(self, meter: int, slot: int) -> int:
        self.versions[(meter, slot)] = self.versions.get((meter, slot), 0) + 1
        return self.versions[(meter, slot)]


def draw_home(number: int) -> tuple[bytes, DeviceKeyPair]:
    """Account secret and device key of a home, always the same for its number."""
    kind = KeyKind.P256 if number % 2 else KeyKind.SECP256K1
    secret = int.from_bytes(keccak(f"device {number}".encode())[1:], "big")
    return keccak(f"account {number}".encode()), DeviceKeyPair(kind, secret)


@asynccontextmanager
async def founded(path: Path, homes: int = 4, **terms: Any) -> AsyncIterator[Town]:
    """A town on a chain of its own in the folder `path`, for the length of a block. `terms` change the market's."""
    async with localnet(path, clock=Clock.MANUAL, genesis_time=GENESIS) as chain:
        yield await found(chain, homes, **terms)


async def found(chain: TownChain, homes: int = 4, **terms: Any) -> Town:
    """A town on any chain. `terms` change the market's."""
    deployment = await chain.deploy()
    parties = {"utility": chain.keys["utility"].address, "operator": chain.keys["operator"].address}
    town = Town(chain, deployment, deployment.bundle(chain.node), make_terms(**(parties | terms)))
    await town.send([town.market_call(), *town.deposit_calls(chain.keys["utility"].secret, 20 * MONEY)])
    await town.settle_in(homes)
    return town


def _position(act: Order | Cancel) -> dict[str, Any]:
    return {
        "market": act.market,
        "slot": act.slot,
        "meter": act.meter,
        "version": act.version,
        "deadline": act.deadline,
    }
