"""What a prosumer's or a device's own program uses to sign and to talk to the service."""

from gridweave.client.agent import DeviceAgent, send_together
from gridweave.client.asset_device import AssetDevice
from gridweave.client.device_key import DeviceKey
from gridweave.client.device_life import DeviceHolder, HandoverWord, MakersList, OwnDevice
from gridweave.client.errors import (
    AcknowledgementInvalid,
    ClientError,
    ConflictingReading,
    KeyNotFound,
    KeystoreError,
    RequestRejected,
    ServiceError,
    ServiceUnavailable,
    WrongPassword,
)
from gridweave.client.firmware_life import FirmwareDesk, Gathering, InstallReporter, ReleaseKeyHolder
from gridweave.client.history import HistoryFilters
from gridweave.client.keystore import Keystore
from gridweave.client.promises import KeptPromise, PromiseFolder
from gridweave.client.prosumer import Offer, PlacedOrder, Prosumer, ScheduledOrders
from gridweave.client.service import Event, GridweaveClient
from gridweave.client.sponsor import Sponsor
from gridweave.client.stewards import DeviceProof, MeterPlan, Steward, prove_possession
from gridweave.client.wallet import Wallet
from gridweave.client.wire import Deployment, Item, SignedAct

__all__ = [
    "AcknowledgementInvalid",
    "AssetDevice",
    "ClientError",
    "ConflictingReading",
    "Deployment",
    "DeviceAgent",
    "DeviceHolder",
    "DeviceKey",
    "DeviceProof",
    "Event",
    "FirmwareDesk",
    "Gathering",
    "GridweaveClient",
    "HandoverWord",
    "HistoryFilters",
    "InstallReporter",
    "Item",
    "KeptPromise",
    "KeyNotFound",
    "Keystore",
    "KeystoreError",
    "MakersList",
    "MeterPlan",
    "Offer",
    "OwnDevice",
    "PlacedOrder",
    "PromiseFolder",
    "Prosumer",
    "ReleaseKeyHolder",
    "RequestRejected",
    "ScheduledOrders",
    "ServiceError",
    "ServiceUnavailable",
    "SignedAct",
    "Sponsor",
    "Steward",
    "Wallet",
    "WrongPassword",
    "prove_possession",
    "send_together",
]
