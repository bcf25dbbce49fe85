"""What a network is to be, and who validates it. Every validator holds the key of its own node."""

from __future__ import annotations

import ipaddress
import secrets
from collections import Counter
from dataclasses import dataclass, field

from gridweave.domain.addresses import checksum_address
from gridweave.domain.signatures import SECP256K1_ORDER, address_of, secp256k1_point

__all__ = ["BYZANTINE", "BesuPlan", "PlanUnusable", "Validator", "draw_validator"]

BYZANTINE = 4
"""QBFT bears a validator that lies from four on: more than two thirds must sign a block."""

_MOST_VALIDATORS = 100
_MOST_PORT = 65_535


class PlanUnusable(ValueError):
    """No such network can be; the message says what to change."""


@dataclass(frozen=True)
class Validator:
    """One node: its private key, where it listens. `host` is an IP address, which an enode URL asks for."""

    number: int
    secret: bytes = field(repr=False)
    host: str
    p2p_port: int
    rpc_port: int

    @property
    def address(self) -> str:
        return address_of(self.secret)

    @property
    def public_key(self) -> bytes:
        """64 bytes, as enode URLs carry it."""
        return b"".join(secp256k1_point(self.secret))

    @property
    def enode(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"enode://{self.public_key.hex()}@{host}:{self.p2p_port}"

    @property
    def folder(self) -> str:
        return f"node-{self.number}"


@dataclass(frozen=True)
class BesuPlan:
    """A network's fixed numbers. `accounts` have `balance` wei each at genesis; times are seconds."""

    chain_id: int
    validators: tuple[Validator, ...]
    accounts: tuple[str, ...] = ()
    balance: int = 10**24
    block_seconds: int = 5
    gas_limit: int = 30_000_000
    epoch_blocks: int = 30_000

    @classmethod
    def draw(
        cls,
        count: int,
        chain_id: int,
        *,
        hosts: tuple[str, ...] = (),
        accounts: tuple[str, ...] = (),
        block_seconds: int = 5,
        p2p_port: int = 30_303,
        rpc_port: int = 8_545,
    ) -> BesuPlan:
        """A network of `count` validators with fresh keys. Raises PlanUnusable.

        `hosts` are their IP addresses in order, by default all 127.0.0.1; nodes on one host count their ports up.
        """
        if not 1 <= count <= _MOST_VALIDATORS:
            raise PlanUnusable(f"{count} validators: give between 1 and {_MOST_VALIDATORS}")
        if chain_id < 1:
            raise PlanUnusable(f"chain id {chain_id}: a chain id is 1 or more")
        if hosts and len(hosts) != count:
            raise PlanUnusable(f"{len(hosts)} hosts for {count} validators: give one for each, or none")
        if block_seconds < 1:
            raise PlanUnusable(f"a block every {block_seconds} s: give at least 1")
        seen: Counter[str] = Counter()
        validators = []
        for number, host in enumerate(map(_ip, hosts or ("127.0.0.1",) * count), start=1):
            validators.append(draw_validator(number, host, p2p_port + seen[host], rpc_port + seen[host]))
            seen[host] += 1
        _check_apart(p2p_port, rpc_port, max(seen.values()))
        return cls(chain_id, tuple(validators), tuple(map(_account, accounts)), block_seconds=block_seconds)


def draw_validator(number: int, host: str, p2p_port: int, rpc_port: int) -> Validator:
    """A validator with a fresh key. Raises PlanUnusable for ports that no host has."""
    for port in (p2p_port, rpc_port):
        if not 1 <= port <= _MOST_PORT:
            raise PlanUnusable(f"port {port} of validator {number}: ports end at {_MOST_PORT}")
    secret = 1 + secrets.randbelow(SECP256K1_ORDER - 1)
    return Validator(number, secret.to_bytes(32), host, p2p_port, rpc_port)


def _check_apart(p2p_port: int, rpc_port: int, most: int) -> None:
    """Raises PlanUnusable if `most` ports from each of these on have one in common."""
    if abs(p2p_port - rpc_port) < most:
        raise PlanUnusable(
            f"on a host with {most} nodes, p2p from port {p2p_port} and RPC from port {rpc_port} on share a port: "
            f"set --p2p-port and --rpc-port at least {most} apart"
        )


def _ip(host: str) -> str:
    """The address in its one spelling. Raises PlanUnusable for what is none, or one link's alone."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise PlanUnusable(f"host {host} is no IP address, which is what an enode URL takes") from error
    if "%" in host:
        raise PlanUnusable(f"host {host} names a network interface of one machine: give an address that others reach")
    return str(address)


def _account(address: str) -> str:
    try:
        return checksum_address(address)
    except ValueError as error:
        raise PlanUnusable(f"{address} is no address: 0x and 40 hex digits") from error
