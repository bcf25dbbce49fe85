"""The admin's calls: what each must leave in the Authority's log, and whether its sender had the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from gridweave.audit.differences import Kind, Subject
from gridweave.audit.findings import Findings
from gridweave.audit.matching import Expected
from gridweave.audit.roles import ADMIN, Delay, Roles
from gridweave.chain import events as chain
from gridweave.chain.abi import abi_of
from gridweave.chain.events import Event
from gridweave.domain.addresses import checksum_address

__all__ = ["Governance"]

Said = tuple[type[Event], dict[str, Any]]

_FOLLOWED = (
    "grantRole",
    "revokeRole",
    "renounceRole",
    "setRoleAdmin",
    "setRoleGuardian",
    "setGrantDelay",
    "setTargetFunctionRole",
    "setTargetAdminDelay",
    "setTargetClosed",
)


class Governance:
    """Follows calls to the Authority at `authority` that changed roles, multicalls of them included."""

    def __init__(self, authority: str, roles: Roles, findings: Findings) -> None:
        self._authority, self._roles, self._findings = authority, roles, findings
        functions = abi_of("Authority").functions
        self._functions = {functions[name].selector: functions[name] for name in _FOLLOWED}
        self._multicall = functions["multicall"]
        self._silent = {functions[name].selector for name in ("labelRole",)}

    def follow(self, data: bytes, sender: str, now: int) -> list[Expected] | None:
        """The events that a call must leave; None for a call that the audit does not follow."""
        expected: list[Expected] = []
        try:
            calls = list(self._calls(data))
        except (DecodingError, KeyError):
            return None
        for name, arguments in calls:
            for kind, said in self._said(name, arguments, now):
                self._require_right(kind, said, name, sender, now)
                self._roles.take(kind, said, now)
                expected.append(Expected(kind, self._authority, said))
        return expected

    def _calls(self, data: bytes) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """The calls in the input, by name. Raises KeyError for one that is not followed."""
        if data[:4] == self._multicall.selector:
            (parts,) = decode(self._multicall.inputs, data[4:])
            for part in parts:
                yield from self._calls(part)
        elif data[:4] not in self._silent:
            function = self._functions[data[:4]]
            arguments = decode(function.inputs, data[4:])
            yield function.name, tuple(checksum_address(a) if isinstance(a, str) else a for a in arguments)

    def _said(self, name: str, arguments: tuple[Any, ...], now: int) -> list[Said]:
        match name, arguments:
            case "grantRole", (role, account, delay):
                return [(chain.RoleGranted, self._roles.grant(role, account, delay, now))]
            case (("revokeRole" | "renounceRole"), (role, account)):
                held = self._roles.members.get((role, account)) is not None
                return [(chain.RoleRevoked, {"role_id": role, "account": account})] if held else []
            case "setRoleAdmin", (role, admin):
                return [(chain.RoleAdminChanged, {"role_id": role, "admin": admin})]
            case "setRoleGuardian", (role, guardian):
                return [(chain.RoleGuardianChanged, {"role_id": role, "guardian": guardian})]
            case "setGrantDelay", (role, delay):
                since = self._roles.grant_delays.get(role, Delay()).changed(delay, now).effect
                return [(chain.RoleGrantDelayChanged, {"role_id": role, "delay": delay, "since": since})]
            case "setTargetFunctionRole", (target, selectors, role):
                said = [{"target": target, "selector": selector, "role_id": role} for selector in selectors]
                return [(chain.TargetFunctionRoleUpdated, each) for each in said]
            case "setTargetAdminDelay", (target, delay):
                since = self._roles.admin_delays.get(target, Delay()).changed(delay, now).effect
                return [(chain.TargetAdminDelayUpdated, {"target": target, "delay": delay, "since": since})]
            case "setTargetClosed", (target, closed):
                return [(chain.TargetClosed, {"target": target, "closed": closed})]
            case _:
                return []

    def _require_right(self, kind: type[Event], said: dict[str, Any], name: str, sender: str, now: int) -> None:
        if name == "renounceRole":
            right = said["account"] == sender
        elif kind in (chain.RoleGranted, chain.RoleRevoked):
            right = self._roles.holds(sender, self._roles.admins.get(said["role_id"], ADMIN), now)
        else:
            right = self._roles.holds(sender, ADMIN, now)
        subject = Subject(event=kind.__name__, account=sender)
        self._findings.check(right, Kind.ROLE, subject, f"a sender who may {name}", sender)
