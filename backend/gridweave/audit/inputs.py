"""Transactions' inputs, decoded to the calls that they make.

Batches of signed words (`place`, `cancel`, `settle`) are cut by hand, because they are nearly all of a busy chain's
input; the other calls go through the ABI decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from eth_abi.exceptions import DecodingError

from gridweave.audit.calls import (
    Bundle,
    Call,
    Cancelling,
    ChangingMarket,
    Claiming,
    ClearingSlot,
    Collecting,
    CreatingMarket,
    Defaulting,
    Delegating,
    Depositing,
    EndingMeter,
    MovingMeter,
    Placing,
    PostingBond,
    Promise,
    ProvingRefusal,
    Redeeming,
    RegisteringAsset,
    RegisteringMeter,
    Releasing,
    ReportingStates,
    Settling,
    SignedReport,
    Skimming,
    Unbonding,
    Withdrawing,
)
from gridweave.audit.decoding import ACT, act_of, plain
from gridweave.audit.device_inputs import DEVICE_SIGNATURES
from gridweave.audit.firmware_inputs import FIRMWARE_SIGNATURES
from gridweave.audit.signed import SharedConsent, SignedWord
from gridweave.audit.stream_inputs import STREAM_SIGNATURES
from gridweave.domain.acts import AssetKind, AssetStateReport
from gridweave.domain.addresses import checksum_address
from gridweave.domain.delegations import Scope
from gridweave.domain.hashing import keccak
from gridweave.domain.terms import MarketTerms

__all__ = ["SIGNATURES", "UnreadableCall", "read_call", "selector_of"]

_WORD = 32
_REGISTRATION = "(address,uint32,address,uint32,uint32,uint8,bool)"
_DELEGATION = "(address,address,uint32,uint32[],uint32,uint64,uint64,uint40)"
_PROMISE = "(address,address,bytes32,uint40,bytes32,bytes32)"
_SIGNED_ORDER = "(bytes32,bytes32,bytes32)"
_STATE_REPORT = "(uint32,uint8,uint40,uint256,bytes)"
_TERMS = "(uint40,uint32,uint16,uint40,uint40,uint40,uint32,address,uint32,uint32,uint32,address,uint32,uint32)"


class UnreadableCall(ValueError):
    """The input is no call of the contract that the audit knows."""


def _selector(signature: str) -> bytes:
    """The first four bytes of a call's input, from its canonical signature."""
    return keccak(signature.encode())[:4]


def selector_of(contract: str, function: str) -> bytes:
    """The selector of a call in SIGNATURES, by its bare name. Raises KeyError."""
    return _SELECTORS[contract, function]


def read_call(contract: str, data: bytes) -> Call:
    """The call that `data` makes to a contract of that name. Raises UnreadableCall."""
    reader = _READERS.get(contract, {}).get(data[:4])
    if reader is None:
        raise UnreadableCall(f"{contract} has no call 0x{data[:4].hex()} that the audit follows")
    try:
        return reader(data[4:])
    except (DecodingError, ValueError, OverflowError) as error:
        raise UnreadableCall(f"the input of a call to {contract} cannot be read: {error}") from error


def _uint(data: bytes, at: int) -> int:
    part = data[at : at + _WORD]
    if len(part) != _WORD:
        raise UnreadableCall("the input ends too early")
    return int.from_bytes(part, "big")


def _signed_words(data: bytes, head: int) -> tuple[SignedWord, ...]:
    start = _uint(data, head)
    count = _uint(data, start)
    body = data[start + _WORD : start + _WORD + count * 3 * _WORD]
    if len(body) != count * 3 * _WORD:
        raise UnreadableCall("the batch ends too early")
    steps = range(0, len(body), 3 * _WORD)
    return tuple(SignedWord(body[at : at + _WORD], body[at + _WORD : at + 3 * _WORD]) for at in steps)


def _place(data: bytes) -> Call:
    return Placing(_signed_words(data, 0))


def _cancel(data: bytes) -> Call:
    return Cancelling(_signed_words(data, 0))


def _schedule(make: Callable[[tuple[SignedWord, ...], SharedConsent], Call]) -> Callable[[bytes], Call]:
    def of(account: str, words: tuple[bytes, ...], signature: bytes) -> Call:
        items = tuple(SignedWord(word, None) for word in words)
        return make(items, SharedConsent(checksum_address(account), signature))

    return plain(("address", "bytes32[]", "bytes"), of)


def _bundle(contract: str) -> Callable[[tuple[bytes, ...]], Call]:
    def of(datas: tuple[bytes, ...]) -> Call:
        calls = [read_call(contract, data) for data in datas]
        parts = (call.calls if isinstance(call, Bundle) else (call,) for call in calls)
        return Bundle(tuple(chain.from_iterable(parts)))

    return of


def _settle(data: bytes) -> Call:
    return Settling(_uint(data, 0), _uint(data, _WORD), _signed_words(data, 2 * _WORD))


def _terms(terms: tuple[Any, ...]) -> MarketTerms:
    values: list[Any] = [checksum_address(value) if isinstance(value, str) else value for value in terms]
    return MarketTerms(*values)


def _create_market(terms: tuple[Any, ...], operator: tuple[Any, ...], utility: tuple[Any, ...]) -> Call:
    return CreatingMarket(_terms(terms), act_of(operator), act_of(utility))


def _change_market(market: int, terms: tuple[Any, ...], operator: tuple[Any, ...], utility: tuple[Any, ...]) -> Call:
    return ChangingMarket(market, _terms(terms), act_of(operator), act_of(utility))


def _delegate(delegation: tuple[Any, ...], act: tuple[Any, ...]) -> Call:
    account, delegate, market, meters, *bounds = delegation
    who = checksum_address(account), checksum_address(delegate)
    return Delegating(*who, tuple(meters), Scope(market, *bounds), act_of(act))


def _deposit(account: str, amount: int) -> Call:
    return Depositing(checksum_address(account), amount, None)


def _deposit_with_permit(account: str, amount: int, *_: object) -> Call:
    return Depositing(checksum_address(account), amount, checksum_address(account))


def _register_meter(
    registration: tuple[Any, ...], operator: tuple[Any, ...], mandate: tuple[Any, ...]
) -> RegisteringMeter:
    device, market, account, import_w, export_w, scale, mandated = registration
    who = checksum_address(device), market, checksum_address(account)
    return RegisteringMeter(*who, import_w, export_w, scale, mandated, act_of(operator), act_of(mandate))


def _move_meter(
    registration: tuple[Any, ...], from_slot: int, operator: tuple[Any, ...], mandate: tuple[Any, ...]
) -> Call:
    return MovingMeter(_register_meter(registration, operator, mandate), from_slot)


def _register_asset(asset: tuple[Any, ...], operator: tuple[Any, ...]) -> Call:
    meter, kind, nameplate_w, storage_wh, feeder = asset
    return RegisteringAsset(meter, AssetKind(kind), nameplate_w, storage_wh, feeder, act_of(operator))


def _report(values: tuple[Any, ...]) -> SignedReport:
    asset, state, since, deadline, signature = values
    return SignedReport(AssetStateReport(asset, state, since, deadline), signature)


def _promise(values: tuple[Any, ...]) -> Promise:
    relayer, sponsor, signature_hash, commit_before, r, vs = values
    return Promise(checksum_address(relayer), checksum_address(sponsor), signature_hash, commit_before, r + vs)


def _claim_line(account: str, words: tuple[bytes, ...], index: int, promise: tuple[Any, ...]) -> Call:
    if index >= len(words):
        raise UnreadableCall(f"a schedule of {len(words)} has no line {index}")
    return Claiming(words[index], _promise(promise), (checksum_address(account), words))


def _prove(signed: tuple[bytes, bytes, bytes]) -> Call:
    word, r, vs = signed
    return ProvingRefusal(Placing((SignedWord(word, r + vs),)))


SIGNATURES: Mapping[str, Mapping[str, Callable[[bytes], Call]]] = {
    "EnergyAuction": {
        "place((bytes32,bytes32,bytes32)[])": _place,
        "cancel((bytes32,bytes32,bytes32)[])": _cancel,
        "placeSchedule(address,bytes32[],bytes)": _schedule(Placing),
        "cancelSchedule(address,bytes32[],bytes)": _schedule(Cancelling),
        "multicall(bytes[])": plain(("bytes[]",), _bundle("EnergyAuction")),
        "settle(uint32,uint32,(bytes32,bytes32,bytes32)[])": _settle,
        "clear(uint32,uint32)": plain(("uint32", "uint32"), ClearingSlot),
        "settleByDefault(uint32,uint32,uint32[])": plain(("uint32", "uint32", "uint32[]"), Defaulting),
        "release(uint32,uint32,uint32[])": plain(("uint32", "uint32", "uint32[]"), Releasing),
        "collect(uint32,address)": plain(
            ("uint32", "address"), lambda market, creditor: Collecting(market, checksum_address(creditor))
        ),
        f"createMarket({_TERMS},{ACT},{ACT})": plain((_TERMS, ACT, ACT), _create_market),
        f"changeMarket(uint32,{_TERMS},{ACT},{ACT})": plain(("uint32", _TERMS, ACT, ACT), _change_market),
        f"setDelegation({_DELEGATION},{ACT})": plain((_DELEGATION, ACT), _delegate),
    },
    "Vault": {
        "deposit(address,uint256)": plain(("address", "uint256"), _deposit),
        "depositWithPermit(address,uint256,uint256,uint8,bytes32,bytes32)": plain(
            ("address", "uint256", "uint256", "uint8", "bytes32", "bytes32"), _deposit_with_permit
        ),
        "withdraw(address,uint256)": plain(
            ("address", "uint256"), lambda to, amount: Withdrawing(checksum_address(to), amount, None)
        ),
        f"withdrawBySig(address,uint256,{ACT})": plain(
            ("address", "uint256", ACT),
            lambda to, amount, act: Withdrawing(checksum_address(to), amount, act_of(act)),
        ),
        "skim(address)": plain(("address",), lambda to: Skimming(checksum_address(to))),
    },
    "DeviceRegistry": {
        **DEVICE_SIGNATURES,
        "multicall(bytes[])": plain(("bytes[]",), _bundle("DeviceRegistry")),
    },
    "DERRegistry": {
        f"registerMeter({_REGISTRATION},{ACT},{ACT})": plain((_REGISTRATION, ACT, ACT), _register_meter),
        f"moveMeter({_REGISTRATION},uint32,{ACT},{ACT})": plain((_REGISTRATION, "uint32", ACT, ACT), _move_meter),
        f"endMeter(uint32,uint32,{ACT})": plain(
            ("uint32", "uint32", ACT), lambda meter, until, act: EndingMeter(meter, until, act_of(act))
        ),
        f"registerAsset((uint32,uint8,uint32,uint32,uint32),{ACT})": plain(
            ("(uint32,uint8,uint32,uint32,uint32)", ACT), _register_asset
        ),
        f"reportState({_STATE_REPORT})": plain(
            (_STATE_REPORT,), lambda report: ReportingStates((_report(report),), in_batch=False)
        ),
        f"reportStates({_STATE_REPORT}[])": plain(
            (f"{_STATE_REPORT}[]",), lambda reports: ReportingStates(tuple(map(_report, reports)), in_batch=True)
        ),
    },
    "RelayerBond": {
        f"post(address,uint256,{ACT})": plain(
            ("address", "uint256", ACT),
            lambda relayer, amount, act: PostingBond(checksum_address(relayer), amount, act_of(act)),
        ),
        f"unbond(address,uint256,{ACT})": plain(
            ("address", "uint256", ACT),
            lambda relayer, amount, act: Unbonding(checksum_address(relayer), amount, act_of(act)),
        ),
        "redeem(address,address)": plain(
            ("address", "address"),
            lambda sponsor, relayer: Redeeming(checksum_address(sponsor), checksum_address(relayer)),
        ),
        f"claim(bytes32,{_PROMISE})": plain(
            ("bytes32", _PROMISE), lambda word, promise: Claiming(word, _promise(promise))
        ),
        f"claimLine(address,bytes32[],uint256,{_PROMISE})": plain(
            ("address", "bytes32[]", "uint256", _PROMISE), _claim_line
        ),
        f"proveRefusal({_SIGNED_ORDER})": plain((_SIGNED_ORDER,), _prove),
        "proveScheduleRefusal(address,bytes32[],bytes)": _schedule(
            lambda items, shared: ProvingRefusal(Placing(items, shared))
        ),
    },
    "TelemetryAnchor": STREAM_SIGNATURES,
    "FirmwareRegistry": FIRMWARE_SIGNATURES,
}
"""Every call that changes what an audit replays, by contract and canonical signature, with its reader."""

_READERS = {
    contract: {_selector(signature): reader for signature, reader in calls.items()}
    for contract, calls in SIGNATURES.items()
}
_SELECTORS = {
    (contract, signature.partition("(")[0]): _selector(signature)
    for contract, calls in SIGNATURES.items()
    for signature in calls
}
