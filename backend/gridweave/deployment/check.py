"""Whether a chain holds exactly what the record and the artifacts say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from gridweave import artifacts
from gridweave.chain import Authority, ChainError, Contracts, Node, Role, decode_logs, from_hex, to_hex, topics_of
from gridweave.chain.abi import abi_of
from gridweave.chain.events import RoleGranted, RoleRevoked
from gridweave.deployment.record import Deployment
from gridweave.deployment.roles import DELAYED_ROLES, FUNCTION_ROLES, GUARDED, LABELLED_ROLES, grant_delay
from gridweave.deployment.steps import CONTRACTS, Creation, creation_data, planned_members

__all__ = ["Finding", "check"]


@dataclass(frozen=True)
class Finding:
    """One difference between plan and chain."""

    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.subject}: expected {self.expected}, found {self.found}"


async def check(node: Node, record: Deployment) -> list[Finding]:
    """Every difference, empty if there is none.

    Chain id and genesis; runtime code against the artifacts with immutables masked; constructor arguments by the
    creation transactions; the role of every function, the members of every role, delays of roles and of targets,
    guardians and closed targets.
    All of it at one block. Raises NodeUnavailable, NodeError.
    """
    findings = [finding async for finding in _chain(node, record)]
    missing = [name for name in (creation.name for creation in CONTRACTS) if name not in record.contracts]
    if missing or findings:
        return findings + [Finding(name, "in the record", "missing") for name in missing]
    block = await node.block_number()
    findings += [finding async for finding in _code(node, record, block)]
    if findings:
        return findings  # what other code answers about itself proves nothing
    contracts = Contracts.at(node, record.addresses)
    findings += [finding async for finding in _wiring(contracts, record, block)]
    findings += [finding async for finding in _functions(contracts.authority, record, block)]
    findings += [finding async for finding in _members(node, contracts.authority, record, block)]
    return findings


async def _chain(node: Node, record: Deployment) -> AsyncIterator[Finding]:
    chain_id, genesis = await node.chain_id(), to_hex(await node.genesis_hash())
    if chain_id != record.chain_id:
        yield Finding("chain id", str(record.chain_id), str(chain_id))
    if genesis != record.genesis_hash:
        yield Finding("genesis", record.genesis_hash, genesis)
    if not record.complete:
        yield Finding("deployment", "complete", "incomplete: run `gridweave deploy` again")


def _ours(record: Deployment) -> list[Creation]:
    return [creation for creation in CONTRACTS if creation.name != "LocalCurrency" or record.own_currency]


async def _code(node: Node, record: Deployment, block: int) -> AsyncIterator[Finding]:
    for creation in _ours(record):
        artifact = artifacts.load(creation.name)
        version = record.contracts[creation.name][-1]
        code = await node.code(version.address, block)
        if not code:
            yield Finding(creation.name, f"code at {version.address}", "no code")
        elif artifact.masked(code) != artifact.runtime:
            yield Finding(
                creation.name, f"{len(artifact.runtime)} bytes of the artifact", f"other code, {len(code)} bytes"
            )
        made = await node.transaction(from_hex(version.transaction))
        if made is None or made.data != creation_data(creation, record):
            found = "no such transaction" if made is None else "other arguments or code"
            yield Finding(f"{creation.name} creation {version.transaction}", creation.shown, found)


async def _wiring(contracts: Contracts, record: Deployment, block: int) -> AsyncIterator[Finding]:
    expected = record.addresses["Authority"]
    for contract in contracts.all():
        if contract.NAME == "Authority" or (contract.NAME == "LocalCurrency" and not record.own_currency):
            continue
        found = await contract.authority(block)
        if found != expected:
            yield Finding(f"{contract.NAME}.authority", expected, found)
        if await contracts.authority.is_closed(contract.address, block):
            yield Finding(contract.NAME, "open", "closed by the emergency stop")
        delay = await contracts.authority.target_admin_delay(contract.address, block)
        expected_delay = grant_delay(record.hold_length) if contract.NAME in GUARDED else 0
        if delay != expected_delay:
            yield Finding(f"admin delay of {contract.NAME}", f"{expected_delay} s", f"{delay} s")
    decimals = await contracts.currency.decimals(block)
    if decimals != 6:
        yield Finding("currency decimals", "6", str(decimals))


async def _functions(authority: Authority, record: Deployment, block: int) -> AsyncIterator[Finding]:
    expected = list(_expected_functions(record))
    calls = [
        authority.call("getTargetFunctionRole", record.addresses[n], abi_of(n).selector(f)) for n, f, _ in expected
    ]
    answers = await authority.node.calls(calls, block=block)
    for (name, function, role), answer in zip(expected, answers, strict=True):
        if isinstance(answer, ChainError):
            raise answer
        found = int.from_bytes(answer)
        if found != role:
            yield Finding(f"role of {name}.{function}", role.name, _role_name(found))


def _expected_functions(record: Deployment) -> Iterator[tuple[str, str, Role]]:
    """Every function of every contract, with the role that the Authority should answer for it."""
    for creation in _ours(record):
        if creation.name == "Authority":
            continue
        named = {f: role for role, functions in FUNCTION_ROLES.get(creation.name, {}).items() for f in functions}
        for function in abi_of(creation.name).functions:
            yield creation.name, function, named.get(function, Role.ADMIN)


async def _members(node: Node, authority: Authority, record: Deployment, block: int) -> AsyncIterator[Finding]:
    planned = {int(role): set(members) for role, members in planned_members(record).items()}
    found = await _granted(node, authority, record, block)
    for role in sorted(found.keys() | planned.keys()):
        expected, members = planned.get(role, set()), found.get(role, set())
        for account in sorted(expected - members):
            yield Finding(_role_name(role), f"{account} is a member", "not granted")
        for account in sorted(members - expected):
            yield Finding(_role_name(role), f"{account} is no member", "granted beyond the plan")
    for named in LABELLED_ROLES:
        delay = await authority.grant_delay(named, block)
        expected_delay = grant_delay(record.hold_length) if named in DELAYED_ROLES else 0
        if delay != expected_delay:
            yield Finding(f"grant delay of {named.name}", f"{expected_delay} s", f"{delay} s")
        for title, over in (
            ("admin", await authority.role_admin(named, block)),
            ("guardian", await authority.role_guardian(named, block)),
        ):
            if over != Role.ADMIN:
                yield Finding(f"{title} of {named.name}", Role.ADMIN.name, _role_name(over))


async def _granted(node: Node, authority: Authority, record: Deployment, block: int) -> dict[int, set[str]]:
    """Members of every role by the Authority's own history, grants that still wait included."""
    found: dict[int, set[str]] = {}
    topics = topics_of(RoleGranted, RoleRevoked)
    logs = await node.logs(record.contracts["Authority"][0].block, block, [authority.address], topics)
    for event in decode_logs(logs):
        if isinstance(event, RoleGranted):
            found.setdefault(event.role_id, set()).add(event.account)
        elif isinstance(event, RoleRevoked):
            found[event.role_id].discard(event.account)
    return found


def _role_name(role: int) -> str:
    return Role(role).name if role in {int(known) for known in Role} else f"role {role}"
