"""Every custom error has its name and arguments, wherever a node puts the bytes."""

from __future__ import annotations

import pytest
from eth_abi import encode

from gridweave import artifacts
from gridweave.chain import Reverted, checksum_address, error_name, reverted, to_hex
from gridweave.chain.errors import node_error

SAMPLES = {"address": "0x" + "ab" * 20, "bytes32": b"\7" * 32, "bytes4": b"\1\2\3\4", "string": "why", "bool": True}


def _sample(kind):
    return SAMPLES.get(kind, 7)


@pytest.mark.parametrize("entry", artifacts.errors().values(), ids=lambda entry: entry.name)
def test_reverted__given_any_custom_error__names_it_with_its_arguments(entry):
    kinds = [kind for _, kind in entry.inputs]
    values = [_sample(kind) for kind in kinds]
    error = reverted(entry.selector + encode(kinds, values))
    expected = [checksum_address(v) if kind == "address" else v for kind, v in zip(kinds, values, strict=True)]
    assert error.name == entry.name
    assert dict(error.arguments) == dict(zip([name for name, _ in entry.inputs], expected, strict=True))
    assert error_name(entry.selector) == entry.name
    assert entry.name in str(error)


def test_errors__given_the_interfaces__holds_each_of_their_errors():
    interfaces = (
        "IVault",
        "IDeviceRegistry",
        "IDERRegistry",
        "IMeterLedger",
        "IEnergyAuction",
        "ISignedActs",
        "IFirmwareRegistry",
    )
    declared = {e["name"] for name in interfaces for e in artifacts.load(name).abi if e["type"] == "error"}
    assert declared
    assert declared <= {entry.name for entry in artifacts.errors().values()}


def test_reverted__given_a_reason_string__is_error():
    error = reverted(bytes.fromhex("08c379a0") + encode(["string"], ["too early"]))
    assert (error.name, dict(error.arguments)) == ("Error", {"message": "too early"})


@pytest.mark.parametrize(
    "arguments",
    [
        encode(["bytes"], [b"\xff"]),
        (32).to_bytes(32, "big") + (2**255).to_bytes(32, "big"),
        (2**255).to_bytes(32, "big"),
    ],
    ids=["no UTF-8", "endless", "elsewhere"],
)
def test_reverted__given_a_reason_that_is_no_text__still_names_the_error(arguments):
    """Any wallet that is asked may answer so."""
    error = reverted(bytes.fromhex("08c379a0") + arguments)
    assert (error.name, dict(error.arguments)) == ("Error", {})


def test_reverted__given_a_panic__is_panic():
    error = reverted(bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]))
    assert (error.name, dict(error.arguments)) == ("Panic", {"code": 0x11})


def test_reverted__given_an_unknown_selector__keeps_it():
    assert reverted(b"\xff\xff\xff\xff").name == "Unknown"
    assert error_name(b"\xff\xff\xff\xff") == "0xffffffff"


def test_reverted__given_cut_arguments__still_names_the_error():
    entry = next(entry for entry in artifacts.errors().values() if entry.inputs)
    assert reverted(entry.selector + b"\1").name == entry.name


@pytest.mark.parametrize("data", [b"", b"\1\2"])
def test_reverted__given_no_reason__has_no_name(data):
    assert reverted(data).name == ""


@pytest.mark.parametrize(
    "place",
    [
        lambda data: data,
        lambda data: {"data": data},
        lambda data: {"result": data, "message": "revert"},
        lambda data: {"data": {"data": data}},
        lambda data: f"Reverted {data}",
    ],
)
def test_node_error__given_revert_data_in_any_place__finds_it(place):
    data = bytes.fromhex("4e487b71") + encode(["uint256"], [1])
    error = node_error({"code": 3, "message": "execution reverted", "data": place(to_hex(data))})
    assert isinstance(error, Reverted)
    assert error.name == "Panic"


@pytest.mark.parametrize("code", [None, "x", [], 1.5])
def test_node_error__given_a_code_that_is_no_number__still_has_its_message(code):
    error = node_error({"code": code, "message": "slow down"})
    assert (error.code, error.message) == (0, "slow down")
