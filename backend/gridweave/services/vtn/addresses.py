"""Where webhooks may go: addresses that everybody reaches, not those behind our own door."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from gridweave.services.vtn.errors import Malformed

__all__ = ["PublicResolver", "check_callback"]


class PublicResolver(AbstractResolver):
    """Resolves names, and to private addresses only if told so. What is connected to is what was checked."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of the name. Raises OSError, also if any of them is private."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if not self._private and not _is_public(result["host"]):
                raise OSError(f"{host} is a private address")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def check_callback(url: str, *, private: bool) -> None:
    """Raises Malformed unless it may be called: over TLS, and if it names an address, a public one."""
    try:
        parts = urlsplit(url)
        host, scheme, _ = parts.hostname, parts.scheme, parts.port
    except ValueError as fault:
        raise Malformed("callbackUrl is no URL") from fault
    if not host or parts.username is not None:
        raise Malformed("callbackUrl names no host, or a user")
    if scheme != "https" and not (private and scheme == "http"):
        raise Malformed("callbackUrl begins with https://")
    if not private and _is_address(host) and not _is_public(host):
        raise Malformed("callbackUrl is a private address")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(host: str) -> bool:
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner: IPv4Address | None = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast
