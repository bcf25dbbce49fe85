"""Expect a custom error under Brownie, by its selector and, if given, its arguments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from brownie import web3
from brownie.exceptions import VirtualMachineError
from eth_abi import decode

ERRORS = Path(__file__).resolve().parents[2] / "backend" / "gridweave" / "artifacts" / "errors.json"


@contextmanager
def reverts_with(name: str, *arguments: Any) -> Iterator[None]:
    """Fail unless the body reverts with the custom error `name`, and with exactly `arguments` when any are given."""
    try:
        yield
    except VirtualMachineError as raised:
        found, values = revert_of(raised)
    else:
        raise AssertionError(f"expected {name}, nothing reverted")
    assert found == name, f"expected {name}, reverted with {found}{values}"
    if arguments:
        assert values == arguments, f"expected {name}{arguments}, reverted with {found}{values}"


def revert_of(raised: VirtualMachineError) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of the custom error; an unknown one gives its data as hex, a revert without data ""."""
    data = _revert_data(raised)
    entry = _table().get(data[:10])
    if entry is None:
        return data, ()
    values = decode([field["type"] for field in entry["inputs"]], bytes.fromhex(data[10:]))
    return entry["name"], tuple(values)


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(ERRORS.read_text())
    return table


def _revert_data(raised: VirtualMachineError) -> str:
    """What the chain returned. Brownie keeps it for a call, drops it for a transaction; the trace still has it."""
    if raised.txid:
        options = {"disableStorage": True, "disableStack": True}
        trace = web3.provider.make_request("debug_traceTransaction", [raised.txid, options])
        returned = trace["result"]["returnValue"]
        return "0x" + returned.removeprefix("0x") if returned else ""
    payload = raised.args[0].args[0]
    return str(payload["data"])
