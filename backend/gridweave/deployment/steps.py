"""The ordered steps of a deployment. Each knows how to see on the chain whether it is done.

Contracts are created one by one, for each needs the addresses of those before it. Everything that concerns roles is one
transaction (`multicall` of the Authority), so no moment exists in which a contract works with half of its roles.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gridweave import artifacts
from gridweave.chain import Authority, Call, Node, Role
from gridweave.chain.abi import abi_of
from gridweave.deployment.record import Deployment
from gridweave.deployment.roles import DELAYED_ROLES, FUNCTION_ROLES, GUARDED, LABELLED_ROLES, grant_delay

__all__ = ["CONTRACTS", "Creation", "RoleStep", "creation_data", "planned_members", "role_steps"]

Argument = str | int
Addresses = Mapping[str, str]


@dataclass(frozen=True)
class Creation:
    """One contract and where its constructor's arguments come from."""

    name: str
    arguments: Callable[[Deployment, Addresses], tuple[Argument, ...]]
    shown: str


CONTRACTS: tuple[Creation, ...] = (
    Creation("Authority", lambda d, _: (d.deployer,), "admin: deployer"),
    Creation("LocalCurrency", lambda _, at: (at["Authority"],), "authority"),
    Creation(
        "Vault", lambda d, at: (at["Authority"], at["LocalCurrency"], d.hold_length), "authority, currency, holdLength"
    ),
    Creation("DeviceRegistry", lambda _, at: (at["Authority"],), "authority"),
    Creation(
        "DERRegistry",
        lambda d, at: (at["Authority"], at["DeviceRegistry"], d.slot_length),
        "authority, devices, slotLength",
    ),
    Creation(
        "MeterLedger",
        lambda _, at: (at["Authority"], at["DERRegistry"], at["DeviceRegistry"]),
        "authority, meters, devices",
    ),
    Creation(
        "EnergyAuction",
        lambda _, at: (at["Authority"], at["Vault"], at["MeterLedger"], at["DERRegistry"]),
        "authority, vault, ledger, meters",
    ),
    Creation(
        "RelayerBond",
        lambda d, at: (at["Authority"], at["Vault"], at["EnergyAuction"], at["DERRegistry"], d.compensation),
        "authority, vault, auction, meters, compensation",
    ),
    Creation("TelemetryAnchor", lambda _, at: (at["Authority"], at["DeviceRegistry"]), "authority, devices"),
    Creation("FirmwareRegistry", lambda _, at: (at["Authority"], at["DeviceRegistry"]), "authority, devices"),
    Creation("DayCalendar", lambda d, at: (at["Authority"], d.slot_length), "authority, slotLength"),
    Creation("ResponseGauge", lambda _, at: (at["DayCalendar"], at["MeterLedger"]), "calendars, ledger"),
    Creation(
        "DemandResponse",
        lambda _, at: tuple(
            at[name]
            for name in (
                "Authority",
                "Vault",
                "MeterLedger",
                "DERRegistry",
                "DeviceRegistry",
                "EnergyAuction",
                "ResponseGauge",
            )
        ),
        "authority, vault, ledger, meters, devices, auction, gauge",
    ),
)
"""Every contract in the order in which they are created."""


@dataclass(frozen=True)
class RoleStep:
    """One setting of the Authority."""

    title: str
    call: Call
    is_done: Callable[[], Awaitable[bool]]


def creation_data(creation: Creation, record: Deployment) -> bytes:
    """Bytecode and constructor arguments, given the contracts that stand already."""
    arguments = creation.arguments(record, record.addresses)
    return artifacts.load(creation.name).bytecode + abi_of(creation.name).creation_arguments(*arguments)


def planned_members(record: Deployment) -> dict[Role, tuple[str, ...]]:
    """Members of every role, the contracts that hold one included."""
    auctions, bonds, responses = (
        tuple(version.address for version in record.contracts[name])
        for name in ("EnergyAuction", "RelayerBond", "DemandResponse")
    )
    return {**record.roles, Role.MODULE: auctions + bonds + responses, Role.RECORDER: auctions}


def role_steps(node: Node, record: Deployment) -> list[RoleStep]:
    """Every setting of the Authority in order; the deployer gives up its own power last."""
    authority = Authority(node, record.addresses["Authority"])
    members = planned_members(record)
    steps = [_function_step(authority, name, role, functions, record) for name, role, functions in _restricted(record)]
    steps += [_member_step(authority, role, account) for role in LABELLED_ROLES for account in members.get(role, ())]
    delay = grant_delay(record.hold_length)
    steps += [_delay_step(authority, role, delay) for role in DELAYED_ROLES]
    steps += [_guard_step(authority, name, record.addresses[name], delay) for name in GUARDED]
    steps += [_member_step(authority, Role.ADMIN, account) for account in members[Role.ADMIN]]
    if record.deployer not in members[Role.ADMIN]:
        steps.append(_renounce_step(authority, record.deployer))
    return steps


def _restricted(record: Deployment) -> list[tuple[str, Role, tuple[str, ...]]]:
    return [
        (name, role, functions)
        for name, roles in FUNCTION_ROLES.items()
        if name != "LocalCurrency" or record.own_currency
        for role, functions in roles.items()
    ]


def _function_step(
    authority: Authority, name: str, role: Role, functions: tuple[str, ...], record: Deployment
) -> RoleStep:
    target = record.addresses[name]
    selectors = [abi_of(name).selector(function) for function in functions]

    async def is_done() -> bool:
        found = [await authority.function_role(target, selector) for selector in selectors]
        return all(each == role for each in found)

    title = f"{role.name} may call {name}.{', '.join(functions)}"
    return RoleStep(title, authority.set_function_role(target, selectors, role), is_done)


def _member_step(authority: Authority, role: Role, account: str) -> RoleStep:
    async def is_done() -> bool:
        since, _ = await authority.access_of(role, account)
        return since != 0

    return RoleStep(f"{role.name} to {account}", authority.grant_role(role, account), is_done)


def _delay_step(authority: Authority, role: Role, delay: int) -> RoleStep:
    async def is_done() -> bool:
        return await authority.grant_delay(role) == delay

    title = f"{role.name} waits {delay // 86_400} days from now on"
    return RoleStep(title, authority.set_grant_delay(role, delay), is_done)


def _guard_step(authority: Authority, name: str, target: str, delay: int) -> RoleStep:
    async def is_done() -> bool:
        return await authority.target_admin_delay(target) == delay

    title = f"changes to who may call {name} wait {delay // 86_400} days from now on"
    return RoleStep(title, authority.set_target_admin_delay(target, delay), is_done)


def _renounce_step(authority: Authority, deployer: str) -> RoleStep:
    async def is_done() -> bool:
        since, _ = await authority.access_of(Role.ADMIN, deployer)
        return since == 0

    return RoleStep("deployer gives up ADMIN", authority.renounce_role(Role.ADMIN, deployer), is_done)
