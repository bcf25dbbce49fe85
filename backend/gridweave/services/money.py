"""Deposits and withdrawals: signed by the account, carried by the relayer."""

from __future__ import annotations

from gridweave.chain.contracts import Act
from gridweave.domain.acts import Permit, Withdrawal
from gridweave.domain.eip712 import digest
from gridweave.domain.errors import SignatureMalformed
from gridweave.domain.signatures import recover, to_compact, to_rsv
from gridweave.outbox.kinds import Kind
from gridweave.services.acts import Consent, Plan, submit_act
from gridweave.services.errors import Refused
from gridweave.services.intake import Answer
from gridweave.services.world import World

__all__ = ["deposit", "withdraw"]

_NONCES_BACK, _NONCES_AHEAD = 16, 16


async def deposit(world: World, account: str, amount: int, deadline: int, signature: bytes) -> Answer:
    """Moves `amount` micro of the account's tokens into its account, by its ERC-2612 permit. Raises ServiceError.

    The permit does not say its nonce, so the one that the signature fits is searched around the token's next.
    """
    if amount == 0:
        raise Refused("ZeroAmount")
    nonce, id_ = await _permit_nonce(world, account, amount, deadline, signature)
    return await submit_act(
        world,
        Plan(
            kind=Kind.DEPOSIT,
            call=world.contracts.vault.deposit_with_permit(account, amount, deadline, to_rsv(to_compact(signature))),
            consents=(),
            lanes=(f"account:{account}",),
            deadline=deadline,
            request={"account": account, "amountMicro": amount},
            account=account,
            id=id_,
            nonce_key=f"LocalCurrency:{account}:{nonce}",
        ),
    )


async def withdraw(world: World, withdrawal: Withdrawal, signature: bytes) -> Answer:
    """Sends part of an account's withdrawable balance to an address. Raises ServiceError."""
    act = Act.of(withdrawal, withdrawal.account, signature)
    return await submit_act(
        world,
        Plan(
            kind=Kind.WITHDRAWAL,
            call=world.contracts.vault.withdraw_by_sig(withdrawal.to, withdrawal.amount, act),
            consents=(Consent("Vault", withdrawal, act),),
            lanes=(f"account:{withdrawal.account}",),
            deadline=withdrawal.deadline,
            request={"account": withdrawal.account, "to": withdrawal.to, "amountMicro": withdrawal.amount},
            account=withdrawal.account,
        ),
    )


async def _permit_nonce(world: World, account: str, amount: int, deadline: int, signature: bytes) -> tuple[int, bytes]:
    """The nonce under which the account signed, and the permit's digest. Raises Refused."""
    try:
        compact = to_compact(signature)
    except SignatureMalformed as error:
        raise Refused(error.name, error.values) from error
    awaited = await world.contracts.currency.permit_nonce(account)
    spender = world.contracts.vault.address
    nearest = [*range(awaited, awaited + _NONCES_AHEAD), *range(awaited - 1, max(-1, awaited - 1 - _NONCES_BACK), -1)]
    signer = ""
    for nonce in nearest:
        hash_ = digest(world.domain("LocalCurrency"), Permit(account, spender, amount, nonce, deadline))
        signer = _signer(hash_, compact)
        if signer == account:
            return nonce, hash_
    raise Refused("ERC2612InvalidSigner", {"signer": signer, "owner": account})


def _signer(hash_: bytes, compact: bytes) -> str:
    try:
        return recover(hash_, compact)
    except SignatureMalformed:
        return ""
