"""Every signature checked again, against the digests that the contracts check them against."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from gridweave.audit.calls import (
    ChangingMarket,
    CreatingMarket,
    Delegating,
    EndingMeter,
    MovingMeter,
    PostingBond,
    RegisteringAsset,
    RegisteringMeter,
    Unbonding,
)
from gridweave.audit.signed import SignedAct
from gridweave.domain.acknowledgements import Acknowledgement
from gridweave.domain.acts import (
    AssetRegistration,
    AssetStateReport,
    ChangeMarket,
    CreateMarket,
    Mandate,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    PostBond,
    Unbond,
    Underwrite,
    UnderwriteChange,
    Withdrawal,
)
from gridweave.domain.delegations import Delegation
from gridweave.domain.device_keys import DevicePublicKey
from gridweave.domain.eip712 import Domain, Message, digest
from gridweave.domain.errors import DomainError
from gridweave.domain.orders import Cancel, CancelSchedule, Order, Schedule
from gridweave.domain.readings import Reading
from gridweave.domain.signatures import COMPACT_LENGTH, recover, to_compact

__all__ = ["Proofs"]

Said = Order | Cancel | Schedule | CancelSchedule

_RECENT = 4_096
"""Digests that are kept: an order's is asked for by its signature, by the event that ended it and by the one due."""


class Proofs:
    """Signature checks for one deployment. `addresses` are the contracts' by name."""

    def __init__(self, chain_id: int, addresses: dict[str, str]) -> None:
        self._domains = {name: Domain.of(name, chain_id, addresses[name]) for name in _SIGNED_AT if name in addresses}
        self.order_digest: Callable[[Said], bytes] = lru_cache(maxsize=_RECENT)(partial(self.digest, "EnergyAuction"))
        """What is signed of orders or cancels, 32 bytes."""

    def digest(self, contract: str, message: Message) -> bytes:
        """What is signed when `message` is meant for `contract`, 32 bytes."""
        return digest(self._domains[contract], message)

    def signer_of(self, message: Said, signature: bytes) -> str | None:
        """Whose key signed orders or cancels, checksummed; None if nobody's can have."""
        return _signer(self.order_digest, message, signature) if len(signature) == COMPACT_LENGTH else None

    def is_reading_of(self, reading: Reading, signature: bytes, key: DevicePublicKey) -> bool:
        """Whether the device's key signed the reading."""
        return key.verifies(self.digest("MeterLedger", reading), signature)

    def is_state_of(self, report: AssetStateReport, signature: bytes, key: DevicePublicKey) -> bool:
        """Whether the device's key signed the report of an asset's state."""
        return key.verifies(self.digest("DERRegistry", report), signature)

    def is_of_device(self, message: Message, signature: bytes, key: DevicePublicKey) -> bool:
        """Whether a device's key signed a message to the DeviceRegistry."""
        return key.verifies(self.digest("DeviceRegistry", message), signature)

    def is_release_key(self, message: Message, signer: str, signature: bytes) -> bool:
        """Whether a release key signed a message to the FirmwareRegistry: 65 bytes, v 27 or 28."""
        if len(signature) != COMPACT_LENGTH + 1 or signature[COMPACT_LENGTH] not in _V:
            return False
        return _signer(partial(self.digest, "FirmwareRegistry"), message, signature) == signer

    def is_registration_signed(self, call: RegisteringMeter) -> bool:
        """Whether the operator registered exactly this meter."""
        said = MeterRegistration(
            call.device,
            call.market,
            call.account,
            call.import_capacity_w,
            call.export_capacity_w,
            call.scale_wh,
            call.mandated,
            call.operator.nonce,
            call.operator.deadline,
        )
        return self.is_act("DERRegistry", said, call.operator)

    def is_move_signed(self, call: MovingMeter) -> bool:
        """Whether the operator moved exactly this meter."""
        to, act = call.registration, call.registration.operator
        said = MeterMove(
            to.device,
            to.market,
            to.account,
            to.import_capacity_w,
            to.export_capacity_w,
            to.scale_wh,
            to.mandated,
            call.from_slot,
            act.nonce,
            act.deadline,
        )
        return self.is_act("DERRegistry", said, act)

    def is_end_signed(self, call: EndingMeter) -> bool:
        """Whether the operator ended exactly this meter."""
        act = call.operator
        return self.is_act("DERRegistry", MeterEnd(call.meter, call.until_slot, act.nonce, act.deadline), act)

    def is_mandated(self, call: RegisteringMeter) -> bool:
        """Whether the account let settlement debit it."""
        act = call.mandate
        said = Mandate(call.device, call.market, call.account, act.nonce, act.deadline)
        return act.signer == call.account and self.is_act("DERRegistry", said, act)

    def is_asset_signed(self, call: RegisteringAsset) -> bool:
        """Whether the operator registered exactly this asset."""
        act = call.operator
        figures = (call.nameplate_w, call.storage_wh, call.feeder)
        said = AssetRegistration(call.meter, call.kind, *figures, act.nonce, act.deadline)
        return self.is_act("DERRegistry", said, act)

    def is_market_signed(self, call: CreatingMarket) -> bool:
        """Whether the operator created exactly this market."""
        act = call.operator
        return self.is_act("EnergyAuction", CreateMarket(call.terms, act.nonce, act.deadline), act)

    def is_underwritten(self, call: CreatingMarket) -> bool:
        """Whether the terms' utility underwrote them."""
        act = call.utility
        said = Underwrite(call.terms, act.nonce, act.deadline)
        return act.signer == call.terms.utility and self.is_act("EnergyAuction", said, act)

    def is_change_signed(self, call: ChangingMarket) -> bool:
        """Whether the operator changed exactly this."""
        act = call.operator
        return self.is_act("EnergyAuction", ChangeMarket(call.market, call.terms, act.nonce, act.deadline), act)

    def is_change_underwritten(self, call: ChangingMarket) -> bool:
        """Whether the terms' utility underwrote the change."""
        act = call.utility
        said = UnderwriteChange(call.market, call.terms, act.nonce, act.deadline)
        return act.signer == call.terms.utility and self.is_act("EnergyAuction", said, act)

    def is_delegation_signed(self, call: Delegating) -> bool:
        """Whether the account let the delegate do exactly this."""
        act, scope = call.act, call.scope
        said = Delegation(
            call.account,
            call.delegate,
            scope.market,
            call.meters,
            scope.max_energy_wh,
            scope.lowest_ask,
            scope.highest_bid,
            scope.until,
            act.nonce,
            act.deadline,
        )
        return act.signer == call.account and self.is_act("EnergyAuction", said, act)

    def is_withdrawal_signed(self, to: str, amount: int, act: SignedAct) -> bool:
        """Whether the act's signer sent `amount` to `to`."""
        return self.is_act("Vault", Withdrawal(act.signer, to, amount, act.nonce, act.deadline), act)

    def is_bond_signed(self, call: PostingBond) -> bool:
        """Whether the sponsor put this much down for the relayer."""
        act = call.sponsor
        said = PostBond(act.signer, call.relayer, call.amount, act.nonce, act.deadline)
        return self.is_act("RelayerBond", said, act)

    def is_unbonding_signed(self, call: Unbonding) -> bool:
        """Whether the sponsor asked for this much back."""
        act = call.sponsor
        said = Unbond(act.signer, call.relayer, call.amount or 0, act.nonce, act.deadline)
        return self.is_act("RelayerBond", said, act)

    def acknowledger_of(self, said: Acknowledgement, signature: bytes) -> str | None:
        """Whose key signed the acknowledgement, checksummed; None if nobody's can have."""
        return _signer(partial(self.digest, "RelayerBond"), said, signature)

    def is_act(self, contract: str, message: Message, act: SignedAct) -> bool:
        """Whether the act's signer signed the message, meant for the contract of that name."""
        digest_of = partial(self.digest, contract)
        return bool(act.signature) and _signer(digest_of, message, act.signature or b"") == act.signer


def _signer(digest_of: Callable[[Any], bytes], message: Message, signature: bytes) -> str | None:
    try:
        return recover(digest_of(message), to_compact(signature))
    except DomainError:
        return None


_V = (27, 28)
_SIGNED_AT = (
    "Vault",
    "DeviceRegistry",
    "DERRegistry",
    "MeterLedger",
    "EnergyAuction",
    "RelayerBond",
    "TelemetryAnchor",
    "FirmwareRegistry",
)
