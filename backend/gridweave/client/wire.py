"""The API's JSON: how signed things are written for it and what it answers.

Integers stay integers with their unit in the name; signatures and hashes are 0x hex; addresses are checksummed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridweave.client.errors import ServiceError
from gridweave.domain.acts import (
    AssetRegistration,
    DeviceStatus,
    Endorsement,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    Withdrawal,
)
from gridweave.domain.delegations import Delegation
from gridweave.domain.eip712 import Domain
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule
from gridweave.domain.readings import Reading
from gridweave.domain.terms import MarketTerms

__all__ = ["Deployment", "Item", "Json", "Signed", "SignedAct", "bytes_of", "hex_of"]

Json = dict[str, Any]

_TERMS = {
    "min_price": "minPriceMicroPerKwh",
    "tick_size": "tickMicroPerKwh",
    "tick_count": "tickCount",
    "grid_fee": "gridFeeMicroPerKwh",
    "feed_in_price": "feedInPriceMicroPerKwh",
    "retail_price": "retailPriceMicroPerKwh",
    "min_energy_wh": "minEnergyWh",
    "utility": "utility",
    "gate_lead": "gateLeadSeconds",
    "reading_window": "readingWindowSeconds",
    "correction_window": "correctionWindowSeconds",
    "operator": "operator",
    "default_wh": "defaultWh",
    "from_slot": "fromSlot",
}


@dataclass(frozen=True)
class SignedAct:
    """One person's consent: `nonce` unused before by `signer` there, `deadline` chain time, `signature` 65 bytes."""

    signer: str
    nonce: int
    deadline: int
    signature: bytes

    def to_json(self) -> Json:
        return {
            "signer": self.signer,
            "nonce": self.nonce,
            "deadline": self.deadline,
            "signature": hex_of(self.signature),
        }


@dataclass(frozen=True)
class Deployment:
    """What a signer must know of the chain and its contracts. Times are seconds, `relayer` signs acknowledgements.

    What was acknowledged before the relayer had its key keeps the signature of one of the `former_relayers`.
    """

    chain_id: int
    genesis_hash: str
    slot_length: int
    horizon: int
    contracts: Mapping[str, str]
    finality_depth: int
    commit_margin: int
    relayer: str
    chain_time: int
    block_number: int
    former_relayers: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: Json) -> Deployment:
        return cls(
            chain_id=int(body["chainId"]),
            genesis_hash=str(body["genesisHash"]),
            slot_length=int(body["slotLength"]),
            horizon=int(body["horizon"]),
            contracts={name: _contract_address(entry) for name, entry in body["contracts"].items()},
            finality_depth=int(body["finalityDepth"]),
            commit_margin=int(body["commitMargin"]),
            relayer=str(body["relayer"]),
            chain_time=int(body["chainTime"]),
            block_number=int(body["blockNumber"]),
            former_relayers=tuple(body.get("formerRelayers", ())),
        )

    def domain(self, contract: str) -> Domain:
        """The EIP-712 domain in which `contract` reads signatures."""
        return Domain.of(contract, self.chain_id, self.contracts[contract])


@dataclass(frozen=True)
class Item:
    """The answer to one signed request: accepted with an acknowledgement, or refused with an `error`.

    `sponsor` is whose bond answers for the acknowledgement, if anybody's does.
    """

    id: str
    status: str
    commit_before: int | None = None
    acknowledgement: bytes | None = None
    sponsor: str | None = None
    error: ServiceError | None = None

    @classmethod
    def from_json(cls, body: Json) -> Item:
        error = body.get("error")
        refusal = None
        if error:
            refusal = ServiceError(str(error["name"]), str(error.get("message", "")), error.get("args"))
        signature = body.get("acknowledgement")
        return cls(
            id=str(body.get("id", "")),
            status="refused" if refusal else str(body.get("status", "accepted")),
            commit_before=body.get("commitBefore"),
            acknowledgement=bytes_of(signature) if signature else None,
            sponsor=body.get("sponsor"),
            error=refusal,
        )


@dataclass(frozen=True)
class Signed:
    """A signed request's `body` and the `digest` that its answer must name; None where the id is the service's.

    `signature` is what an order, cancel or reading is signed with, or a schedule, 64 bytes of a key; acts have none.
    `closes` is the chain time from which nothing of it can be executed: a promise for later is none.
    """

    body: Json
    digest: bytes | None = None
    signature: bytes = b""
    closes: int | None = None


def hex_of(data: bytes) -> str:
    """0x and lower-case digits."""
    return "0x" + data.hex()


def bytes_of(text: str) -> bytes:
    """What hex stands for, with or without 0x; ValueError for anything else."""
    return bytes.fromhex(text.removeprefix("0x"))


def order_json(order: Order, signature: bytes) -> Json:
    return {**_order_json(order), "signature": hex_of(signature)}


def schedule_json(schedule: Schedule, signature: bytes) -> Json:
    orders = [_order_json(order) for order in schedule.orders]
    return {"account": schedule.account, "orders": orders, "signature": hex_of(signature)}


def cancel_schedule_json(schedule: CancelSchedule, signature: bytes) -> Json:
    cancels = [_position_json(cancel) for cancel in schedule.cancels]
    return {"account": schedule.account, "cancels": cancels, "signature": hex_of(signature)}


def delegation_json(delegation: Delegation, signature: bytes) -> Json:
    act = SignedAct(delegation.account, delegation.nonce, delegation.deadline, signature)
    return {
        "account": delegation.account,
        "delegate": delegation.delegate,
        "market": delegation.market,
        "meters": list(delegation.meters),
        "maxEnergyWh": delegation.max_energy_wh,
        "lowestAskMicroPerKwh": delegation.lowest_ask,
        "highestBidMicroPerKwh": delegation.highest_bid,
        "until": delegation.until,
        "act": act.to_json(),
    }


def cancel_json(cancel: Cancel, signature: bytes) -> Json:
    return {**_position_json(cancel), "signature": hex_of(signature)}


def reading_json(reading: Reading, signature: bytes) -> Json:
    return {
        "meter": reading.meter,
        "slot": reading.slot,
        "version": reading.version,
        "importWh": reading.import_wh,
        "exportWh": reading.export_wh,
        "signature": hex_of(signature),
    }


def enrolment_json(endorsement: Endorsement, maker: SignedAct, possession: bytes) -> Json:
    return {
        "device": endorsement.device,
        "owner": endorsement.owner,
        "model": endorsement.model,
        "keyKind": endorsement.key_kind.label,
        "x": hex_of(endorsement.x),
        "y": hex_of(endorsement.y),
        "maker": maker.to_json(),
        "possession": hex_of(possession),
    }


def status_json(status: DeviceStatus, act: SignedAct) -> Json:
    return {"status": status.name.lower(), "act": act.to_json()}


def terms_json(terms: MarketTerms) -> Json:
    return {name: getattr(terms, attribute) for attribute, name in _TERMS.items()}


def terms_from_json(body: Json) -> MarketTerms:
    """The terms of an answer. Raises KeyError for a missing field."""
    return MarketTerms(**{attribute: body[name] for attribute, name in _TERMS.items()})


def meter_json(registration: MeterRegistration, operator: SignedAct, mandate: SignedAct | None) -> Json:
    return _registration_json(registration, operator, mandate)


def _registration_json(
    registration: MeterRegistration | MeterMove, operator: SignedAct, mandate: SignedAct | None
) -> Json:
    return {
        "device": registration.device,
        "market": registration.market,
        "account": registration.account,
        "importCapacityW": registration.import_capacity_w,
        "exportCapacityW": registration.export_capacity_w,
        "scaleWh": registration.scale_wh,
        "mandated": registration.mandated,
        "operator": operator.to_json(),
        "mandate": mandate.to_json() if mandate else None,
    }


def asset_json(asset: AssetRegistration, operator: SignedAct) -> Json:
    return {
        "meter": asset.meter,
        "kind": asset.kind.name.lower(),
        "nameplateW": asset.nameplate_w,
        "storageWh": asset.storage_wh,
        "feeder": asset.feeder,
        "operator": operator.to_json(),
    }


def withdrawal_json(withdrawal: Withdrawal, signature: bytes) -> Json:
    return {
        "account": withdrawal.account,
        "to": withdrawal.to,
        "amountMicro": withdrawal.amount,
        "nonce": withdrawal.nonce,
        "deadline": withdrawal.deadline,
        "signature": hex_of(signature),
    }


def meter_move_json(move: MeterMove, operator: SignedAct, mandate: SignedAct | None) -> Json:
    return {**_registration_json(move, operator, mandate), "fromSlot": move.from_slot}


def meter_end_json(end: MeterEnd, operator: SignedAct) -> Json:
    return {"untilSlot": end.until_slot, "operator": operator.to_json()}


def _order_json(order: Order) -> Json:
    return {
        **_position_json(order),
        "side": order.side.label,
        "energyWh": order.energy_wh,
        "limitPriceMicroPerKwh": order.limit_price,
    }


def _position_json(of: Order | Cancel) -> Json:
    return {"market": of.market, "slot": of.slot, "meter": of.meter, "version": of.version, "deadline": of.deadline}


def _contract_address(entry: Any) -> str:
    return str(entry["address"] if isinstance(entry, dict) else entry)
