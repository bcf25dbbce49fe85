"""Deploying the contracts to any chain: ordered steps, a plan, a record, a check. Running twice changes nothing.

settings = DeploymentSettings(record=Path("deployment.json"), admin=admin, operators=(operator,), makers=(maker,))
deployment = await deploy(node, signer, settings)
assert await check(node, deployment) == []
contracts = deployment.bundle(node)
"""

from gridweave.deployment.check import Finding, check
from gridweave.deployment.deploy import deploy
from gridweave.deployment.errors import DeploymentError, DeploymentStalled, RecordMismatch
from gridweave.deployment.plan import Plan, PlanRow, plan, plan_table
from gridweave.deployment.record import ContractVersion, Deployment
from gridweave.deployment.settings import DeploymentSettings

__all__ = [
    "ContractVersion",
    "Deployment",
    "DeploymentError",
    "DeploymentSettings",
    "DeploymentStalled",
    "Finding",
    "Plan",
    "PlanRow",
    "RecordMismatch",
    "check",
    "deploy",
    "plan",
    "plan_table",
]
