from __future__ import annotations

from gridweave.audit.roles import ADMIN, PUBLIC, Delay, Roles
from gridweave.chain import events as chain

VAULT, CALL = "0x" + "01" * 20, b"\x01\x02\x03\x04"
KEEPER, STRANGER = "0x" + "0a" * 20, "0x" + "0b" * 20
MODULE = 3
NOW = 1_000_000


def granted(account: str, role: int, *, delay: int = 0, since: int = NOW, new: bool = True) -> dict[str, object]:
    return {"role_id": role, "account": account, "delay": delay, "since": since, "new_member": new}


def test_delay__given_a_longer_one__is_in_force_at_once() -> None:
    assert Delay(0, 60, 0).changed(100, NOW) == Delay(60, 100, NOW)


def test_delay__given_a_shorter_one__waits_for_the_difference() -> None:
    delay = Delay(0, 100, 0).changed(40, NOW)
    assert (delay.at(NOW), delay.at(NOW + 59), delay.at(NOW + 60)) == (100, 100, 40)


def test_may__given_no_role_of_its_own__is_the_admin_s() -> None:
    roles = Roles()
    roles.take(chain.RoleGranted, granted(KEEPER, ADMIN), NOW)
    assert roles.may(KEEPER, VAULT, CALL, NOW)
    assert not roles.may(STRANGER, VAULT, CALL, NOW)


def test_may__given_a_public_function__is_anybody_s_until_it_is_closed() -> None:
    roles = Roles()
    roles.take(chain.TargetFunctionRoleUpdated, {"target": VAULT, "selector": CALL, "role_id": PUBLIC}, NOW)
    assert roles.may(STRANGER, VAULT, CALL, NOW)
    roles.take(chain.TargetClosed, {"target": VAULT, "closed": True}, NOW)
    assert not roles.may(STRANGER, VAULT, CALL, NOW)


def test_may__given_a_grant_that_waits__is_refused_until_then() -> None:
    roles = Roles()
    roles.take(chain.RoleGrantDelayChanged, {"role_id": MODULE, "delay": 7}, NOW - 7)
    foreseen = roles.grant(MODULE, KEEPER, 0, NOW)
    assert foreseen == granted(KEEPER, MODULE, since=NOW + 7)
    assert roles.take(chain.RoleGranted, foreseen, NOW)
    assert not roles.holds(KEEPER, MODULE, NOW + 6)
    assert roles.holds(KEEPER, MODULE, NOW + 7)


def test_holds__given_an_execution_delay__cannot_act_at_once() -> None:
    roles = Roles()
    roles.take(chain.RoleGranted, granted(KEEPER, MODULE, delay=5), NOW)
    assert not roles.holds(KEEPER, MODULE, NOW)


def test_take__given_a_grant_to_a_member__is_new_only_if_it_says_otherwise() -> None:
    roles = Roles()
    assert roles.take(chain.RoleGranted, granted(KEEPER, MODULE), NOW)
    assert not roles.take(chain.RoleGranted, granted(KEEPER, MODULE), NOW)
    assert roles.take(chain.RoleGranted, granted(KEEPER, MODULE, new=False), NOW)


def test_take__given_a_revocation__ends_the_role_and_is_known_once() -> None:
    roles = Roles()
    roles.take(chain.RoleGranted, granted(KEEPER, MODULE), NOW)
    gone = {"role_id": MODULE, "account": KEEPER}
    assert roles.take(chain.RoleRevoked, gone, NOW)
    assert not roles.holds(KEEPER, MODULE, NOW)
    assert not roles.take(chain.RoleRevoked, gone, NOW)
