"""What a deployment would do, row by row, and as a table."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from gridweave.chain import NetworkProfile, Node, Role
from gridweave.deployment.deploy import current_record
from gridweave.deployment.record import Deployment
from gridweave.deployment.roles import DELAYED_ROLES, FUNCTION_ROLES, GUARDED, grant_delay
from gridweave.deployment.settings import DeploymentSettings
from gridweave.deployment.steps import CONTRACTS, role_steps

__all__ = ["Plan", "PlanRow", "plan", "plan_table"]


@dataclass(frozen=True)
class PlanRow:
    """One step: what it is, what it depends on or grants, and whether the chain has it already."""

    step: str
    detail: str
    done: bool


@dataclass(frozen=True)
class Plan:
    """Rows in the order of execution. `transactions` is how many are still to send."""

    chain_id: int
    rows: tuple[PlanRow, ...]
    transactions: int


async def plan(
    node: Node, deployer: str, settings: DeploymentSettings, *, profile: NetworkProfile | None = None
) -> Plan:
    """What `deploy` would do now. Reads only."""
    known = profile or NetworkProfile(chain_id=await node.chain_id())
    record = await current_record(node, deployer, settings, known)
    creations = [_creation_row(creation.name, creation.shown, settings, record) for creation in CONTRACTS]
    complete = all(row.done for row in creations)
    roles = await _role_rows(node, record) if complete else _unknown_roles(settings)
    missing = sum(not row.done for row in creations) + any(not row.done for row in roles)
    return Plan(known.chain_id, (*creations, *roles), missing)


def plan_table(planned: Plan) -> Table:
    """The plan for a terminal."""
    table = Table(title=f"Deployment on chain {planned.chain_id}: {planned.transactions} transactions to send")
    for column in ("step", "with", "state"):
        table.add_column(column, overflow="fold")
    for row in planned.rows:
        table.add_row(row.step, row.detail, "[green]done[/]" if row.done else "[yellow]to do[/]")
    return table


def _creation_row(name: str, shown: str, settings: DeploymentSettings, record: Deployment) -> PlanRow:
    standing = record.addresses.get(name)
    if name == "LocalCurrency" and settings.currency is not None:
        return PlanRow("use currency", settings.currency, done=True)
    return PlanRow(f"create {name}", standing or shown, done=standing is not None)


async def _role_rows(node: Node, record: Deployment) -> list[PlanRow]:
    return [PlanRow("roles", step.title, done=await step.is_done()) for step in role_steps(node, record)]


def _unknown_roles(settings: DeploymentSettings) -> list[PlanRow]:
    """The same rows while the contracts have no addresses yet."""
    titles = [
        f"{role.name} may call {name}.{', '.join(functions)}"
        for name, roles in FUNCTION_ROLES.items()
        if name != "LocalCurrency" or settings.currency is None
        for role, functions in roles.items()
    ]
    titles += [f"{role.name} to EnergyAuction" for role in DELAYED_ROLES]
    titles += [f"{Role.MODULE.name} to {module}" for module in ("RelayerBond", "DemandResponse")]
    titles += [f"{role.name} to {account}" for role, members in settings.members().items() for account in members]
    days = grant_delay(settings.hold_length) // 86_400
    titles += [f"{role.name} waits {days} days from now on" for role in DELAYED_ROLES]
    titles += [f"changes to who may call {name} wait {days} days from now on" for name in GUARDED]
    return [PlanRow("roles", title, done=False) for title in titles]
