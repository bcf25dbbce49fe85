"""A prosumer's own program: orders, cancels and money, signed here and relayed by the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridweave.client import wire
from gridweave.client.errors import ServiceError
from gridweave.client.nonces import fresh_nonce
from gridweave.client.service import GridweaveClient
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Item, Signed, SignedAct
from gridweave.domain.acts import Mandate, Permit, Withdrawal
from gridweave.domain.delegations import Delegation, Scope
from gridweave.domain.eip712 import digest
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule, Side

__all__ = ["Offer", "PlacedOrder", "Prosumer", "ScheduledOrders"]


@dataclass(frozen=True)
class Offer:
    """What a prosumer wants of a slot: Wh at a limit in micro per kWh; a bid's limit is all-in, an ask's is net."""

    meter: int
    slot: int
    side: Side
    energy_wh: int
    limit_price: int


@dataclass(frozen=True)
class PlacedOrder:
    """An acknowledged order: ask `GridweaveClient.order(item.id)` what became of it."""

    order: Order
    signature: bytes
    item: Item


@dataclass(frozen=True)
class ScheduledOrders:
    """An acknowledged schedule: ask `GridweaveClient.request(item.id)` what became of it and of each line."""

    schedule: Schedule
    signature: bytes
    item: Item


class Prosumer:
    """`wallet` signs for the meters of its account in `market`. Versions go on from what the service knows."""

    def __init__(self, client: GridweaveClient, wallet: Wallet, market: int, *, ask_versions: bool = True) -> None:
        self.client = client
        self.wallet = wallet
        self.market = market
        self._versions: dict[tuple[int, int], int] = {}
        self._ask_versions = ask_versions

    @property
    def address(self) -> str:
        return self.wallet.address

    def place(self, offer: Offer, deadline: int) -> PlacedOrder:
        """Places an order, or replaces the meter's order in that slot. Raises ServiceError when it is refused."""
        (placed,) = self.place_all([offer], deadline)
        return placed

    def place_all(self, offers: Sequence[Offer], deadline: int) -> list[PlacedOrder]:
        """Places offers in one request; `deadline` is chain time. Raises the first refusal, after all are sent."""
        orders = [self.next_order(offer, deadline) for offer in offers]
        signed = [self.sign_order(order) for order in orders]
        items = self.client.post_orders(signed)
        for item in items:
            if item.error:
                raise item.error
        return [
            PlacedOrder(order, sent.signature, item) for order, sent, item in zip(orders, signed, items, strict=True)
        ]

    def replace(
        self, placed: PlacedOrder, *, energy_wh: int | None = None, limit_price: int | None = None
    ) -> PlacedOrder:
        """The same order with another energy or limit under the next version. Raises ServiceError."""
        old = placed.order
        offer = Offer(
            old.meter,
            old.slot,
            old.side,
            old.energy_wh if energy_wh is None else energy_wh,
            old.limit_price if limit_price is None else limit_price,
        )
        return self.place(offer, old.deadline)

    def schedule(self, offers: Sequence[Offer], deadline: int, account: str | None = None) -> ScheduledOrders:
        """Places offers for many slots and meters under one signature, whole or not at all.

        `account` is whose meters they are, by default the wallet's own: another's if it delegated to this wallet's key.
        Raises ServiceError, which names the line that it refuses.
        """
        said = Schedule(account or self.address, tuple(self.next_order(offer, deadline) for offer in offers))
        domain = self.client.deployment.domain("EnergyAuction")
        signature = self.wallet.sign(domain, said)
        closes = min(map(self._closes, said.orders))
        signed = Signed(wire.schedule_json(said, signature), digest(domain, said), signature, closes)
        return ScheduledOrders(said, signature, self.client.post("/v1/schedules", signed))

    def cancel_schedule(self, places: Sequence[tuple[int, int]], deadline: int, account: str | None = None) -> Item:
        """Takes the orders of (meter, slot) places out under one signature. Raises ServiceError."""
        cancels = tuple(self.next_cancel(meter, slot, deadline) for meter, slot in places)
        said = CancelSchedule(account or self.address, cancels)
        domain = self.client.deployment.domain("EnergyAuction")
        signature = self.wallet.sign(domain, said)
        closes = min(map(self._closes, cancels))
        signed = Signed(wire.cancel_schedule_json(said, signature), digest(domain, said), signature, closes)
        return self.client.post("/v1/cancel-schedules", signed)

    def delegate(self, delegate: str, meters: Sequence[int], scope: Scope, deadline: int) -> Item:
        """Lets a key order in this account's name; a scope until 0 takes that back. Raises ServiceError."""
        bounds = scope.max_energy_wh, scope.lowest_ask, scope.highest_bid, scope.until
        said = Delegation(self.address, delegate, scope.market, tuple(meters), *bounds, fresh_nonce(), deadline)
        domain = self.client.deployment.domain("EnergyAuction")
        body = wire.delegation_json(said, self.wallet.sign_act(domain, said))
        return self.client.post("/v1/delegations", Signed(body, digest(domain, said)))

    def cancel(self, meter: int, slot: int, deadline: int) -> Item:
        """Takes the meter's order out of the slot. Raises ServiceError when it is refused."""
        (item,) = self.client.post_cancels([self.sign_cancel(self.next_cancel(meter, slot, deadline))])
        if item.error:
            raise item.error
        return item

    def next_order(self, offer: Offer, deadline: int) -> Order:
        """The order that makes the offer, under a version above all earlier ones of the meter in the slot."""
        version = self._next_version(offer.meter, offer.slot)
        return Order(
            self.market, offer.slot, offer.meter, version, deadline, offer.side, offer.energy_wh, offer.limit_price
        )

    def next_cancel(self, meter: int, slot: int, deadline: int) -> Cancel:
        """The cancel under a version above all earlier ones of the meter in the slot."""
        return Cancel(self.market, slot, meter, self._next_version(meter, slot), deadline)

    def sign_order(self, order: Order) -> Signed:
        """The order as the API takes it. Raises FieldOutOfRange."""
        domain = self.client.deployment.domain("EnergyAuction")
        signature = self.wallet.sign(domain, order)
        return Signed(wire.order_json(order, signature), digest(domain, order), signature, self._closes(order))

    def sign_cancel(self, cancel: Cancel) -> Signed:
        """The cancel as the API takes it. Raises FieldOutOfRange."""
        domain = self.client.deployment.domain("EnergyAuction")
        signature = self.wallet.sign(domain, cancel)
        return Signed(wire.cancel_json(cancel, signature), digest(domain, cancel), signature, self._closes(cancel))

    def deposit(self, amount_micro: int, deadline: int, permit_nonce: int | None = None) -> Item:
        """Moves tokens of the wallet into its account by a permit. `permit_nonce` is the token's, asked for if None."""
        here = self.client.deployment
        nonce = int(self.client.account(self.address)["permitNonce"]) if permit_nonce is None else permit_nonce
        permit = Permit(self.address, here.contracts["Vault"], amount_micro, nonce, deadline)
        domain = here.domain("LocalCurrency")
        body = {
            "account": self.address,
            "amountMicro": amount_micro,
            "deadline": deadline,
            "signature": wire.hex_of(self.wallet.sign_act(domain, permit)),
        }
        return self.client.post("/v1/deposits", Signed(body, digest(domain, permit)))

    def withdraw(self, to: str, amount_micro: int, deadline: int) -> Item:
        """Sends part of the withdrawable balance to an address of the chain. Raises ServiceError."""
        withdrawal = Withdrawal(self.address, to, amount_micro, fresh_nonce(), deadline)
        domain = self.client.deployment.domain("Vault")
        body = wire.withdrawal_json(withdrawal, self.wallet.sign_act(domain, withdrawal))
        return self.client.post("/v1/withdrawals", Signed(body, digest(domain, withdrawal)))

    def mandate(self, device: str, deadline: int) -> SignedAct:
        """Consent that settlement of the device's meter may debit this account."""
        act = Mandate(device, self.market, self.address, fresh_nonce(), deadline)
        signature = self.wallet.sign_act(self.client.deployment.domain("DERRegistry"), act)
        return SignedAct(self.address, act.nonce, deadline, signature)

    def _closes(self, act: Order | Cancel) -> int:
        """No later than this can it be executed: its deadline, or its slot, before which every gate closes."""
        return min(act.deadline + 1, act.slot * self.client.deployment.slot_length)

    def _next_version(self, meter: int, slot: int) -> int:
        key = (meter, slot)
        if key not in self._versions:
            self._versions[key] = self._known_version(meter, slot) if self._ask_versions else 0
        self._versions[key] += 1
        return self._versions[key]

    def _known_version(self, meter: int, slot: int) -> int:
        try:
            return max((int(order["version"]) for order in self.client.orders(meter, slot)), default=0)
        except ServiceError as refusal:
            if refusal.status == 404:
                return 0
            raise
