"""What can go wrong between us and a chain, each with its name.

`NodeUnavailable` is worth retrying, `NodeError` is the node's own refusal, `Reverted` is a contract's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from gridweave import artifacts
from gridweave.chain.hexes import to_hex
from gridweave.domain.addresses import checksum_address

__all__ = [
    "AnswerTooLarge",
    "BlockNotAvailable",
    "ChainError",
    "GasAboveCap",
    "NodeError",
    "NodeUnavailable",
    "NotThatContract",
    "Reverted",
    "error_name",
    "node_error",
    "reverted",
]

_BUILT_IN: Mapping[bytes, tuple[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        bytes.fromhex("08c379a0"): ("Error", (("message", "string"),)),
        bytes.fromhex("4e487b71"): ("Panic", (("code", "uint256"),)),
    }
)
_BLOCK_GONE = ("header not found", "blockoutofrange", "unknown block", "block not found", "missing trie node")
_ALREADY_KNOWN = ("already known", "already imported", "known transaction", "already in mempool", "tx already exists")
_NONCE_TOO_LOW = ("nonce too low", "nonce is too low", "nonce below", "invalid nonce", "have the correct nonce")
_UNDERPRICED = ("underpriced", "less than block base fee", "fee too low", "max fee per gas less")
_LIMIT_EXCEEDED = -32005  # EIP-1474
_POOR = ("insufficient funds", "upfront cost exceeds", "doesn't have enough funds")


class ChainError(Exception):
    """Anything that a chain or its node answers instead of a result."""


class NodeUnavailable(ChainError):
    """The node did not answer: no connection, a timeout, an overload. Nothing is known about what it did."""


class NotThatContract(ChainError):
    """The address answered what the contract never would: nothing is deployed there, or something else is."""


class GasAboveCap(ChainError):
    """The call needs more gas than one transaction may have. Split its work."""

    def __init__(self, estimate: int, cap: int) -> None:
        super().__init__(f"needs {estimate} gas, a transaction may have {cap}")
        self.estimate, self.cap = estimate, cap


class NodeError(ChainError):
    """The node refused a request: JSON-RPC `code`, its `message`, and `data` as it came."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code, self.message, self.data = code, message, data

    @property
    def already_known(self) -> bool:
        """The node holds these very transaction bytes already, which is as good as accepting them."""
        return self._says(_ALREADY_KNOWN)

    @property
    def nonce_too_low(self) -> bool:
        """A transaction with this nonce is mined: these bytes or others."""
        return self._says(_NONCE_TOO_LOW)

    @property
    def underpriced(self) -> bool:
        """Fees are below the block's base fee or do not outbid the transaction to be replaced."""
        return self._says(_UNDERPRICED)

    @property
    def is_of_the_moment(self) -> bool:
        """Whoever stands before the node refused (an HTTP status), or the node wants fewer requests: it says nothing of
        what was asked."""
        return self.code in (0, _LIMIT_EXCEEDED) or self.code >= 100

    @property
    def insufficient_funds(self) -> bool:
        """The sender cannot pay for gas and value."""
        return self._says(_POOR)

    def _says(self, phrases: tuple[str, ...]) -> bool:
        said = self.message.lower()
        return any(phrase in said for phrase in phrases)


class BlockNotAvailable(NodeError):
    """The node does not know the pinned block, or no longer has its state."""


class AnswerTooLarge(NodeError):
    """The node answers more at once than is read, `most` bytes. Ask for less: fewer blocks, fewer calls."""

    def __init__(self, most: int) -> None:
        super().__init__(0, f"the answer has more than {most:,} bytes; ask for less at once")
        self.most = most


class Reverted(ChainError):
    """A contract refused: the custom error's `name` and `arguments` by parameter name.

    `name` is empty when the contract gave no reason, `Unknown` when its selector is in no artifact; `data` is all it
    said. Addresses are checksummed text, integers int, bytes bytes.
    """

    def __init__(self, name: str, arguments: Mapping[str, Any], data: bytes) -> None:
        said = ", ".join(f"{key}={_shown(value)}" for key, value in arguments.items())
        super().__init__(f"{name or 'no reason given'}({said})" if name else "reverted without a reason")
        self.name, self.arguments, self.data = name, MappingProxyType(dict(arguments)), data

    @property
    def selector(self) -> bytes:
        return self.data[:4]


def reverted(data: bytes) -> Reverted:
    """The named error behind revert `data`."""
    if len(data) < 4:
        return Reverted("", {}, data)
    found = _BUILT_IN.get(data[:4]) or _custom(data[:4])
    if found is None:
        return Reverted("Unknown", {"selector": data[:4]}, data)
    name, inputs = found
    try:
        values = decode([kind for _, kind in inputs], data[4:])
    except (DecodingError, ValueError, OverflowError):  # text that is no UTF-8, a length beyond all bounds
        return Reverted(name, {}, data)
    return Reverted(name, {key: _plain(kind, value) for (key, kind), value in zip(inputs, values, strict=True)}, data)


def error_name(selector: bytes) -> str:
    """The name of the error with this four-byte selector, as events carry it; its hex if no artifact has it."""
    found = _BUILT_IN.get(selector) or _custom(selector)
    return found[0] if found else to_hex(selector)


def node_error(error: object) -> ChainError:
    """The exception for the `error` member of a JSON-RPC answer."""
    if not isinstance(error, Mapping):
        return NodeError(0, str(error))
    code, message, data = error.get("code", 0), str(error.get("message", "")), error.get("data")
    code = code if isinstance(code, int) else 0
    payload = _revert_data(data)
    if payload is not None or "revert" in message.lower():
        return reverted(payload or b"")
    gone = any(phrase in message.lower().replace("_", "") for phrase in _BLOCK_GONE)
    return (BlockNotAvailable if gone else NodeError)(code, message, data)


def _custom(selector: bytes) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    entry = artifacts.errors().get(selector)
    return (entry.name, entry.inputs) if entry else None


def _revert_data(data: object) -> bytes | None:
    """Nodes put revert bytes into `data` itself, into `data.data` or `data.result`, or behind the word Reverted."""
    for text in _texts(data):
        candidate = text.removeprefix("Reverted ").strip()
        if candidate.startswith("0x"):
            try:
                return bytes.fromhex(candidate[2:])
            except ValueError:
                continue
    return None


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key in ("data", "result", "output"):
            yield from _texts(data.get(key))


def _plain(kind: str, value: Any) -> Any:
    return checksum_address(value) if kind == "address" else value


def _shown(value: Any) -> str:
    return to_hex(value) if isinstance(value, bytes) else str(value)
