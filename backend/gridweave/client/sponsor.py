"""A sponsor's program: money that answers for a relayer's acknowledgements."""

from __future__ import annotations

from gridweave.client.nonces import fresh_nonce
from gridweave.client.service import GridweaveClient
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Item, Json, Signed, SignedAct
from gridweave.domain.acts import PostBond, Unbond
from gridweave.domain.eip712 import digest

__all__ = ["Sponsor"]


class Sponsor:
    """`wallet` signs for its own account; `relayer` is the service's own by default."""

    def __init__(self, client: GridweaveClient, wallet: Wallet, relayer: str | None = None) -> None:
        self.client = client
        self.wallet = wallet
        self.relayer = relayer or client.deployment.relayer

    def post(self, amount_micro: int, deadline: int) -> Item:
        """Puts part of the account's withdrawable balance down. Raises ServiceError (BondNotWithdrawable, ...)."""
        return self._post(
            "/v1/bonds", PostBond(self.wallet.address, self.relayer, amount_micro, fresh_nonce(), deadline)
        )

    def unbond(self, amount_micro: int, deadline: int) -> Item:
        """Begins to take part of it out. Raises ServiceError (BondTooSmall, ...)."""
        return self._post(
            "/v1/bonds/unbond", Unbond(self.wallet.address, self.relayer, amount_micro, fresh_nonce(), deadline)
        )

    def redeem(self) -> Item:
        """Has what left paid to the account. Raises ServiceError (BondNotRedeemable)."""
        body: Json = {"sponsor": self.wallet.address, "relayer": self.relayer}
        return self.client.post("/v1/bonds/redeem", Signed(body))

    def _post(self, path: str, said: PostBond | Unbond) -> Item:
        domain = self.client.deployment.domain("RelayerBond")
        signature = self.wallet.sign_act(domain, said)
        act = SignedAct(self.wallet.address, said.nonce, said.deadline, signature)
        body: Json = {"relayer": said.relayer, "amountMicro": said.amount, "sponsor": act.to_json()}
        return self.client.post(path, Signed(body, digest(domain, said)))
