"""Demand response in the audit: not recomputed yet. Its moves are carried through the Vault as it asked for them.

So accounts, pots and debts are still compared to the unit, and what the module asked for is taken on trust.
"""

from __future__ import annotations

from gridweave.audit.identity import Identities
from gridweave.audit.matching import Expected
from gridweave.audit.money import Money
from gridweave.audit.stream import Step
from gridweave.chain import events as chain
from gridweave.domain.slots import SlotClock
from gridweave.domain.vault import Leg, Settlement

__all__ = ["Responses"]


class Responses:
    """Follows one DemandResponse as far as the Vault needs it: until when a payment is held, whose mandate it has."""

    def __init__(self, address: str, money: Money, identities: Identities, clock: SlotClock) -> None:
        self._address, self._money = address, money
        self._identities, self._clock = identities, clock
        self._final_after: dict[int, int] = {}
        self._final_at: dict[int, int] = {}
        self._assets: dict[tuple[int, int], int] = {}

    def apply(self, step: Step) -> list[Expected]:
        """The Vault's events that follow from what the module asked for in this transaction."""
        legs: list[chain.Paid] = []
        for event in step.events:
            self._note(event)
            if not isinstance(event, chain.Locked | chain.Paid | chain.Balanced) or event.module != self._address:
                continue
            if isinstance(event, chain.Locked):
                self._money.lock(self._address, event.account, event.amount, step.time, event.ref)
            elif isinstance(event, chain.Paid):
                legs.append(event)
            else:
                self._settle(event, legs, step.time)
                legs = []
        return self._money.take()

    def _note(self, event: chain.Event) -> None:
        if event.contract != self._address:
            return
        if isinstance(event, chain.ProgrammeOpened):
            self._final_after[event.programme] = event.terms.final_after
        elif isinstance(event, chain.ResponseAnnounced):
            ends_at = self._clock.start(event.first_slot + event.slots)
            self._final_at[event.number] = ends_at + self._final_after[event.programme]
        elif isinstance(event, chain.AssetsCalled):
            places = enumerate(event.assets, event.first_index)
            self._assets.update({(event.number, index): asset for index, asset in places})

    def _settle(self, event: chain.Balanced, legs: list[chain.Paid], now: int) -> None:
        number = int.from_bytes(legs[0].ref, "big") >> 32 if legs else 0
        settlement = Settlement(
            event.utility,
            event.operator,
            self._final_at.get(number, 0),
            event.to_operator,
            event.pot_to_utility,
            event.pot_to_operator,
            tuple(self._leg(paid) for paid in legs),
        )
        self._money.settle(self._address, settlement, now)

    def _leg(self, paid: chain.Paid) -> Leg:
        place = int.from_bytes(paid.ref, "big")
        asset = self._assets.get((place >> 32, place & 0xFFFFFFFF), 0)
        mandate = self._has_mandate(asset)
        return Leg(paid.account, mandate, paid.from_pot, paid.from_utility, paid.hold, paid.ref)

    def _has_mandate(self, asset: int) -> bool:
        known = self._identities.assets.get(asset)
        registration = self._identities.meters.get(known[0]) if known else None
        return registration is not None and registration.meter.mandate
