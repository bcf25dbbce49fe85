"""A third chapter of the street's day: what the relayer acknowledged, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from gridweave.chain.contracts import SignedWord
from gridweave.chain.contracts.relayer_bond import Promise
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.acts import PostBond, Unbond
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Order, Schedule
from gridweave.domain.signatures import sign_compact

from .street import EUR, FAR, SLOT, Home, Party, Street

SPONSOR = Party.of("sponsor")


async def post(street: Street, amount: int, relayer: str | None = None) -> None:
    said = PostBond(SPONSOR.address, relayer or street.relayer.address, amount, street.nonce(), FAR)
    act = street.act("RelayerBond", said, SPONSOR.secret, SPONSOR.address)
    await street.send(street.contracts.bond.post(said.relayer, amount, act))


async def unbond(street: Street, amount: int) -> None:
    said = Unbond(SPONSOR.address, street.relayer.address, amount, street.nonce(), FAR)
    act = street.act("RelayerBond", said, SPONSOR.secret, SPONSOR.address)
    await street.send(street.contracts.bond.unbond(said.relayer, amount, act))


async def redeem(street: Street) -> None:
    """What has left is the sponsor's again."""
    await street.send(street.contracts.bond.redeem(SPONSOR.address, street.relayer.address))


def acknowledged(street: Street, word: SignedWord, commit_before: int) -> Promise:
    """The relayer's promise about one order."""
    request = digest(street.domain("EnergyAuction"), Order.unpack(word[0]))
    return promised(street, request, word[1] + word[2], commit_before)


def promised(street: Street, request: bytes, signature: bytes, commit_before: int) -> Promise:
    said = Acknowledgement.of(request, signature, SPONSOR.address, commit_before)
    signed = sign_compact(street.relayer.secret, digest(street.domain("RelayerBond"), said))
    return Promise(said, street.relayer.address, signed)


def scheduled(street: Street, home: Home, words: Sequence[SignedWord]) -> tuple[list[Order], bytes, bytes]:
    """A schedule's lines, its digest and its account's signature."""
    lines = [Order.unpack(word) for word, _, _ in words]
    request = digest(street.domain("EnergyAuction"), Schedule(home.account, tuple(lines)))
    return lines, request, sign_compact(home.party.secret, request)


async def promise(street: Street) -> None:
    """Orders that are left and claimed, and orders that the relayer places or has refused where all can see it."""
    one, two, three, four = street.homes
    bond = street.contracts.bond
    slot = street.time // SLOT + 4
    gate = slot * SLOT - 300

    await street.send(street.contracts.vault.deposit(SPONSOR.address, 20 * EUR))
    await post(street, 6 * EUR)
    await post(street, 4 * EUR)
    await unbond(street, 2 * EUR)
    await unbond(street, 1 * EUR)

    # acknowledged and left, one alone and two in a schedule
    left = street.ask(one, slot, 500, 120_000)
    lines, request, signature = scheduled(street, two, [street.bid(two, slot + i, 300, 200_000) for i in range(2)])
    alone, together = acknowledged(street, left, gate), promised(street, request, signature, gate)

    # acknowledged, and refused or placed when the relayer proves it
    dear, fine = street.bid(four, slot, 60_000, 300_000), street.bid(three, slot, 400, 200_000)
    await street.send(bond.prove_refusal(dear))
    await street.send(bond.prove_refusal(dear))
    await street.send(bond.prove_refusal(fine))
    mixed, _, proof = scheduled(
        street, three, [street.bid(three, slot + 1, 70_000, 200_000), street.bid(three, slot + 2, 350, 200_000)]
    )
    words = [line.pack() for line in mixed]
    await street.send(bond.prove_schedule_refusal(three.account, words, proof))

    # the emergency stop is not the relayer's doing
    authority, auction = street.contracts.authority, street.contracts.auction
    await street.send(authority.set_closed(auction.address, closed=True), street.admin)
    await street.send(bond.prove_refusal(street.bid(one, slot + 3, 300, 200_000)))
    await street.send(authority.set_closed(auction.address, closed=False), street.admin)

    await street.send(bond.claim(Order.unpack(left[0]), alone), at=gate)
    await street.send(bond.claim_line(two.account, lines, 1, together))
    await street.settle(slot, street.reading(three, slot, 250, 0), at=(slot + 1) * SLOT)
