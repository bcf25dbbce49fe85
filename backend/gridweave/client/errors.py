"""What can go wrong between a signer and the service, each error carrying what its reader needs to act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AcknowledgementInvalid",
    "ClientError",
    "ConflictingReading",
    "KeyNotFound",
    "KeystoreError",
    "RequestRejected",
    "ServiceError",
    "ServiceUnavailable",
    "UrlUnusable",
    "WrongPassword",
]


class ClientError(Exception):
    """Any fault that this package raises on purpose."""


class ServiceError(ClientError):
    """The service refused a request.

    `name` is the service's (often the contract's) error name, `message` says what to change, `arguments` the offending
    values, `status` the HTTP status (0 inside a batch), `request_id` what the service's log calls the request.
    """

    def __init__(
        self,
        name: str,
        message: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        status: int = 0,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{name}: {message}" if message else name)
        self.name = name
        self.message = message
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.status = status
        self.request_id = request_id


class ServiceUnavailable(ClientError):
    """No answer, or `answered` with 503, after all attempts; `base_url` says where.

    Nothing is known about the request: send the same again.
    """

    def __init__(self, base_url: str, reason: str, *, answered: bool = False) -> None:
        says = "cannot do it now" if answered else "does not answer"
        super().__init__(f"the service at {base_url} {says}: {reason}")
        self.base_url = base_url
        self.reason = reason
        self.answered = answered


class UrlUnusable(ClientError):
    """What is given as a service's address is none; the message says what to write."""


class AcknowledgementInvalid(ClientError):
    """A 2xx without the relayer's Acknowledgement of what was sent: treat the request as not acknowledged."""

    def __init__(self, digest: str, reason: str) -> None:
        super().__init__(f"the acknowledgement of {digest} is not the relayer's: {reason}")
        self.digest = digest


class RequestRejected(ClientError):
    """An accepted request that ended without effect; `reason` is the contract's or the service's error name."""

    def __init__(self, digest: str, reason: str) -> None:
        super().__init__(f"{digest} was rejected: {reason}")
        self.digest = digest
        self.reason = reason


class ConflictingReading(ClientError):
    """Another reading is already signed for this meter, slot and version; a correction takes the next version."""

    def __init__(self, meter: int, slot: int, version: int) -> None:
        super().__init__(
            f"meter {meter} has signed another reading for slot {slot} version {version}; "
            "a correction takes the next version"
        )
        self.meter, self.slot, self.version = meter, slot, version


class KeystoreError(ClientError):
    """A key file that cannot be used as asked."""


class KeyNotFound(KeystoreError):
    """No key of that name in the keystore."""


class WrongPassword(KeystoreError):
    """The password does not open the key."""
