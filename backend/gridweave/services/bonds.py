"""Relayers' bonds: put down, taken out, and what they have paid."""

from __future__ import annotations

from typing import Any

from gridweave.chain.contracts import Act
from gridweave.chain.types import Call
from gridweave.domain.acts import PostBond, Unbond
from gridweave.domain.hashing import keccak
from gridweave.outbox.kinds import Kind
from gridweave.services.acts import Consent, Plan, rehearse, submit_act
from gridweave.services.errors import Refused
from gridweave.services.intake import MOST_TIME, Answer
from gridweave.services.world import World
from gridweave.store.reading import Page, Row

__all__ = ["bonds", "compensations", "post", "redeem", "unbond"]


async def post(world: World, bond: PostBond, sponsor: Act) -> Answer:
    """A sponsor puts money down for a relayer. Raises ServiceError."""
    call = world.contracts.bond.post(bond.relayer, bond.amount, sponsor)
    return await submit_act(world, _plan("post", call, bond, sponsor))


async def unbond(world: World, bond: Unbond, sponsor: Act) -> Answer:
    """A sponsor begins to take money out. Raises ServiceError."""
    call = world.contracts.bond.unbond(bond.relayer, bond.amount, sponsor)
    return await submit_act(world, _plan("unbond", call, bond, sponsor))


async def redeem(world: World, sponsor: str, relayer: str) -> Answer:
    """Pays a sponsor what has left its bond. Raises ServiceError."""
    bond = world.contracts.bond
    call = bond.redeem(sponsor, relayer)
    await rehearse(world, call)  # nobody signs it, so only what can be done now is taken
    at = (await bond.bond_of(sponsor, relayer)).redeemable_at
    said = {"what": "redeem", "sponsor": sponsor, "relayer": relayer, "redeemableAt": at}
    return await submit_act(
        world,
        Plan(
            kind=Kind.BOND,
            call=call,
            consents=(),
            lanes=(f"account:{sponsor}", f"bond:{relayer}"),
            deadline=MOST_TIME,
            request=said,
            account=sponsor,
            id=keccak(f"gridweave redeem {sponsor} {relayer} {at}".encode()),
        ),
    )


def _plan(what: str, call: Call, said: PostBond | Unbond, sponsor: Act) -> Plan:
    """Raises Refused for nothing at all, which the contract would take."""
    if said.amount == 0:
        raise Refused("ZeroAmount")
    return Plan(
        kind=Kind.BOND,
        call=call,
        consents=(Consent("RelayerBond", said, sponsor),),
        lanes=(f"account:{sponsor.signer}", f"bond:{said.relayer}"),
        deadline=said.deadline,
        request={"what": what, "sponsor": sponsor.signer, "relayer": said.relayer, "amountMicro": said.amount},
        account=sponsor.signer,
    )


async def bonds(world: World, relayer: str | None) -> dict[str, Any]:
    """Every sponsor's bond for a relayer, by default this service's own."""
    named = relayer or world.relayer.address
    rows = await world.reads.bonds.of_relayer(named)
    return {
        "relayer": named,
        "compensationMicro": world.deployment.compensation,
        "sponsor": world.sponsors.current if named == world.relayer.address else None,
        "bonds": [_bond_json(row) for row in rows],
    }


async def compensations(world: World, relayer: str | None, cursor: str | None, limit: int) -> Page:
    """What was paid for orders that a relayer had acknowledged and left. Raises CursorInvalid."""
    return await world.reads.bonds.compensations(relayer or world.relayer.address, cursor, limit)


def _bond_json(row: Row) -> dict[str, Any]:
    return {
        "sponsor": row["sponsor"],
        "bondMicro": row["bond"],
        "leavingMicro": row["leaving"],
        "redeemableAt": row["redeemable_at"] if row["leaving"] else None,
    }
