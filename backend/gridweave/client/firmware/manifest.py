"""The SUIT manifest of a release (RFC 9019; draft-ietf-suit-manifest): one component, one image, no COSE signature.

The authentication wrapper holds the manifest's digest only. Who approves it are the model's release keys, whose
approval names that digest as `manifestHash`; so a device needs neither COSE keys nor certificates. Vendor and class
ids are UUIDs of version 5: the vendor's of "eip155:<chain id>:<maker's address in lower case>" among URLs, the
class's of the model's number among the vendor's.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import cbor2

from gridweave.client.firmware.cbor import (
    Unreadable,
    encode,
    read,
    read_bytes,
    read_known,
    read_list,
    read_map,
    read_uint,
)
from gridweave.client.firmware.refusals import ManifestMalformed

__all__ = ["Manifest", "class_id", "manifest_digest", "vendor_id"]

_ENVELOPE_TAG = 107
_AUTHENTICATION, _MANIFEST = 2, 3
_VERSION, _SEQUENCE, _COMMON, _VALIDATE, _INSTALL, _INVOKE = 1, 2, 3, 7, 20, 9
_COMPONENTS, _SHARED_SEQUENCE = 2, 4
_CONDITION_VENDOR, _CONDITION_CLASS, _CONDITION_IMAGE = 1, 2, 3
_OVERRIDE_PARAMETERS, _FETCH, _INVOKE_DIRECTIVE = 20, 21, 23
_P_VENDOR, _P_CLASS, _P_DIGEST, _P_SIZE, _P_URI = 1, 2, 3, 14, 21
_SHA256 = -16
_REPORT_ALL, _REPORT_FAILURE = 15, 2


@dataclass(frozen=True)
class Manifest:
    """What a device reads of it. `image_size` is bytes, `image_hash` SHA-256."""

    sequence: int
    vendor: UUID
    model_class: UUID
    image_size: int
    image_hash: bytes

    def envelope(self, uri: str = "") -> bytes:
        """The envelope that says so; with `uri` it says where the image is to be had, too."""
        parameters = {
            _P_VENDOR: self.vendor.bytes,
            _P_CLASS: self.model_class.bytes,
            _P_DIGEST: encode([_SHA256, self.image_hash]),
            _P_SIZE: self.image_size,
        }
        shared = [_OVERRIDE_PARAMETERS, parameters, _CONDITION_VENDOR, _REPORT_ALL, _CONDITION_CLASS, _REPORT_ALL]
        manifest: dict[int, Any] = {
            _VERSION: 1,
            _SEQUENCE: self.sequence,
            _COMMON: encode({_COMPONENTS: [[b"\0"]], _SHARED_SEQUENCE: encode(shared)}),
            _VALIDATE: encode([_CONDITION_IMAGE, _REPORT_ALL]),
            _INVOKE: encode([_INVOKE_DIRECTIVE, _REPORT_FAILURE]),
        }
        if uri:
            fetch = [_OVERRIDE_PARAMETERS, {_P_URI: uri}, _FETCH, _REPORT_FAILURE, _CONDITION_IMAGE, _REPORT_ALL]
            manifest[_INSTALL] = encode(fetch)
        inner = encode(manifest)
        digest = encode([_SHA256, manifest_digest(inner)])
        return encode(cbor2.CBORTag(_ENVELOPE_TAG, {_AUTHENTICATION: encode([digest]), _MANIFEST: inner}))

    @classmethod
    def read(cls, envelope: bytes) -> tuple[Manifest, bytes]:
        """The manifest and its digest, 32 bytes, which the envelope must name rightly. Raises ManifestMalformed."""
        try:
            return _read(envelope)
        except Unreadable as error:
            raise ManifestMalformed(str(error)) from error


def manifest_digest(manifest: bytes) -> bytes:
    """SUIT's digest of a manifest: SHA-256 over it as a CBOR byte string, head included."""
    return sha256(encode(manifest)).digest()


def vendor_id(chain_id: int, maker: str) -> UUID:
    """Of a maker on a chain."""
    return uuid5(NAMESPACE_URL, f"eip155:{chain_id}:{maker.lower()}")


def class_id(chain_id: int, maker: str, model: int) -> UUID:
    """Of a maker's model."""
    return uuid5(vendor_id(chain_id, maker), str(model))


def _read(envelope: bytes) -> tuple[Manifest, bytes]:
    tagged = read(envelope, "envelope")
    if not isinstance(tagged, cbor2.CBORTag) or tagged.tag != _ENVELOPE_TAG:
        raise Unreadable("envelope")
    parts = read_map(tagged.value, "envelope")
    if set(parts) != {_AUTHENTICATION, _MANIFEST}:
        raise Unreadable("envelope")
    inner = read_bytes(parts[_MANIFEST], "manifest")
    digest = manifest_digest(inner)
    if parts[_AUTHENTICATION] != encode([encode([_SHA256, digest])]):
        raise Unreadable("authentication wrapper")
    manifest = read_map(read(inner, "manifest"), "manifest")
    read_known(manifest.get(_VERSION), 1, "manifest version")
    parameters = _parameters(read_map(read(read_bytes(manifest.get(_COMMON), "common"), "common"), "common"))
    return (
        Manifest(
            sequence=read_uint(manifest.get(_SEQUENCE), 32, "sequence number"),
            vendor=UUID(bytes=read_bytes(parameters.get(_P_VENDOR), "vendor id", 16)),
            model_class=UUID(bytes=read_bytes(parameters.get(_P_CLASS), "class id", 16)),
            image_size=read_uint(parameters.get(_P_SIZE), 64, "image size"),
            image_hash=_image_hash(read_bytes(parameters.get(_P_DIGEST), "image digest")),
        ),
        digest,
    )


def _parameters(common: dict[Any, Any]) -> dict[Any, Any]:
    if common.get(_COMPONENTS) != [[b"\0"]]:
        raise Unreadable("components")
    shared = read_bytes(common.get(_SHARED_SEQUENCE), "shared sequence")
    sequence = read_list(read(shared, "shared sequence"), "shared sequence")
    if len(sequence) < 2 or _OVERRIDE_PARAMETERS in sequence[2::2]:
        raise Unreadable("shared sequence")
    read_known(sequence[0], _OVERRIDE_PARAMETERS, "shared sequence")
    return read_map(sequence[1], "parameters")


def _image_hash(digest: bytes) -> bytes:
    algorithm, value = read_list(read(digest, "image digest"), "image digest", 2)
    read_known(algorithm, _SHA256, "image digest")
    return read_bytes(value, "image digest", 32)
