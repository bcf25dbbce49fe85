"""EIP-712: every signed message of every contract, from one table of declarations.

A declaration is the struct's own encodeType. Type hashes, encoded data and the JSON for wallets all derive from it.
A message is any object with a `TYPE` and, for each field `camelCase`, an attribute `camel_case`: ints for integers, a
bool for bool, a hex string for addresses, bytes for bytes32 and bytes, another message for a struct, a sequence for an
array.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

from gridweave.domain.addresses import checksum_address
from gridweave.domain.errors import FieldOutOfRange
from gridweave.domain.hashing import keccak

Json = dict[str, Any]

_SAFE_JSON_BITS = 53
_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")
_ARRAY = "[]"


@dataclass(frozen=True)
class Field:
    """One member of a struct: `type` as in Solidity, `name` in camelCase, `attribute` its snake_case."""

    type: str
    name: str

    @cached_property
    def attribute(self) -> str:
        """The message attribute that holds the field."""
        return _SNAKE.sub("_", self.name).lower()

    @property
    def is_array(self) -> bool:
        """Whether the field holds any number of its element."""
        return self.type.endswith(_ARRAY)

    @cached_property
    def element(self) -> Field:
        """What an array is made of; the field itself if it is none."""
        return Field(self.type.removesuffix(_ARRAY), self.name)


@dataclass(frozen=True)
class StructType:
    """A struct type: its `name` and its fields in order."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def references(self) -> tuple[StructType, ...]:
        """Struct types among the fields, by name. No struct of ours nests deeper than one level."""
        names = sorted({field.element.type for field in self.fields if field.element.type in TYPES})
        return tuple(TYPES[name] for name in names)

    @cached_property
    def declaration(self) -> str:
        """This struct's own part of encodeType."""
        return f"{self.name}({','.join(f'{field.type} {field.name}' for field in self.fields)})"

    @cached_property
    def type_hash(self) -> bytes:
        """keccak256 of encodeType, referenced structs included."""
        return keccak("".join(t.declaration for t in (self, *self.references)).encode())

    @cached_property
    def encoders(self) -> tuple[tuple[str, Callable[[Any], bytes]], ...]:
        """Per field: its attribute and what turns its value into 32 bytes."""
        return tuple((field.attribute, _encoder(field)) for field in self.fields)


class Message(Protocol):
    """What can be signed: an instance of a declared type."""

    TYPE: ClassVar[StructType]


def declare(declaration: str) -> StructType:
    """A struct type from its encodeType, "Name(type name,...)". Raises ValueError when it is none."""
    match = re.fullmatch(r"(\w+)\(([\w\[\]]+ \w+(?:,[\w\[\]]+ \w+)*)\)", declaration)
    if not match:
        raise ValueError(f"not a struct declaration: {declaration}")
    members = (member.split(" ") for member in match[2].split(","))
    return StructType(match[1], tuple(Field(type_, name) for type_, name in members))


_DECLARATIONS = (
    (
        "Order(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline,uint8 side,uint32 energyWh,"
        "uint64 limitPrice)"
    ),
    "Cancel(uint32 market,uint32 slot,uint32 meter,uint16 version,uint40 deadline)",
    "Reading(uint32 meter,uint32 slot,uint8 version,uint32 importWh,uint32 exportWh)",
    (
        "MarketTerms(uint40 minPrice,uint32 tickSize,uint16 tickCount,uint40 gridFee,uint40 feedInPrice,"
        "uint40 retailPrice,uint32 minEnergyWh,address utility,uint32 gateLead,uint32 readingWindow,"
        "uint32 correctionWindow,address operator,uint32 defaultWh,uint32 fromSlot)"
    ),
    "Schedule(address account,Order[] orders)",
    "CancelSchedule(address account,Cancel[] cancels)",
    "CreateMarket(MarketTerms terms,uint256 nonce,uint256 deadline)",
    "Underwrite(MarketTerms terms,uint256 nonce,uint256 deadline)",
    "ChangeMarket(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline)",
    "UnderwriteChange(uint32 market,MarketTerms terms,uint256 nonce,uint256 deadline)",
    (
        "Delegation(address account,address delegate,uint32 market,uint32[] meters,uint32 maxEnergyWh,uint64 lowestAsk,"
        "uint64 highestBid,uint40 until,uint256 nonce,uint256 deadline)"
    ),
    (
        "Endorsement(address device,address maker,address owner,uint32 model,uint8 keyKind,bytes32 x,bytes32 y,"
        "uint256 nonce,uint256 deadline)"
    ),
    "Possession(address device,address maker,address owner,uint256 deadline)",
    "BatchRegistration(bytes32 root,uint32 model,uint32 size,uint256 nonce,uint256 deadline)",
    "BatchClosing(bytes32 root,uint256 nonce,uint256 deadline)",
    "Claim(address device,bytes32 batch,address owner,uint256 deadline)",
    "KeyRotation(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)",
    "KeyProposal(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)",
    "KeyAdoption(address device,uint8 keyKind,bytes32 x,bytes32 y,uint256 nonce,uint256 deadline)",
    "RotationVeto(address device,address key,uint256 nonce,uint256 deadline)",
    "DeviceSession(address device,address service,bytes32 challenge,uint64 expiresAt)",
    "StatusChange(address device,uint8 status,uint256 nonce,uint256 deadline)",
    "CompromiseNotice(address device,uint32 sinceBlock,uint256 nonce,uint256 deadline)",
    "TransferOffer(address device,address to,uint40 until,uint256 nonce,uint256 deadline)",
    "TransferAcceptance(address device,address owner,uint256 nonce,uint256 deadline)",
    "Handover(address device,address owner,address to,uint256 nonce,uint256 deadline)",
    (
        "MeterRegistration(address device,uint32 market,address account,uint32 importCapacityW,uint32 exportCapacityW,"
        "uint8 scaleWh,bool mandated,uint256 nonce,uint256 deadline)"
    ),
    (
        "MeterMove(address device,uint32 market,address account,uint32 importCapacityW,uint32 exportCapacityW,"
        "uint8 scaleWh,bool mandated,uint32 fromSlot,uint256 nonce,uint256 deadline)"
    ),
    "MeterEnd(uint32 meter,uint32 untilSlot,uint256 nonce,uint256 deadline)",
    "Mandate(address device,uint32 market,address account,uint256 nonce,uint256 deadline)",
    (
        "AssetRegistration(uint32 meter,uint8 kind,uint32 nameplateW,uint32 storageWh,uint32 feeder,"
        "uint256 nonce,uint256 deadline)"
    ),
    "AssetStateReport(uint32 asset,uint8 state,uint40 since,uint256 deadline)",
    "Withdrawal(address account,address to,uint256 amount,uint256 nonce,uint256 deadline)",
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
    "Acknowledgement(bytes32 request,bytes32 signatureHash,address sponsor,uint40 commitBefore)",
    "PostBond(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline)",
    "Unbond(address sponsor,address relayer,uint256 amount,uint256 nonce,uint256 deadline)",
    "OpenStream(address device,bytes32 schemaHash,uint8 mode,uint256 nonce,uint256 deadline)",
    "NewEpoch(bytes32 stream,uint32 epoch,uint256 nonce,uint256 deadline)",
    (
        "Grant(bytes32 stream,address to,uint32 epoch,uint32 firstWindow,uint32 lastWindow,bytes32 sealedHash,"
        "uint256 nonce,uint256 deadline)"
    ),
    (
        "Batch(bytes32 stream,uint64 firstIndex,uint32 count,uint64 firstMs,uint64 lastMs,uint32 epoch,"
        "bytes32 previousHead,bytes32 root,bytes32 bodyHash)"
    ),
    (
        "ProgrammeTerms(uint32 market,uint32 feeder,uint32 calendar,bool up,bool firm,bool keptByOperator,"
        "bool adjusted,uint8 method,uint8 windowSlots,uint8 windowGap,uint8 tickCount,uint16 floorBps,"
        "uint16 lateBps,uint16 drawBps,uint16 maxEvents,uint40 minPrice,uint32 tickSize,uint40 shortfallRate,"
        "uint16 maxEventSlots,uint16 maxDaySlots,uint16 maxSeasonSlots,uint32 firstSlot,uint32 untilSlot,"
        "uint32 noticeLead,address payer,uint32 optOutLead,uint32 readingWindow,uint32 finalAfter)"
    ),
    "ProgrammeOpening(ProgrammeTerms terms,uint256 nonce,uint256 deadline)",
    (
        "RuleTerms(uint32 programme,uint32 meter,bool above,int32 thresholdWh,uint8 hold,uint16 cooldown,"
        "uint8 maxPerDay,uint16 maxPerSeason,uint16 lead,uint16 slots,uint32 targetW,uint64 bounty,"
        "uint16 maxBounties)"
    ),
    "ResponseRuleOpening(RuleTerms terms,uint256 nonce,uint256 deadline)",
    "ResponseRuleEnd(uint32 rule,uint256 nonce,uint256 deadline)",
    (
        "AssetEnrolment(uint32 programme,uint32 asset,uint32 committedW,uint64 askPrice,int32 fixedWh,"
        "uint8 leastSocPercent,uint8 comfortFrom,uint8 comfortUntil,uint8 maxSlots,uint256 nonce,"
        "uint256 deadline)"
    ),
    "BaselineAgreement(uint32 programme,uint32 asset,int32 fixedWh,uint256 nonce,uint256 deadline)",
    ("ResponseCall(uint32 programme,uint32 firstSlot,uint16 slots,uint32 targetW,uint256 nonce,uint256 deadline)"),
    "ResponseCancellation(uint32 number,uint256 nonce,uint256 deadline)",
    "ResponseOptOut(uint32 number,uint32 index,uint256 nonce,uint256 deadline)",
    "CalendarOpening(string timeZone,uint32 firstDate,uint32 firstSlot,uint256 nonce,uint256 deadline)",
    "DayPublication(uint32 calendar,uint32 firstDay,bytes days_,uint256 nonce,uint256 deadline)",
    "ModelOpening(uint32 model,address maker,uint8 threshold,address[] keys,uint256 nonce,uint256 deadline)",
    "ReleaseKeyChange(uint32 model,uint32 version,uint8 threshold,address[] keys,uint256 deadline)",
    (
        "FirmwareRelease(uint32 model,uint32 counter,uint32 floor,uint64 imageSize,bytes32 imageHash,"
        "bytes32 manifestHash,bytes32 bomHash,string source,uint32 leastReceipts,uint16 failureLimitBp,"
        "uint256 deadline)"
    ),
    "RolloutStart(uint32 model,uint32 counter,uint16 shareBp,uint256 deadline)",
    "RolloutRaise(uint32 model,uint32 counter,uint16 shareBp,uint16 step,uint256 deadline)",
    "RolloutPause(uint32 model,uint32 counter,uint16 step,uint256 deadline)",
    "RolloutResume(uint32 model,uint32 counter,uint16 step,uint256 deadline)",
    "ReleaseRevocation(uint32 model,uint32 counter,uint32 sinceBlock,uint256 deadline)",
    "InstallReceipt(address device,uint32 model,uint32 counter,uint16 failureCode,uint40 time)",
    (
        "Segment(bytes32 stream,uint64 firstIndex,uint32 count,uint64 firstMs,uint64 lastMs,bytes32 previousHead,"
        "bytes32 head)"
    ),
)

TYPES: dict[str, StructType] = {struct.name: struct for struct in map(declare, _DECLARATIONS)}
"""Every signed type by name, and MarketTerms, which is part of two."""

_DOMAIN_TYPE = declare("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")

DOMAIN_NAMES = {
    "Vault": "Gridweave Vault",
    "DeviceRegistry": "Gridweave DeviceRegistry",
    "DERRegistry": "Gridweave DERRegistry",
    "MeterLedger": "Gridweave MeterLedger",
    "EnergyAuction": "Gridweave EnergyAuction",
    "LocalCurrency": "Gridweave Local Currency",
    "RelayerBond": "Gridweave RelayerBond",
    "FirmwareRegistry": "Gridweave FirmwareRegistry",
    "DemandResponse": "Gridweave DemandResponse",
    "DayCalendar": "Gridweave DayCalendar",
    "TelemetryAnchor": "Gridweave TelemetryAnchor",
}
"""EIP-712 domain name per contract. A relayer's acknowledgements are read by its bond."""


@dataclass(frozen=True)
class Domain:
    """An EIP-712 domain. `verifying_contract` is a hex address."""

    name: str
    version: str
    chain_id: int
    verifying_contract: str

    TYPE: ClassVar[StructType] = _DOMAIN_TYPE

    @classmethod
    def of(cls, contract: str, chain_id: int, address: str) -> Domain:
        """The domain of one of DOMAIN_NAMES, version "1". Raises KeyError for another contract."""
        return cls(DOMAIN_NAMES[contract], "1", chain_id, checksum_address(address))

    @cached_property
    def separator(self) -> bytes:
        """The domain separator, 32 bytes."""
        return struct_hash(self)


def struct_hash(message: Message) -> bytes:
    """hashStruct of the message, 32 bytes. Raises FieldOutOfRange for a value that its type cannot hold."""
    struct = message.TYPE
    parts = [struct.type_hash]
    for attribute, encode in struct.encoders:
        parts.append(encode(getattr(message, attribute)))
    return keccak(b"".join(parts))


def digest(domain: Domain, message: Message) -> bytes:
    """What a key signs: keccak256(0x1901 . separator . hashStruct), 32 bytes. Raises FieldOutOfRange."""
    return keccak(b"\x19\x01" + domain.separator + struct_hash(message))


def typed_data(domain: Domain, message: Message) -> Json:
    """The message as wallets take it (eth_signTypedData_v4). Integers wider than 53 bits are decimal strings.

    Raises FieldOutOfRange.
    """
    struct = message.TYPE
    return {
        "types": {
            t.name: [{"name": f.name, "type": f.type} for f in t.fields]
            for t in (_DOMAIN_TYPE, struct, *struct.references)
        },
        "primaryType": struct.name,
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": checksum_address(domain.verifying_contract),
        },
        "message": _to_json(message),
    }


def _to_json(message: Message) -> Json:
    return {field.name: _value_to_json(field, getattr(message, field.attribute)) for field in message.TYPE.fields}


def _value_to_json(field: Field, value: Any) -> Any:
    if field.is_array:
        return [_value_to_json(field.element, item) for item in value]
    if field.type in TYPES:
        return _to_json(value)
    _encoder(field)(value)
    if field.type in ("bytes32", "bytes"):
        return "0x" + value.hex()
    if field.type == "address":
        return checksum_address(value)
    if field.type in ("bool", "string"):
        return value
    bits = int(field.type.removeprefix("u").removeprefix("int"))
    return str(int(value)) if bits > _SAFE_JSON_BITS else int(value)


def _encoder(field: Field) -> Callable[[Any], bytes]:
    if field.is_array:
        return lambda value: keccak(b"".join(map(_encoder(field.element), value)))
    if field.type in TYPES:
        return struct_hash
    if field.type == "string":
        return lambda value: keccak(value.encode())
    if field.type == "bytes":
        return keccak
    if field.type == "bytes32":
        return lambda value: _bytes32(field, value)
    if field.type == "address":
        return lambda value: _address(field, value)
    if field.type.startswith("int"):
        return lambda value: _int(field, int(field.type.removeprefix("int")), value)
    bits = 1 if field.type == "bool" else int(field.type.removeprefix("uint"))
    return lambda value: _uint(field, bits, value)


def _uint(field: Field, bits: int, value: int) -> bytes:
    if not 0 <= value < 1 << bits:
        raise FieldOutOfRange(field.name, field.type, str(value))
    return value.to_bytes(32, "big")


def _int(field: Field, bits: int, value: int) -> bytes:
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise FieldOutOfRange(field.name, field.type, str(value))
    return value.to_bytes(32, "big", signed=True)


def _bytes32(field: Field, value: bytes) -> bytes:
    if len(value) != 32:
        raise FieldOutOfRange(field.name, field.type, "0x" + value.hex())
    return value


def _address(field: Field, value: str) -> bytes:
    try:
        raw = bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 20:
        raise FieldOutOfRange(field.name, field.type, value)
    return bytes(12) + raw
