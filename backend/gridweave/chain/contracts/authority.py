"""Roles: OpenZeppelin's AccessManager."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

from gridweave.chain.contracts.base import Contract
from gridweave.chain.types import Call

__all__ = ["Authority", "Role"]


class Role(IntEnum):
    """Roles as in contracts/libraries/Roles.sol, and AccessManager's own two."""

    ADMIN = 0
    OPERATOR = 1
    MAKER = 2
    MODULE = 3
    RECORDER = 4
    MINTER = 5
    PUBLIC = 2**64 - 1


class Authority(Contract):
    """Who may do what, for every contract."""

    NAME: ClassVar[str] = "Authority"

    async def has_role(self, role: Role, account: str, block: int | None = None) -> bool:
        """Whether the account holds the role now, without a delay still running."""
        member, _ = await self._results("hasRole", role, account, block=block)
        return bool(member)

    async def access_of(self, role: Role, account: str, block: int | None = None) -> tuple[int, int]:
        """(since, execution delay) of a member: `since` 0 is no member, in the future a grant that waits."""
        since, delay, _, _ = await self._results("getAccess", role, account, block=block)
        return int(since), int(delay)

    async def function_role(self, target: str, selector: bytes, block: int | None = None) -> int:
        """The role that may call `selector` of `target`."""
        return int(await self._result("getTargetFunctionRole", target, selector, block=block))

    async def grant_delay(self, role: Role, block: int | None = None) -> int:
        """Seconds between a grant of the role and its effect."""
        return int(await self._result("getRoleGrantDelay", role, block=block))

    async def target_admin_delay(self, target: str, block: int | None = None) -> int:
        """Seconds that changes to who may call `target` wait."""
        return int(await self._result("getTargetAdminDelay", target, block=block))

    async def role_admin(self, role: Role, block: int | None = None) -> int:
        """The role that may grant and revoke this one."""
        return int(await self._result("getRoleAdmin", role, block=block))

    async def role_guardian(self, role: Role, block: int | None = None) -> int:
        """The role that may cancel what members of this one have scheduled."""
        return int(await self._result("getRoleGuardian", role, block=block))

    async def is_closed(self, target: str, block: int | None = None) -> bool:
        """Whether the emergency stop has closed every restricted function of `target`."""
        return bool(await self._result("isTargetClosed", target, block=block))

    async def can_call(self, caller: str, target: str, selector: bytes, block: int | None = None) -> bool:
        """Whether the caller may call now, without scheduling."""
        immediate, _ = await self._results("canCall", caller, target, selector, block=block)
        return bool(immediate)

    def grant_role(self, role: Role, account: str, execution_delay: int = 0) -> Call:
        """Grants after the role's grant delay. Admin of the role only."""
        return self.call("grantRole", role, account, execution_delay)

    def revoke_role(self, role: Role, account: str) -> Call:
        """Takes the role away at once. Admin of the role only."""
        return self.call("revokeRole", role, account)

    def renounce_role(self, role: Role, account: str) -> Call:
        """The caller gives up a role; `account` is the caller again."""
        return self.call("renounceRole", role, account)

    def label_role(self, role: Role, label: str) -> Call:
        """Names a role for explorers. Admin only."""
        return self.call("labelRole", role, label)

    def set_grant_delay(self, role: Role, seconds: int) -> Call:
        """How long grants of the role wait from now on. Admin only."""
        return self.call("setGrantDelay", role, seconds)

    def set_target_admin_delay(self, target: str, seconds: int) -> Call:
        """How long changes to who may call `target`, its authority and its stop wait from now on. Admin only."""
        return self.call("setTargetAdminDelay", target, seconds)

    def set_function_role(self, target: str, selectors: Sequence[bytes], role: Role) -> Call:
        """Which role may call these functions. Admin only."""
        return self.call("setTargetFunctionRole", target, list(selectors), role)

    def set_closed(self, target: str, *, closed: bool) -> Call:
        """The emergency stop of one contract. Admin only."""
        return self.call("setTargetClosed", target, closed)
