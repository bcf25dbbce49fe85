"""Deploying, interrupting, repeating and checking, on a real chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridweave.chain import Authority, Call, Contracts, FeeRule, NetworkProfile, Reverted, Role, Signer
from gridweave.chain.abi import abi_of
from gridweave.deployment import (
    Deployment,
    DeploymentError,
    DeploymentSettings,
    RecordMismatch,
    check,
    deploy,
    plan,
    plan_table,
)
from gridweave.deployment.steps import CONTRACTS
from gridweave.localnet import Clock, localnet

pytestmark = pytest.mark.chain

OPERATOR, MAKER, MINTER, STRANGER = ("0x" + digit * 40 for digit in "1234")
TRANSACTIONS = len(CONTRACTS) + 1
DAY = 86_400
PLACE = abi_of("EnergyAuction").selector("place")


class Killed(BaseException):
    """Stands for kill -9: nothing of ours may catch it."""


@pytest.fixture
async def chain(tmp_path):
    async with localnet(tmp_path / "chain", clock=Clock.MANUAL, genesis_time=1_600_000_000) as running:
        yield running


@pytest.fixture
def deployer(chain) -> Signer:
    return chain.keys["admin"]


@pytest.fixture
def settings(tmp_path, deployer) -> DeploymentSettings:
    return DeploymentSettings(
        tmp_path / "deployment.json", deployer.address, operators=(OPERATOR,), makers=(MAKER,), minters=(MINTER,)
    )


async def _deploy(chain, signer, settings, **options) -> Deployment:
    return await deploy(chain.node, signer, settings, **{"profile": chain.profile(), "mine": chain.mine, **options})


async def _send(chain, signer, call) -> None:
    head = await chain.node.head()
    gas = await chain.node.gas(call, sender=signer.address)
    nonce = await chain.node.nonce(signer.address)
    signed = signer.sign(call, nonce=nonce, gas=gas, fees=chain.profile().fees(head.base_fee), chain_id=chain.chain_id)
    await chain.node.send_raw(signed.raw)
    await chain.mine()
    assert (await chain.node.receipt(signed.hash)).succeeded


async def _nonce(chain, signer) -> int:
    return await chain.node.nonce(signer.address)


async def test_deploy__given_an_empty_chain__passes_its_check(chain, deployer, settings):
    deployment = await _deploy(chain, deployer, settings)
    assert deployment.complete
    assert await check(chain.node, deployment) == []
    assert await _nonce(chain, deployer) == TRANSACTIONS
    assert Deployment.load(settings.record) == deployment


async def test_deploy__given_a_complete_deployment__sends_nothing(chain, deployer, settings):
    first = await _deploy(chain, deployer, settings)
    text = settings.record.read_text()
    second = await _deploy(chain, deployer, settings)
    assert second == first
    assert settings.record.read_text() == text
    assert await _nonce(chain, deployer) == TRANSACTIONS


@pytest.mark.parametrize("killed_after", range(1, TRANSACTIONS + 1))
@pytest.mark.parametrize("mined", [True, False], ids=["mined", "unmined"])
async def test_deploy__when_killed_after_any_transaction__resumes_without_repeating_it(
    chain, deployer, settings, killed_after, mined
):
    sent = 0

    async def mine_or_die():
        nonlocal sent
        sent += 1
        if mined or sent < killed_after:
            await chain.mine()
        if sent == killed_after:
            raise Killed

    with pytest.raises(Killed):
        await _deploy(chain, deployer, settings, mine=mine_or_die)
    deployment = await _deploy(chain, deployer, settings)
    assert await check(chain.node, deployment) == []
    assert await _nonce(chain, deployer) == TRANSACTIONS


async def test_deploy__when_killed_between_record_and_send__sends_the_recorded_bytes(
    chain, deployer, settings, monkeypatch
):
    async def die(_raw):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(chain.node, "send_raw", die)
        with pytest.raises(Killed):
            await _deploy(chain, deployer, settings)
    pending = Deployment.load(settings.record).pending
    deployment = await _deploy(chain, deployer, settings)
    assert deployment.contracts["Authority"][0].transaction == pending.hash
    assert await check(chain.node, deployment) == []


async def test_deploy__given_a_pending_transaction_whose_nonce_is_taken__makes_another(
    chain, deployer, settings, monkeypatch
):
    async def die(_raw):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(chain.node, "send_raw", die)
        with pytest.raises(Killed):
            await _deploy(chain, deployer, settings)
    await _send(chain, deployer, Call(STRANGER, b"", value=1))
    deployment = await _deploy(chain, deployer, settings)
    assert await check(chain.node, deployment) == []


async def test_deploy__given_another_admin__hands_over_and_keeps_nothing(chain, deployer, settings):
    heir = chain.keys["operator"]
    handed = replace(settings, admin=heir.address)
    deployment = await _deploy(chain, deployer, handed)
    authority = Authority(chain.node, deployment.addresses["Authority"])
    assert await authority.has_role(Role.ADMIN, heir.address)
    assert not await authority.has_role(Role.ADMIN, deployer.address)
    assert await check(chain.node, deployment) == []
    assert (await _deploy(chain, deployer, handed)) == deployment


async def test_deploy__given_one_more_maker__grants_it_in_one_transaction(chain, deployer, settings):
    await _deploy(chain, deployer, settings)
    grown = await _deploy(chain, deployer, replace(settings, makers=(MAKER, STRANGER)))
    assert grown.roles[Role.MAKER] == (MAKER, STRANGER)
    assert await check(chain.node, grown) == []
    assert await _nonce(chain, deployer) == TRANSACTIONS + 1


async def test_deploy__given_one_more_maker_by_a_stranger__refuses_and_says_what_is_missing(chain, deployer, settings):
    await _deploy(chain, deployer, settings)
    with pytest.raises(DeploymentError, match=f"no admin.*MAKER to {STRANGER}"):
        await _deploy(chain, chain.keys["utility"], replace(settings, makers=(MAKER, STRANGER)))


async def test_deploy__given_a_currency_that_exists__uses_it(chain, deployer, settings, tmp_path):
    standing = (await _deploy(chain, deployer, settings)).addresses["LocalCurrency"]
    other = DeploymentSettings(tmp_path / "other.json", deployer.address, currency=standing)
    deployment = await _deploy(chain, deployer, other)
    assert deployment.addresses["LocalCurrency"] == standing
    assert await Contracts.at(chain.node, deployment.addresses).vault.currency() == standing
    assert await check(chain.node, deployment) == []


async def test_deploy__given_a_currency_without_code__refuses(chain, deployer, tmp_path):
    with pytest.raises(DeploymentError, match="no code"):
        await _deploy(chain, deployer, DeploymentSettings(tmp_path / "d.json", deployer.address, currency=STRANGER))
    assert await _nonce(chain, deployer) == 0


@pytest.mark.parametrize("changes", [{"slot_length": 300}, {"hold_length": 99_999}, {"compensation": 7}])
async def test_deploy__given_other_fixed_numbers_than_recorded__refuses(chain, deployer, settings, changes):
    await _deploy(chain, deployer, settings)
    with pytest.raises(RecordMismatch, match="cannot become"):
        await _deploy(chain, deployer, replace(settings, **{"hold_length": 0, **changes}))


async def test_deploy__given_the_record_of_another_chain__refuses(chain, deployer, settings):
    await _deploy(chain, deployer, settings)
    record = Deployment.load(settings.record)
    replace(record, genesis_hash="0x" + "00" * 32).save(settings.record)
    with pytest.raises(RecordMismatch, match="another record"):
        await _deploy(chain, deployer, settings)


async def test_deploy__given_a_profile_of_another_chain__signs_nothing(chain, deployer, settings):
    with pytest.raises(RecordMismatch, match="not 1"):
        await _deploy(chain, deployer, settings, profile=NetworkProfile(1))
    assert await _nonce(chain, deployer) == 0


async def test_deploy__given_a_legacy_network__needs_no_other_fees(chain, deployer, settings):
    profile = replace(chain.profile(), fee_rule=FeeRule.LEGACY, gas_price=2 * 10**9)
    assert await check(chain.node, await _deploy(chain, deployer, settings, profile=profile)) == []


async def test_deploy__when_a_reorg_took_contracts_away__puts_them_back(chain, deployer, settings):
    await _deploy(chain, deployer, settings)
    since_ledger = TRANSACTIONS - [each.name for each in CONTRACTS].index("MeterLedger")
    await chain.node.request("anvil_reorg", since_ledger, [])
    damaged = await check(chain.node, Deployment.load(settings.record))
    assert {finding.subject for finding in damaged} >= {"EnergyAuction", "MeterLedger"}
    deployment = await _deploy(chain, deployer, settings)
    assert await check(chain.node, deployment) == []


async def test_plan__given_an_empty_chain__lists_every_step_and_sends_nothing(chain, deployer, settings):
    planned = await plan(chain.node, deployer.address, settings)
    assert planned.transactions == TRANSACTIONS
    assert [row.step for row in planned.rows[: len(CONTRACTS)]] == [f"create {each.name}" for each in CONTRACTS]
    assert not any(row.done for row in planned.rows)
    assert plan_table(planned).row_count == len(planned.rows)
    assert await _nonce(chain, deployer) == 0
    assert not settings.record.exists()


async def test_plan__given_a_complete_deployment__has_nothing_to_do(chain, deployer, settings):
    await _deploy(chain, deployer, settings)
    planned = await plan(chain.node, deployer.address, settings)
    assert planned.transactions == 0
    assert all(row.done for row in planned.rows)


async def test_check__given_other_code__names_the_contract(chain, deployer, settings):
    deployment = await _deploy(chain, deployer, settings)
    address = deployment.addresses["Vault"]
    code = await chain.node.code(address)
    await chain.node.request("anvil_setCode", address, "0x" + (code[:-1] + bytes([code[-1] ^ 1])).hex())
    assert [(f.subject, f.found) for f in await check(chain.node, deployment)] == [
        ("Vault", f"other code, {len(code)} bytes")
    ]


async def test_check__given_other_immutables__finds_them_in_the_creation(chain, deployer, settings):
    deployment = await _deploy(chain, deployer, settings)
    findings = await check(chain.node, replace(deployment, slot_length=300))
    assert [finding.found for finding in findings] == ["other arguments or code"] * 2
    assert [finding.subject.split()[0] for finding in findings] == ["DERRegistry", "DayCalendar"]


@pytest.mark.parametrize(
    ("change", "subject", "found"),
    [
        (lambda a, d: a.grant_role(Role.MODULE, STRANGER), "MODULE", "granted beyond the plan"),
        (lambda a, d: a.revoke_role(Role.MAKER, MAKER), "MAKER", "not granted"),
        (lambda a, d: a.set_grant_delay(Role.MAKER, 60), "grant delay of MAKER", "60 s"),
        (lambda a, d: a.call("setRoleGuardian", Role.MAKER, Role.OPERATOR), "guardian of MAKER", "OPERATOR"),
        (lambda a, d: a.set_closed(d["EnergyAuction"], closed=True), "EnergyAuction", "closed by the emergency stop"),
        (
            lambda a, d: a.set_function_role(d["EnergyAuction"], [PLACE], Role.OPERATOR),
            "role of EnergyAuction.place",
            "OPERATOR",
        ),
        (lambda a, d: a.set_target_admin_delay(d["Vault"], 30 * DAY), "admin delay of Vault", "2592000 s"),
        (lambda a, d: a.set_target_admin_delay(d["EnergyAuction"], DAY), "admin delay of EnergyAuction", "86400 s"),
    ],
    ids=["granted", "revoked", "delay", "guardian", "closed", "function", "guarded", "unguarded"],
)
async def test_check__given_a_changed_role__names_it(chain, deployer, settings, change, subject, found):
    deployment = await _deploy(chain, deployer, settings)
    authority = Authority(chain.node, deployment.addresses["Authority"])
    await _send(chain, deployer, change(authority, deployment.addresses))
    assert [(f.subject, f.found) for f in await check(chain.node, deployment)] == [(subject, found)]


@pytest.mark.parametrize("name", ["Vault", "MeterLedger"])
async def test_deploy__of_what_moves_money__leaves_the_admin_no_way_round_the_week(chain, deployer, settings, name):
    deployment = await _deploy(chain, deployer, settings)
    authority, target = Authority(chain.node, deployment.addresses["Authority"]), deployment.addresses[name]
    for change in (
        authority.set_function_role(target, [b"1234"], Role.ADMIN),
        authority.set_closed(target, closed=True),
        authority.call("updateAuthority", target, deployment.addresses["Vault"]),
    ):
        with pytest.raises(Reverted, match="AccessManagerNotScheduled"):
            await chain.node.gas(change, sender=deployer.address)
    stop = authority.set_closed(deployment.addresses["EnergyAuction"], closed=True)
    assert await chain.node.gas(stop, sender=deployer.address) > 0


async def test_check__given_another_chain__says_so_and_looks_no_further(chain, deployer, settings):
    deployment = await _deploy(chain, deployer, settings)
    findings = await check(chain.node, replace(deployment, chain_id=1))
    assert [finding.subject for finding in findings] == ["chain id"]


async def test_deploy__given_the_roles__makes_new_modules_wait_seven_days(chain, deployer, settings):
    deployment = await _deploy(chain, deployer, settings)
    authority = Authority(chain.node, deployment.addresses["Authority"])
    for role in (Role.MODULE, Role.RECORDER):
        await _send(chain, deployer, authority.grant_role(role, STRANGER))
        granted = (await chain.node.head()).timestamp
        since, _ = await authority.access_of(role, STRANGER)
        assert since == granted + 7 * 86_400
        assert not await authority.has_role(role, STRANGER)
