"""Who may do what: the Authority replayed, in force at any chain time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridweave.chain import events as chain
from gridweave.chain.events import Event

__all__ = ["ADMIN", "PUBLIC", "Delay", "Membership", "Roles"]

ADMIN = 0
PUBLIC = 2**64 - 1


@dataclass(frozen=True)
class Delay:
    """A number of seconds that is `before` until chain time `effect` and `after` from then on."""

    before: int = 0
    after: int = 0
    effect: int = 0

    def at(self, now: int) -> int:
        return self.after if self.effect <= now else self.before

    def changed(self, seconds: int, now: int) -> Delay:
        """With a new value: a longer one at once, a shorter one after the difference."""
        value = self.at(now)
        return Delay(value, seconds, now + max(0, value - seconds))


@dataclass(frozen=True)
class Membership:
    """One account's hold on one role: from when, and how long it has to wait before each act."""

    since: int
    delay: Delay

    def is_immediate(self, now: int) -> bool:
        """Whether the account may act now without scheduling."""
        return self.since <= now and self.delay.at(now) == 0


class Roles:
    """One Authority. Roles without an admin of their own are ADMIN's, and so are functions without a role."""

    def __init__(self) -> None:
        self.members: dict[tuple[int, str], Membership | None] = {}
        self.functions: dict[tuple[str, bytes], int] = {}
        self.closed: dict[str, bool] = {}
        self.admins: dict[int, int] = {}
        self.guardians: dict[int, int] = {}
        self.grant_delays: dict[int, Delay] = {}
        self.admin_delays: dict[str, Delay] = {}

    def may(self, caller: str, target: str, selector: bytes, now: int) -> bool:
        """Whether `caller` may call the function of `target` at once: AccessManager.canCall."""
        if self.closed.get(target, False):
            return False
        role = self.functions.get((target, selector), ADMIN)
        return role == PUBLIC or self.holds(caller, role, now)

    def holds(self, account: str, role: int, now: int) -> bool:
        """Whether the account may act in the role at once."""
        membership = self.members.get((role, account))
        return membership is not None and membership.is_immediate(now)

    def grant(self, role: int, account: str, delay: int, now: int) -> dict[str, Any]:
        """What RoleGranted must say of a grant now."""
        held = self.members.get((role, account))
        waits = self.grant_delays.get(role, Delay()).at(now)
        since = held.delay.changed(delay, now).effect if held else now + waits
        return {"role_id": role, "account": account, "delay": delay, "since": since, "new_member": held is None}

    def take(self, kind: type[Event], said: Mapping[str, Any], now: int) -> bool:
        """Takes what an event of the Authority says; False if it contradicts what went before."""
        if kind is chain.RoleGranted:
            return self._take_grant(said, now)
        if kind is chain.RoleRevoked:
            key = said["role_id"], said["account"]
            held, self.members[key] = self.members.get(key), None
            return held is not None
        if kind is chain.TargetFunctionRoleUpdated:
            self.functions[said["target"], said["selector"]] = said["role_id"]
        elif kind is chain.TargetClosed:
            self.closed[said["target"]] = said["closed"]
        elif kind is chain.RoleAdminChanged:
            self.admins[said["role_id"]] = said["admin"]
        elif kind is chain.RoleGuardianChanged:
            self.guardians[said["role_id"]] = said["guardian"]
        elif kind is chain.RoleGrantDelayChanged:
            known = self.grant_delays.get(said["role_id"], Delay())
            self.grant_delays[said["role_id"]] = known.changed(said["delay"], now)
        elif kind is chain.TargetAdminDelayUpdated:
            known = self.admin_delays.get(said["target"], Delay())
            self.admin_delays[said["target"]] = known.changed(said["delay"], now)
        return True

    def _take_grant(self, said: Mapping[str, Any], now: int) -> bool:
        key = said["role_id"], said["account"]
        held = self.members.get(key)
        if held is None:
            self.members[key] = Membership(said["since"], Delay(0, said["delay"], 0))
        else:
            self.members[key] = Membership(held.since, held.delay.changed(said["delay"], now))
        return bool(said["new_member"] == (held is None))
