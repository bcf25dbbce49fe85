"""Refusals that know their HTTP status, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridweave.chain.hexes import to_hex
from gridweave.services.advice import advice_on

__all__ = [
    "BeyondDelegation",
    "ChallengeInvalid",
    "CursorReorganised",
    "EvidenceUnavailable",
    "GateTooClose",
    "KeyChangeUnderWay",
    "KeyNotToKeep",
    "NonceTaken",
    "NotFound",
    "ParquetMissing",
    "RateLimited",
    "Refused",
    "RelayerOutOfFunds",
    "RequestDiffers",
    "RequestInvalid",
    "ServiceError",
    "SessionInvalid",
    "StepDiffers",
    "StreamBusy",
    "TooManyExports",
    "TooManyReplacements",
    "TooManyStreams",
    "TooManyUnderWay",
    "Unavailable",
]


class ServiceError(Exception):
    """A refusal: `name`, `message` that says what to change, `arguments`, and the HTTP `status` to answer with."""

    status = 500
    retry_after: int | None = None

    def __init__(self, name: str, message: str, arguments: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message, self.arguments = name, message, dict(arguments or {})

    @property
    def body(self) -> dict[str, Any]:
        """{name, message, args} as the API shows it."""
        return {"name": self.name, "message": self.message, "args": _plain(self.arguments)}


class Refused(ServiceError):
    """A contract's custom error, whether the chain said it or we saw it coming."""

    def __init__(self, name: str, arguments: Mapping[str, Any] | None = None) -> None:
        advice = advice_on(name)
        super().__init__(name, advice.message, arguments)
        self.status = advice.status


class BeyondDelegation(ServiceError):
    """The contract's WrongSigner for a delegate, with the limit of its delegation that it exceeds."""

    status = 403

    def __init__(self, limit: str, allowed: int | None) -> None:
        says = "allows none of these" if allowed is None else f"says {allowed}"
        message = f"the delegation's {limit} {says}; order within it, or ask the account for another"
        super().__init__("WrongSigner", message, {"limit": limit, "allowed": allowed})


class ChallengeInvalid(ServiceError):
    """A challenge that cannot be answered (any more)."""

    status = 401

    def __init__(self, why: str) -> None:
        super().__init__("ChallengeInvalid", f"{why}; ask for a new challenge and answer that")


class SessionInvalid(ServiceError):
    """No session, or one that has ended."""

    status = 401

    def __init__(self) -> None:
        super().__init__("SessionInvalid", "there is no such session (any more); answer a new challenge")


class GateTooClose(ServiceError):
    """The gate or the deadline is nearer than the time a transaction may take, so nothing can be promised."""

    status = 409

    def __init__(self, closes_at: int, margin: int, now: int) -> None:
        message = f"less than {margin} s remain; order for a later slot, or send the order to the contract yourself"
        super().__init__("GateTooClose", message, {"closesAt": closes_at, "commitMargin": margin, "chainTime": now})


class EvidenceUnavailable(ServiceError):
    """The node does not give what a bundle of firmware must hold."""

    status = 501

    def __init__(self, why: str) -> None:
        super().__init__("EvidenceUnavailable", f"{why}; make the bundle from a node that proves its state", {})


class KeyChangeUnderWay(ServiceError):
    """The model's release keys are about to change, and an act names those that it arrives under."""

    status = 409

    def __init__(self, model: int) -> None:
        message = "the model's keys are about to change; the approval is kept: send it again once they have"
        super().__init__("KeyChangeUnderWay", message, {"model": model})


class StepDiffers(ServiceError):
    """The signatures are for another step of the rollout, so that to the contract they are wrong."""

    status = 409

    def __init__(self, given: int, present: int) -> None:
        message = "the rollout stands at another step, since it was raised, paused or resumed; sign for the present one"
        super().__init__("StepDiffers", message, {"given": given, "present": present})


class KeyNotToKeep(ServiceError):
    """A key that needs no keeping, or is kept."""

    status = 409

    def __init__(self, device: str) -> None:
        message = "only a P-256 key that is not kept yet is; whoever judges a secp256k1 signature needs none"
        super().__init__("KeyNotToKeep", message, {"device": device})


class StreamBusy(ServiceError):
    """A stream's tip is about to move."""

    status = 409
    retry_after = 2

    def __init__(self, stream: str) -> None:
        message = "another batch or epoch of the stream is on its way; send the same request again once it is on chain"
        super().__init__("StreamBusy", message, {"stream": stream})


class NonceTaken(ServiceError):
    """Another payload with the same nonce (version) is acknowledged already."""

    status = 409

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(name, f"{advice_on(name).message} (acknowledged already: {holder})", {"holder": holder})


class RequestInvalid(ServiceError):
    """The request cannot be read as what it should be."""

    status = 422


class RequestDiffers(ServiceError):
    """A request with the same id and other contents is known already."""

    status = 409

    def __init__(self, id_: str) -> None:
        message = "another request with this id is known already; sign with a new nonce"
        super().__init__("RequestDiffers", message, {"holder": id_})


class TooManyUnderWay(ServiceError):
    """One signer has as many acts on their way to the chain as the relayer carries at once."""

    status = 429
    retry_after = 2

    def __init__(self, signer: str, most: int) -> None:
        message = f"{most} acts of one signer are carried at once; wait until some of them have arrived"
        super().__init__("TooManyUnderWay", message, {"signer": signer, "most": most})


class TooManyReplacements(ServiceError):
    """As many versions of one position are relayed as there may be."""

    status = 422

    def __init__(self, most: int) -> None:
        message = f"{most} replacements per meter and slot are relayed; send more to the contract yourself"
        super().__init__("TooManyReplacements", message, {"most": most})


class TooManyStreams(ServiceError):
    """As many readers as may follow the events do."""

    status = 503
    retry_after = 5

    def __init__(self, most: int) -> None:
        super().__init__("TooManyStreams", f"{most} connections follow the events already; try again", {"most": most})


class TooManyExports(ServiceError):
    """As many exports as may run do."""

    status = 503
    retry_after = 5

    def __init__(self, most: int) -> None:
        super().__init__("TooManyExports", f"{most} exports are under way already; try again", {"most": most})


class CursorReorganised(ServiceError):
    """The block that a cursor stands in was thrown out: what was read above `common_block` is void."""

    status = 409

    def __init__(self, cursor: str, common_block: int | None, go_on_with: str | None) -> None:
        if common_block is None:
            message = "its block was thrown out, and nothing read so far is known to stand: begin again"
        else:
            message = f"its block was thrown out: drop the rows above block {common_block} and go on with `goOnWith`"
        arguments = {"cursor": cursor, "commonBlock": common_block, "goOnWith": go_on_with}
        super().__init__("CursorReorganised", message, arguments)


class ParquetMissing(ServiceError):
    """Parquet is written by a library that this service was installed without."""

    status = 501

    def __init__(self) -> None:
        step = "ask for ndjson or csv, or have the service installed by: pip install pyarrow"
        super().__init__("ParquetMissing", step)


class NotFound(ServiceError):
    """There is no such thing (yet)."""

    status = 404

    def __init__(self, name: str, message: str, arguments: Mapping[str, Any] | None = None) -> None:
        super().__init__(name, message, arguments)


class RateLimited(ServiceError):
    """Too many requests from one address."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("RateLimited", "slow down, or put more into one request", {"retryAfter": retry_after})
        self.retry_after = retry_after


class RelayerOutOfFunds(ServiceError):
    """The relayer cannot pay for more than what it has acknowledged already; nothing was acknowledged."""

    status = 503
    retry_after = 30

    def __init__(self, relayer: str) -> None:
        message = "the relayer has no gas money for more; try again later, or send it to the contract yourself"
        super().__init__("RelayerOutOfFunds", message, {"relayer": relayer})


class Unavailable(ServiceError):
    """The node or a database is away; nothing was acknowledged."""

    status = 503
    retry_after = 2

    def __init__(self, what: str) -> None:
        super().__init__("Unavailable", f"{what} does not answer; send the same request again shortly")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
