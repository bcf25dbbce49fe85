"""Events that OpenZeppelin's AccessManager, ERC-20 and EIP-712 bring into our contracts, as typed records."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.chain.event import Event

__all__ = [
    "Approval",
    "AuthorityUpdated",
    "EIP712DomainChanged",
    "OperationCanceled",
    "OperationExecuted",
    "OperationScheduled",
    "RoleAdminChanged",
    "RoleGrantDelayChanged",
    "RoleGranted",
    "RoleGuardianChanged",
    "RoleLabel",
    "RoleRevoked",
    "TargetAdminDelayUpdated",
    "TargetClosed",
    "TargetFunctionRoleUpdated",
    "Transfer",
]


@dataclass(frozen=True, slots=True)
class RoleGranted(Event):
    """The role counts from `since` on, after its grant delay; `delay` is the execution delay."""

    role_id: int
    account: str
    delay: int
    since: int
    new_member: bool


@dataclass(frozen=True, slots=True)
class RoleRevoked(Event):
    """At once."""

    role_id: int
    account: str


@dataclass(frozen=True, slots=True)
class RoleLabel(Event):
    """A role got a name."""

    role_id: int
    label: str


@dataclass(frozen=True, slots=True)
class RoleAdminChanged(Event):
    """`admin` is the role that grants and revokes this one."""

    role_id: int
    admin: int


@dataclass(frozen=True, slots=True)
class RoleGuardianChanged(Event):
    """`guardian` is the role that may cancel what members scheduled."""

    role_id: int
    guardian: int


@dataclass(frozen=True, slots=True)
class RoleGrantDelayChanged(Event):
    """Grants wait `delay` seconds from `since` on."""

    role_id: int
    delay: int
    since: int


@dataclass(frozen=True, slots=True)
class TargetFunctionRoleUpdated(Event):
    """`role_id` may call this function of the target."""

    target: str
    selector: bytes
    role_id: int


@dataclass(frozen=True, slots=True)
class TargetAdminDelayUpdated(Event):
    """Changes of the target wait `delay` seconds from `since` on."""

    target: str
    delay: int
    since: int


@dataclass(frozen=True, slots=True)
class TargetClosed(Event):
    """The emergency stop of one contract."""

    target: str
    closed: bool


@dataclass(frozen=True, slots=True)
class OperationScheduled(Event):
    """A call that waits for its execution delay."""

    operation_id: bytes
    nonce: int
    schedule: int
    caller: str
    target: str
    data: bytes


@dataclass(frozen=True, slots=True)
class OperationExecuted(Event):
    """A scheduled call was made."""

    operation_id: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class OperationCanceled(Event):
    """A scheduled call was dropped."""

    operation_id: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class AuthorityUpdated(Event):
    """The contract obeys this AccessManager."""

    authority: str


@dataclass(frozen=True, slots=True)
class EIP712DomainChanged(Event):
    """Never sent: our domains do not change. ERC-5267 declares it."""


@dataclass(frozen=True, slots=True)
class Transfer(Event):
    """Tokens moved; `sender` is the ABI's `from`, which Python reserves."""

    sender: str
    to: str
    value: int


@dataclass(frozen=True, slots=True)
class Approval(Event):
    """`spender` may take `value` of the owner's tokens."""

    owner: str
    spender: str
    value: int
