"""Short-lived bearer tokens: signed for one client, worth nothing once that client is removed or has another secret."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from hashlib import sha256

from gridweave.services.vtn.clients import Client, Clients
from gridweave.services.vtn.errors import TokenInvalid, TokenRefused

__all__ = ["Tokens"]

_MOST = 400
"""Characters of a token: an id of 128, a time, a MAC."""


class Tokens:
    """Gives tokens that hold for `seconds` and checks them; nothing of a token is kept."""

    def __init__(self, clients: Clients, seconds: int, now: Callable[[], float] = time.time) -> None:
        self.seconds = seconds
        self._clients, self._now = clients, now

    def give(self, grant: str | None, client_id: str | None, secret: str | None) -> str:
        """A token for a client's credentials. Raises TokenRefused."""
        if grant is None:
            raise TokenRefused("invalid_request", "say grant_type=client_credentials")
        if grant != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "the grant type is client_credentials")
        client = self._clients.knows(client_id or "", secret or "")
        if client is None:
            raise TokenRefused("invalid_client", "no client with this id and secret")
        ends = str(int(self._now()) + self.seconds)
        return f"{client.id}~{ends}~{_seal(client, ends)}"

    def check(self, token: str) -> Client:
        """Whose the token is. Raises TokenInvalid."""
        id_, _, rest = token.partition("~")
        ends, _, seal = rest.partition("~")
        client = self._clients.find(id_) if len(token) <= _MOST and token.isascii() else None
        if client is None or not ends.isdigit() or not hmac.compare_digest(seal, _seal(client, ends)):
            raise TokenInvalid("this is no token of this VTN")
        if int(ends) <= self._now():
            raise TokenInvalid("the token has expired")
        return client


def _seal(client: Client, ends: str) -> str:
    said = f"{client.id}~{ends}".encode()
    return hmac.new(bytes.fromhex(client.token_key), said, sha256).hexdigest()
