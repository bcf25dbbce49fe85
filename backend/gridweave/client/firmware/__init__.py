"""What a device checks, offline, before it installs firmware: a bundle against an image and what the device trusts.

    bundle = Bundle.decode(raw)
    verdict = check_bundle(bundle, image=ImageFile(size, sha256), device=device, trust=trust, now=now)

Whatever is wrong is refused by name (`BundleRefusal`, and the registry's own refusals of signers and thresholds).
"""

from gridweave.client.firmware.bundle import Bundle, KeyChange
from gridweave.client.firmware.check import DeviceState, ImageFile, Trust, Verdict, check_bundle, require_manifest
from gridweave.client.firmware.manifest import Manifest
from gridweave.client.firmware.refusals import BundleRefusal
from gridweave.client.firmware.witness import BlockWitness

__all__ = [
    "BlockWitness",
    "Bundle",
    "BundleRefusal",
    "DeviceState",
    "ImageFile",
    "KeyChange",
    "Manifest",
    "Trust",
    "Verdict",
    "check_bundle",
    "require_manifest",
]
