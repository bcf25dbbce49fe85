"""What the VTN refuses, by the statuses of the OpenADR 3.1 specification."""

from __future__ import annotations

from gridweave.services.errors import ServiceError

__all__ = ["Forbidden", "InConflict", "Malformed", "NoSuchObject", "TokenInvalid", "TokenRefused"]


class Malformed(ServiceError):
    """The request cannot be what it should be."""

    status = 400

    def __init__(self, detail: str) -> None:
        super().__init__("BadRequest", detail)


class TokenInvalid(ServiceError):
    """No token, or one that has expired or that this VTN did not give."""

    status = 401

    def __init__(self, detail: str) -> None:
        super().__init__("Unauthorized", f"{detail}; ask for one at the tokenURL of /auth/server")


class Forbidden(ServiceError):
    """The client's role does not allow it."""

    status = 403

    def __init__(self, detail: str) -> None:
        super().__init__("Forbidden", detail)


class NoSuchObject(ServiceError):
    """There is none, or none that the client may see: it cannot tell which."""

    status = 404

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__("NotFound", f"no {kind.lower()} {id_} that you may see")


class InConflict(ServiceError):
    """The name is another's, or what the object refers to does not exist."""

    status = 409

    def __init__(self, detail: str) -> None:
        super().__init__("Conflict", detail)


class TokenRefused(ServiceError):
    """No token for these credentials; `error` is a code of RFC 6749, section 5.2."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(error, detail)
        self.status = 401 if error == "invalid_client" else 400
