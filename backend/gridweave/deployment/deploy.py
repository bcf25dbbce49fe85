"""Deploying: look, do what is missing, remember every step.

A kill at any instant is harmless: signed bytes are in the record before they are sent, so the next run sends the same
bytes or finds them mined. Running on a complete deployment sends nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from gridweave.chain import (
    Authority,
    Call,
    NetworkProfile,
    Node,
    NodeError,
    Receipt,
    Role,
    Signer,
    from_hex,
    to_hex,
)
from gridweave.deployment.errors import DeploymentError, DeploymentStalled, RecordMismatch
from gridweave.deployment.record import ContractVersion, Deployment, PendingTransaction
from gridweave.deployment.settings import DeploymentSettings
from gridweave.deployment.steps import CONTRACTS, creation_data, role_steps

__all__ = ["Deployer", "Mine", "Tell", "deploy"]

Mine = Callable[[], Awaitable[object]]
Tell = Callable[[str], None]

ROLES_STEP = "roles"
MINED_WITHIN = 120.0  # seconds


async def deploy(
    node: Node,
    signer: Signer,
    settings: DeploymentSettings,
    *,
    profile: NetworkProfile | None = None,
    mine: Mine | None = None,
    tell: Tell | None = None,
) -> Deployment:
    """Brings the chain to what `settings` say and returns the complete record, which is also in `settings.record`.

    `profile` defaults to one that follows the chain's headers. `mine` is called after each transaction where blocks are
    mined on demand; `tell` gets one line per transaction. Raises DeploymentError, NodeUnavailable, NodeError, Reverted.
    """
    known = profile or NetworkProfile(chain_id=await node.chain_id())
    record = await current_record(node, signer.address, settings, known)
    return await Deployer(node, signer, settings, known, record, mine, tell).run()


async def current_record(
    node: Node, deployer: str, settings: DeploymentSettings, profile: NetworkProfile
) -> Deployment:
    """The record as the chain bears it out: contracts that the chain does not hold are left out. Writes nothing.

    RecordMismatch if the record is of another chain or has other fixed numbers than the settings.
    """
    chain_id, genesis = await node.chain_id(), to_hex(await node.genesis_hash())
    if chain_id != profile.chain_id:
        raise RecordMismatch(f"the node is of chain {chain_id}, not {profile.chain_id}")
    try:
        record = Deployment.load(settings.record)
    except FileNotFoundError:
        record = Deployment(
            chain_id=chain_id,
            genesis_hash=genesis,
            deployer=deployer,
            slot_length=settings.slot_length,
            hold_length=settings.hold_length,
            compensation=settings.compensation,
            own_currency=settings.currency is None,
            block=0,
        )
    _compare(record, chain_id, genesis, settings)
    return replace(await _borne_out(node, record), roles=_merged(record, settings))


class Deployer:
    """One run of a deployment."""

    def __init__(
        self,
        node: Node,
        signer: Signer,
        settings: DeploymentSettings,
        profile: NetworkProfile,
        record: Deployment,
        mine: Mine | None,
        tell: Tell | None,
    ) -> None:
        self._node, self._signer, self._settings, self._profile = node, signer, settings, profile
        self._record = record
        self._mine = mine
        self._tell: Tell = tell or (lambda _: None)

    async def run(self) -> Deployment:
        """Does what is missing."""
        await self._resume()
        await self._take_currency()
        for creation in CONTRACTS:
            if creation.name not in self._record.contracts:
                data = creation_data(creation, self._record)
                await self._send(creation.name, Call(None, data))
        await self._set_roles()
        if not self._record.complete:
            self._save(replace(self._record, complete=True))
        return self._record

    async def _take_currency(self) -> None:
        currency = self._settings.currency
        if currency is None or "LocalCurrency" in self._record.contracts:
            return
        if not await self._node.code(currency):
            raise DeploymentError(f"currency {currency} has no code on this chain")
        self._save(self._record.with_contract("LocalCurrency", ContractVersion(currency, 0, "")))

    async def _set_roles(self) -> None:
        missing = [step for step in role_steps(self._node, self._record) if not await step.is_done()]
        if not missing:
            return
        authority = Authority(self._node, self._record.addresses["Authority"])
        since, _ = await authority.access_of(Role.ADMIN, self._signer.address)
        if since == 0:
            raise DeploymentError(
                f"{self._signer.address} is no admin of {authority.address}; missing: "
                + "; ".join(step.title for step in missing)
            )
        for step in missing:
            self._tell(f"  {step.title}")
        await self._send(ROLES_STEP, authority.call("multicall", [step.call.data for step in missing]))

    async def _send(self, step: str, call: Call) -> None:
        sender = self._signer.address
        head = await self._node.head()
        cap = min(self._profile.max_gas, head.gas_limit)
        signed = self._signer.sign(
            call,
            nonce=await self._node.nonce(sender, head.number),
            gas=await self._node.gas(call, sender=sender, cap=cap),
            fees=self._profile.fees(head.base_fee),
            chain_id=self._profile.chain_id,
        )
        pending = PendingTransaction(step, to_hex(signed.hash), to_hex(signed.raw))
        self._save(replace(self._record, pending=pending, complete=False))
        await self._node.send_raw(signed.raw)
        await self._finish(pending)

    async def _resume(self) -> None:
        """What the last run may or may not have sent: send the same bytes, unless others took their nonce."""
        pending = self._record.pending
        if pending is None:
            return
        if await self._node.receipt(from_hex(pending.hash)) is None:
            try:
                await self._node.send_raw(from_hex(pending.raw))
            except NodeError as error:
                if not error.already_known:
                    self._save(replace(self._record, pending=None))
                    return
        await self._finish(pending)

    async def _finish(self, pending: PendingTransaction) -> None:
        receipt = await self._mined(from_hex(pending.hash))
        record = replace(self._record, pending=None)
        if not receipt.succeeded:
            self._save(record)
            raise DeploymentError(f"{pending.step} failed in transaction {pending.hash}")
        if receipt.created is not None:
            version = ContractVersion(receipt.created, receipt.block_number, pending.hash)
            record = record.with_contract(pending.step, version)
            record = replace(record, block=record.block or receipt.block_number)
        self._save(record)
        self._tell(f"{pending.step} {receipt.created or ''} block {receipt.block_number} gas {receipt.gas_used}")

    async def _mined(self, transaction: bytes) -> Receipt:
        if self._mine is not None:
            await self._mine()
        try:
            return await self._node.wait_for_receipt(transaction, within=MINED_WITHIN)
        except TimeoutError as error:
            raise DeploymentStalled(
                f"transaction {to_hex(transaction)} is not mined after {MINED_WITHIN:.0f} s; run again to go on"
            ) from error

    def _save(self, record: Deployment) -> None:
        record.save(self._settings.record)
        self._record = record


def _compare(record: Deployment, chain_id: int, genesis: str, settings: DeploymentSettings) -> None:
    if (record.chain_id, record.genesis_hash) != (chain_id, genesis):
        raise RecordMismatch(
            f"{settings.record} is of chain {record.chain_id} ({record.genesis_hash[:10]}), the node of {chain_id} "
            f"({genesis[:10]}): name another record, or another node"
        )
    for name, known, wanted in (
        ("slotLength", record.slot_length, settings.slot_length),
        ("holdLength", record.hold_length, settings.hold_length),
        ("compensation", record.compensation, settings.compensation),
        ("own currency", record.own_currency, settings.currency is None),
    ):
        if known != wanted:
            raise RecordMismatch(f"{name} is {known} in {settings.record} and cannot become {wanted}")
    standing = record.addresses.get("LocalCurrency")
    if settings.currency is not None and standing not in (None, settings.currency):
        raise RecordMismatch(f"the currency is {standing} in {settings.record} and cannot become {settings.currency}")


async def _borne_out(node: Node, record: Deployment) -> Deployment:
    """A reorg, or a local chain that went back to its snapshot, may have taken contracts away."""
    names = list(record.addresses)
    codes = await node.codes([record.addresses[name] for name in names]) if names else []
    for name, code in zip(names, codes, strict=True):
        if not code:
            record = replace(record.without(name), complete=False)
    return record


def _merged(record: Deployment, settings: DeploymentSettings) -> dict[Role, tuple[str, ...]]:
    merged = dict(record.roles)
    for role, members in settings.members().items():
        merged[role] = tuple(dict.fromkeys((*merged.get(role, ()), *members)))
    return merged
