"""Every request that can be posted, signed by whomever a test names, and the call that the contract would get of it."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from gridweave.chain import Act, Call, DeviceRegistry
from gridweave.chain.contracts import SignedBatch
from gridweave.client import wire
from gridweave.client.wire import SignedAct
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    AssetState,
    AssetStateReport,
    ChangeMarket,
    CreateMarket,
    DeviceStatus,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    Permit,
    Possession,
    PostBond,
    StatusChange,
    Unbond,
    Underwrite,
    UnderwriteChange,
    Withdrawal,
)
from gridweave.domain.anchors import NO_HEAD, StreamMode, Tip
from gridweave.domain.anchors import Batch as StreamBatch
from gridweave.domain.delegations import Delegation
from gridweave.domain.device_acts import (
    BatchClosing,
    BatchRegistration,
    Claim,
    CompromiseNotice,
    Handover,
    KeyAdoption,
    KeyProposal,
    KeyRotation,
    RotationVeto,
    TransferAcceptance,
    TransferOffer,
)
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.hashing import keccak
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import address_of, sign_compact, to_rsv
from gridweave.domain.stream_acts import GrantAccess, NewEpoch, OpenStream
from gridweave.domain.telemetry.schema import Channel, Schema
from tests.support.town import FOREVER, MODEL, DeviceKeyPair, TestHome, Town

_nonces = itertools.count(5_000_000)
_versions = itertools.count(1)
_energies = itertools.count(1)
_seconds = itertools.count(1)


@dataclass(frozen=True)
class Party:
    """Who signs: by a key, in the name of `address`, which is the key's own or a wallet's."""

    name: str
    secret: bytes
    address: str = ""

    @property
    def account(self) -> str:
        return self.address or address_of(self.secret)


@dataclass(frozen=True)
class Posted:
    """A request: where it is posted, what, and the call that carries the same to the contract."""

    path: str
    body: dict[str, Any]
    call: Call | None = None


Signer = Party | DeviceKeyPair
"""Whoever signs in a device's name: its key, or somebody who tries."""


class Acts:
    """Makes requests about a town. `elsewhere` replaces the domain that is signed for, `deadline` how long it holds."""

    def __init__(self, town: Town, *, elsewhere: Any = None, deadline: int = FOREVER) -> None:
        self.town = town
        self.elsewhere = elsewhere or (lambda domain: domain)
        self.deadline = deadline

    # orders

    def order(self, home: TestHome, by: Party, slot: int) -> Posted:
        order = Order(**self._place(home, slot), side=Side.BID, energy_wh=100, limit_price=200_000)
        signature = self._compact(by, "EnergyAuction", order)
        return Posted("orders", wire.order_json(order, signature))

    def cancel(self, home: TestHome, by: Party, slot: int) -> Posted:
        cancel = Cancel(**self._place(home, slot))
        return Posted("cancels", wire.cancel_json(cancel, self._compact(by, "EnergyAuction", cancel)))

    def schedule(self, home: TestHome, by: Party, slot: int, account: str = "") -> Posted:
        line = Order(**self._place(home, slot), side=Side.ASK, energy_wh=100, limit_price=200_000)
        said = Schedule(account or home.account, (line,))
        signature = self._compact(by, "EnergyAuction", said)
        call = self.town.contracts.auction.place_schedule(said.account, [line.pack()], signature)
        return Posted("schedules", wire.schedule_json(said, signature), call)

    def cancel_schedule(self, home: TestHome, by: Party, slot: int, account: str = "") -> Posted:
        line = Cancel(**self._place(home, slot))
        said = CancelSchedule(account or home.account, (line,))
        signature = self._compact(by, "EnergyAuction", said)
        call = self.town.contracts.auction.cancel_schedule(said.account, [line.pack()], signature)
        return Posted("cancel-schedules", wire.cancel_schedule_json(said, signature), call)

    def delegation(self, account: str, by: Party, delegate: str, until: int = FOREVER) -> Posted:
        scope = 0, (), 1_000, 100_000, 300_000, until
        said = Delegation(account, delegate, *scope, next(_nonces), self.deadline)
        act = self._act(by, "EnergyAuction", said)
        body = wire.delegation_json(said, act.signature) | {"act": _json(act)}
        return Posted("delegations", body, self.town.contracts.auction.set_delegation(said, act))

    # readings and devices

    def reading(self, home: TestHome, by: Party | DeviceKeyPair, slot: int) -> Posted:
        reading = Reading(home.meter, slot, 1, next(_energies), 0)
        hash_ = digest(self._domain("MeterLedger"), reading)
        signature = by.sign(hash_) if isinstance(by, DeviceKeyPair) else sign_compact(by.secret, hash_)
        return Posted("readings", wire.reading_json(reading, signature))

    def enrolment(self, key: DeviceKeyPair, owner: str, by: Party) -> Posted:
        endorsement = replace(self.town.endorsement(key, owner, self.deadline), maker=by.account, nonce=next(_nonces))
        possession = self._possession(key, endorsement.maker, owner)
        act = self._act(by, "DeviceRegistry", endorsement)
        call = self.town.contracts.devices.enrol(endorsement, act.signature, possession)
        return Posted("devices", wire.enrolment_json(endorsement, _signed(act), possession), call)

    def status(self, device: str, by: Party, status: DeviceStatus = DeviceStatus.SUSPENDED) -> Posted:
        said = StatusChange(device, status, next(_nonces), self.deadline)
        act = self._act(by, "DeviceRegistry", said)
        call = self.town.contracts.devices.set_status(device, said.status, act)
        return Posted(f"devices/{device}/status", wire.status_json(said.status, _signed(act)), call)

    # a device's life: `signer` is the key that speaks for it, `by` a person

    def batch(self, root: bytes, by: Party, size: int = 1, model: int = MODEL) -> Posted:
        said = BatchRegistration(root, model, size, next(_nonces), self.deadline)
        act = self._act(by, "DeviceRegistry", said)
        body = {"root": _hex(root), "model": model, "size": size, "maker": _json(act)}
        return Posted("device-batches", body, self._devices.register_batch(root, model, size, act))

    def closing(self, root: bytes, by: Party) -> Posted:
        act = self._act(by, "DeviceRegistry", BatchClosing(root, next(_nonces), self.deadline))
        return Posted(f"device-batches/{_hex(root)}/closing", {"act": _json(act)}, self._devices.close_batch(root, act))

    def claim(
        self, key: DeviceKeyPair, owner: str, root: bytes, proof: Sequence[bytes] = (), signer: Signer | None = None
    ) -> Posted:
        said = Claim(key.device, root, owner, self.deadline)
        word = self._word(signer or key, said)
        body = {"batch": _hex(root), "owner": owner, **_key(key), "deadline": self.deadline}
        body |= {"proof": [_hex(sibling) for sibling in proof], "signature": _hex(word)}
        return Posted("device-claims", body, self._devices.claim(said, key.public, proof, word))

    def rotation(
        self, device: str, present: DeviceKeyPair, following: DeviceKeyPair, nonce: int, signer: Signer | None = None
    ) -> Posted:
        said = KeyRotation(device, following.kind, *following.point, nonce, self.deadline)
        word = self._word(signer or present, said)
        call = self._devices.rotate(device, present.public, following.public, self.deadline, word)
        return Posted(f"devices/{device}/key", _key_word(following, nonce, self.deadline, word), call)

    def proposal(self, device: str, following: DeviceKeyPair, by: Party) -> Posted:
        said = KeyProposal(device, following.kind, *following.point, next(_nonces), self.deadline)
        act = self._act(by, "DeviceRegistry", said)
        call = self._devices.propose_rotation(device, following.public, act)
        return Posted(f"devices/{device}/key-proposal", _key(following) | {"act": _json(act)}, call)

    def veto(
        self, device: str, present: DeviceKeyPair, proposed: str, nonce: int, signer: Signer | None = None
    ) -> Posted:
        word = self._word(signer or present, RotationVeto(device, proposed, nonce, self.deadline))
        call = self._devices.veto_rotation(device, present.public, self.deadline, word)
        body = {"key": proposed, "nonce": nonce, "deadline": self.deadline, "signature": _hex(word)}
        return Posted(f"devices/{device}/key-veto", body, call)

    def adoption(
        self, device: str, present: DeviceKeyPair, following: DeviceKeyPair, nonce: int, signer: Signer | None = None
    ) -> Posted:
        said = KeyAdoption(device, following.kind, *following.point, nonce, self.deadline)
        word = self._word(signer or following, said)
        call = self._devices.complete_rotation(device, present.public, following.public, self.deadline, word)
        return Posted(f"devices/{device}/key-adoption", _key_word(following, nonce, self.deadline, word), call)

    def kept_key(self, device: str, present: DeviceKeyPair) -> Posted:
        return Posted(f"devices/{device}/kept-key", {}, self._devices.keep_key(device, present.public))

    def compromise(self, device: str, present: DeviceKeyPair, by: Party, since_block: int = 1) -> Posted:
        act = self._act(by, "DeviceRegistry", CompromiseNotice(device, since_block, next(_nonces), self.deadline))
        call = self._devices.note_compromise(device, since_block, present.public, act)
        return Posted(f"devices/{device}/compromise", {"sinceBlock": since_block, "act": _json(act)}, call)

    def offer(self, device: str, to: str, by: Party, until: int = FOREVER) -> Posted:
        act = self._act(by, "DeviceRegistry", TransferOffer(device, to, until, next(_nonces), self.deadline))
        call = self._devices.offer_transfer(device, to, until, act)
        return Posted(f"devices/{device}/offer", {"to": to, "until": until, "act": _json(act)}, call)

    def transfer(
        self, device: str, owner: str, by: Party, present: DeviceKeyPair, nonce: int, signer: Signer | None = None
    ) -> Posted:
        act = self._act(by, "DeviceRegistry", TransferAcceptance(device, owner, next(_nonces), self.deadline))
        handover = self._word(signer or present, Handover(device, owner, by.account, nonce, self.deadline))
        body = {"owner": owner, "act": _json(act), "handover": _hex(handover)}
        return Posted(
            f"devices/{device}/transfer", body, self._devices.accept_transfer(device, present.public, act, handover)
        )

    # telemetry

    def stream(self, device: str, by: Party, of: str = "power") -> Posted:
        schema = schema_of(of)
        said = OpenStream(device, schema.hash, StreamMode.FULL, next(_nonces), self.deadline)
        act = self._act(by, "TelemetryAnchor", said)
        body = {"device": device, "schema": _hex(schema.encode()), "mode": "full", "owner": _json(act)}
        return Posted("streams", body, self.town.contracts.anchors.open(device, schema.hash, said.mode, act))

    def epoch(self, stream: bytes, by: Party, tip: Tip | None = None) -> Posted:
        said = NewEpoch(stream, 2, next(_nonces), self.deadline)
        act = self._act(by, "TelemetryAnchor", said)
        call = self.town.contracts.anchors.new_epoch(stream, 2, tip or Tip.start(0), act)
        return Posted(f"streams/{_hex(stream)}/epochs", {"epoch": 2, "owner": _json(act)}, call)

    def grant(self, stream: bytes, by: Party, to: str) -> Posted:
        sealed = b"sealed"
        said = GrantAccess(stream, to, 1, 5, 6, keccak(sealed), next(_nonces), self.deadline)
        act = self._act(by, "TelemetryAnchor", said)
        body = {"to": to, "epoch": 1, "firstWindow": 5, "lastWindow": 6, "sealed": _hex(sealed), "owner": _json(act)}
        return Posted(
            f"streams/{_hex(stream)}/grants",
            body,
            self.town.contracts.anchors.grant(stream, to, 1, (5, 6), sealed, act),
        )

    def anchored(self, stream: bytes, by: Signer, root: bytes = b"") -> Posted:
        """A stream's first batch, of two readings; without a root each time of another one."""
        sealed, root = b"sealed", root or next(_seconds).to_bytes(32, "big")
        said = StreamBatch(stream, 0, 2, 1_000, 2_000, 1, NO_HEAD, root, sha256(sealed).digest())
        hash_ = digest(self._domain("TelemetryAnchor"), said)
        word = by.sign(hash_) if isinstance(by, DeviceKeyPair) else sign_compact(by.secret, hash_)
        body = {
            "firstIndex": 0,
            "count": said.count,
            "firstMs": said.first_ms,
            "lastMs": said.last_ms,
            "epoch": said.epoch,
            "previousHead": _hex(said.previous_head),
            "root": _hex(root),
            "bodyHash": _hex(said.body_hash),
            "signature": _hex(word),
            "body": b64encode(sealed).decode(),
        }
        call = self.town.contracts.anchors.anchor_with_body(SignedBatch(said, Tip.start(0), word), sealed)
        return Posted(f"streams/{_hex(stream)}/batches", body, call)

    # meters

    def meter(self, device: str, account: str, by: Party, market: int = 1) -> Posted:
        said = MeterRegistration(device, market, account, 9_000, 9_000, 1, False, next(_nonces), self.deadline)
        act = self._act(by, "DERRegistry", said)
        return Posted(
            "meters", wire.meter_json(said, _signed(act), None), self.town.contracts.meters.register_meter(said, act)
        )

    def meter_move(self, device: str, account: str, by: Party, from_slot: int, market: int = 1) -> Posted:
        said = MeterMove(device, market, account, 9_000, 9_000, 1, False, from_slot, next(_nonces), self.deadline)
        act = self._act(by, "DERRegistry", said)
        call = self.town.contracts.meters.move_meter(said, act)
        return Posted("meter-moves", wire.meter_move_json(said, _signed(act), None), call)

    def meter_end(self, meter: int, by: Party, until_slot: int) -> Posted:
        said = MeterEnd(meter, until_slot, next(_nonces), self.deadline)
        act = self._act(by, "DERRegistry", said)
        call = self.town.contracts.meters.end_meter(said, act)
        return Posted(f"meters/{meter}/end", wire.meter_end_json(said, _signed(act)), call)

    def asset(self, meter: int, by: Party) -> Posted:
        said = AssetRegistration(meter, AssetKind.BATTERY, 5_000, 10_000, 3, next(_nonces), self.deadline)
        act = self._act(by, "DERRegistry", said)
        return Posted(
            "assets", wire.asset_json(said, _signed(act)), self.town.contracts.meters.register_asset(said, act)
        )

    def state(self, asset: int, by: Party, now: int) -> Posted:
        """The asset's first state, each time since another second."""
        said = AssetStateReport(asset, AssetState.COMMISSIONED, now - next(_seconds), self.deadline)
        signature = self._compact(by, "DERRegistry", said)
        body = {
            "asset": said.asset,
            "state": "commissioned",
            "since": said.since,
            "deadline": said.deadline,
            "signature": "0x" + signature.hex(),
        }
        return Posted("asset-states", body, self.town.contracts.meters.report_state(said, signature))

    # markets

    def market(self, by: Party, utility: Party) -> Posted:
        terms, nonce = self.town.terms, next(_nonces)
        operator = self._act(by, "EnergyAuction", CreateMarket(terms, nonce, self.deadline))
        underwritten = self._act(utility, "EnergyAuction", Underwrite(terms, nonce, self.deadline))
        body = {"terms": wire.terms_json(terms), "operator": _json(operator), "utility": _json(underwritten)}
        return Posted("markets", body, self.town.contracts.auction.create_market(terms, operator, underwritten))

    def terms(self, market: int, by: Party, utility: Party, from_slot: int) -> Posted:
        terms, nonce = replace(self.town.terms, from_slot=from_slot), next(_nonces)
        operator = self._act(by, "EnergyAuction", ChangeMarket(market, terms, nonce, self.deadline))
        underwritten = self._act(utility, "EnergyAuction", UnderwriteChange(market, terms, nonce, self.deadline))
        body = {"terms": wire.terms_json(terms), "operator": _json(operator), "utility": _json(underwritten)}
        call = self.town.contracts.auction.change_market(market, terms, operator, underwritten)
        return Posted(f"markets/{market}/terms", body, call)

    # money

    def deposit(self, account: str, by: Party, nonce: int, amount: int = 1) -> Posted:
        vault = self.town.contracts.vault
        said = Permit(account, vault.address, amount, nonce, self.deadline)
        signature = to_rsv(self._compact(by, "LocalCurrency", said))
        body = {"account": account, "amountMicro": amount, "deadline": self.deadline, "signature": _hex(signature)}
        return Posted("deposits", body, vault.deposit_with_permit(account, amount, self.deadline, signature))

    def withdrawal(self, account: str, by: Party) -> Posted:
        said = Withdrawal(account, by.account, 1, next(_nonces), self.deadline)
        act = replace(self._act(by, "Vault", said), signer=account)
        call = self.town.contracts.vault.withdraw_by_sig(said.to, said.amount, act)
        return Posted("withdrawals", wire.withdrawal_json(said, act.signature), call)

    def bond(self, sponsor: str, by: Party, relayer: str, amount: int = 1) -> Posted:
        said = PostBond(sponsor, relayer, amount, next(_nonces), self.deadline)
        act = replace(self._act(by, "RelayerBond", said), signer=sponsor)
        body = {"relayer": relayer, "amountMicro": amount, "sponsor": _json(act)}
        return Posted("bonds", body, self.town.contracts.bond.post(relayer, amount, act))

    def unbond(self, sponsor: str, by: Party, relayer: str, amount: int = 1) -> Posted:
        said = Unbond(sponsor, relayer, amount, next(_nonces), self.deadline)
        act = replace(self._act(by, "RelayerBond", said), signer=sponsor)
        body = {"relayer": relayer, "amountMicro": amount, "sponsor": _json(act)}
        return Posted("bonds/unbond", body, self.town.contracts.bond.unbond(relayer, amount, act))

    def redeem(self, sponsor: str, relayer: str) -> Posted:
        call = self.town.contracts.bond.redeem(sponsor, relayer)
        return Posted("bonds/redeem", {"sponsor": sponsor, "relayer": relayer}, call)

    # signing

    @property
    def _devices(self) -> DeviceRegistry:
        return self.town.contracts.devices

    def _word(self, signer: Signer, message: Message) -> bytes:
        """64 bytes in a device's name, by its key or by whoever tries."""
        hash_ = digest(self._domain("DeviceRegistry"), message)
        return signer.sign(hash_) if isinstance(signer, DeviceKeyPair) else sign_compact(signer.secret, hash_)

    def _place(self, home: TestHome, slot: int) -> dict[str, int]:
        deadline = min(self.deadline, self.town.terms.gate(slot, self.town.clock) - 1)
        version = next(_versions)
        return {"market": 1, "slot": slot, "meter": home.meter, "version": version, "deadline": deadline}

    def _domain(self, contract: str) -> Domain:
        domain: Domain = self.elsewhere(self.town.domain(contract))
        return domain

    def _compact(self, by: Party, contract: str, message: Message) -> bytes:
        return sign_compact(by.secret, digest(self._domain(contract), message))

    def _act(self, by: Party, contract: str, message: Any) -> Act:
        return Act.of(message, by.account, to_rsv(self._compact(by, contract, message)))

    def _possession(self, key: DeviceKeyPair, maker: str, owner: str) -> bytes:
        return key.sign(digest(self._domain("DeviceRegistry"), Possession(key.device, maker, owner, self.deadline)))


def schema_of(name: str) -> Schema:
    """Of one channel of that name."""
    return Schema((Channel(name, "W", 0, 4),))


def _key(key: DeviceKeyPair) -> dict[str, Any]:
    x, y = key.point
    return {"keyKind": key.kind.name.lower(), "x": _hex(x), "y": _hex(y)}


def _key_word(following: DeviceKeyPair, nonce: int, deadline: int, word: bytes) -> dict[str, Any]:
    return _key(following) | {"nonce": nonce, "deadline": deadline, "signature": _hex(word)}


def _signed(act: Act) -> SignedAct:
    return SignedAct(act.signer, act.nonce, act.deadline, act.signature)


def _json(act: Act) -> dict[str, Any]:
    return _signed(act).to_json()


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
