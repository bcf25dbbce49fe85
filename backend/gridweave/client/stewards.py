"""Programs of those who keep the market: the maker endorses, the operator registers, the utility underwrites."""

from __future__ import annotations

from dataclasses import dataclass

from gridweave.client import wire
from gridweave.client.device_key import DeviceKey
from gridweave.client.nonces import fresh_nonce
from gridweave.client.service import GridweaveClient
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Item, Json, Signed, SignedAct
from gridweave.domain.acts import (
    AssetKind,
    AssetRegistration,
    ChangeMarket,
    CreateMarket,
    DeviceStatus,
    Endorsement,
    KeyKind,
    MeterEnd,
    MeterMove,
    MeterRegistration,
    Possession,
    StatusChange,
    Underwrite,
    UnderwriteChange,
)
from gridweave.domain.eip712 import Message, digest
from gridweave.domain.terms import MarketTerms

__all__ = ["DeviceProof", "MeterPlan", "Steward", "prove_possession"]


@dataclass(frozen=True)
class DeviceProof:
    """What a device hands its maker: public key and proof that it holds the private one. Nothing in it is secret."""

    device: str
    kind: KeyKind
    x: bytes
    y: bytes
    maker: str
    owner: str
    deadline: int
    possession: bytes


@dataclass(frozen=True)
class MeterPlan:
    """A meter to be: capacities in W, `scale_wh` 1, 10 or 100."""

    device: str
    market: int
    account: str
    import_capacity_w: int
    export_capacity_w: int
    scale_wh: int = 1


def prove_possession(client: GridweaveClient, key: DeviceKey, maker: str, owner: str, deadline: int) -> DeviceProof:
    """The device's own signature that `maker` may enrol it for `owner`, valid until `deadline` (chain time)."""
    proof = key.sign(client.deployment.domain("DeviceRegistry"), Possession(key.device, maker, owner, deadline))
    return DeviceProof(key.device, key.kind, key.x, key.y, maker, owner, deadline, proof)


class Steward:
    """One wallet with a role on chain. The contracts check the role; the service only carries the signed act."""

    def __init__(self, client: GridweaveClient, wallet: Wallet) -> None:
        self.client = client
        self.wallet = wallet

    @property
    def address(self) -> str:
        return self.wallet.address

    def enrol(self, proof: DeviceProof, model: int = 0) -> Item:
        """Endorses a device of a model (a number of the maker's), as its maker.

        Raises ServiceError (NotAMaker, DeviceAlreadyEnrolled, ...).
        """
        act = Endorsement(
            proof.device, self.address, proof.owner, model, proof.kind, proof.x, proof.y, fresh_nonce(), proof.deadline
        )
        signed = self._act("DeviceRegistry", act, act.nonce, act.deadline)
        body = wire.enrolment_json(act, signed, proof.possession)
        return self._post("/v1/devices", body, "DeviceRegistry", act)

    def set_status(self, device: str, status: DeviceStatus, deadline: int) -> Item:
        """Suspends, readmits or revokes a device, as its owner or an operator. Raises ServiceError."""
        act = StatusChange(device, status, fresh_nonce(), deadline)
        signed = self._act("DeviceRegistry", act, act.nonce, deadline)
        return self._post(f"/v1/devices/{device}/status", wire.status_json(status, signed), "DeviceRegistry", act)

    def underwrite(self, terms: MarketTerms, deadline: int) -> SignedAct:
        """The utility's consent to be the other side of every deviation under `terms`."""
        act = Underwrite(terms, fresh_nonce(), deadline)
        return self._act("EnergyAuction", act, act.nonce, deadline)

    def create_market(self, terms: MarketTerms, utility: SignedAct, deadline: int) -> Item:
        """Opens a market, as an operator. Raises ServiceError (TermsNotAllowed, SignerNotAllowed, ...)."""
        act = CreateMarket(terms, fresh_nonce(), deadline)
        operator = self._act("EnergyAuction", act, act.nonce, deadline)
        body = {"terms": wire.terms_json(terms), "operator": operator.to_json(), "utility": utility.to_json()}
        return self._post("/v1/markets", body, "EnergyAuction", act)

    def underwrite_change(self, market: int, terms: MarketTerms, deadline: int) -> SignedAct:
        """The utility's consent to changed terms."""
        act = UnderwriteChange(market, terms, fresh_nonce(), deadline)
        return self._act("EnergyAuction", act, act.nonce, deadline)

    def change_market(self, market: int, terms: MarketTerms, utility: SignedAct, deadline: int) -> Item:
        """Changes a market's terms from `terms.from_slot` on, as an operator. Raises ServiceError."""
        act = ChangeMarket(market, terms, fresh_nonce(), deadline)
        operator = self._act("EnergyAuction", act, act.nonce, deadline)
        body = {"terms": wire.terms_json(terms), "operator": operator.to_json(), "utility": utility.to_json()}
        return self._post(f"/v1/markets/{market}/terms", body, "EnergyAuction", act)

    def register_meter(self, plan: MeterPlan, mandate: SignedAct | None, deadline: int) -> Item:
        """Puts a device into a market for an account, as an operator; with a mandate, so that nobody can leave it out.

        Raises ServiceError.
        """
        act = MeterRegistration(
            plan.device,
            plan.market,
            plan.account,
            plan.import_capacity_w,
            plan.export_capacity_w,
            plan.scale_wh,
            mandate is not None,
            fresh_nonce(),
            deadline,
        )
        operator = self._act("DERRegistry", act, act.nonce, deadline)
        return self._post("/v1/meters", wire.meter_json(act, operator, mandate), "DERRegistry", act)

    def move_meter(self, plan: MeterPlan, from_slot: int, mandate: SignedAct | None, deadline: int) -> Item:
        """Ends the device's meter and begins its next one in `from_slot`, as an operator. Raises ServiceError."""
        act = MeterMove(
            plan.device,
            plan.market,
            plan.account,
            plan.import_capacity_w,
            plan.export_capacity_w,
            plan.scale_wh,
            mandate is not None,
            from_slot,
            fresh_nonce(),
            deadline,
        )
        operator = self._act("DERRegistry", act, act.nonce, deadline)
        return self._post("/v1/meter-moves", wire.meter_move_json(act, operator, mandate), "DERRegistry", act)

    def end_meter(self, meter: int, until_slot: int, deadline: int) -> Item:
        """Ends a meter before `until_slot`, as an operator. Raises ServiceError."""
        act = MeterEnd(meter, until_slot, fresh_nonce(), deadline)
        operator = self._act("DERRegistry", act, act.nonce, deadline)
        return self._post(f"/v1/meters/{meter}/end", wire.meter_end_json(act, operator), "DERRegistry", act)

    def register_asset(self, meter: int, kind: AssetKind, nameplate_w: int, storage_wh: int, deadline: int) -> Item:
        """Records what stands behind a meter, as an operator. Raises ServiceError."""
        act = AssetRegistration(meter, kind, nameplate_w, storage_wh, fresh_nonce(), deadline)
        operator = self._act("DERRegistry", act, act.nonce, deadline)
        return self._post("/v1/assets", wire.asset_json(act, operator), "DERRegistry", act)

    def _post(self, path: str, body: Json, contract: str, act: Message) -> Item:
        return self.client.post(path, Signed(body, digest(self.client.deployment.domain(contract), act)))

    def _act(self, contract: str, message: Message, nonce: int, deadline: int) -> SignedAct:
        signature = self.wallet.sign_act(self.client.deployment.domain(contract), message)
        return SignedAct(self.address, nonce, deadline, signature)
