"""What a window's key is used for: to seal a section, under a key that depends on what is sealed.

From a window's key come, by HKDF-Expand (RFC 5869, SHA-256) with a label and the stream, the imprints' key and each
section's own key:

    imprint     HMAC-SHA-256, under the imprints' key, of the section's place and its plaintext
    key         for the section's place and its imprint
    ciphertext  AES-256-GCM under that key with a nonce of zeros; place and imprint are associated data

where a section's place is the batch's header and the section's window, first index and number of readings.

Why one nonce is enough. What AES-GCM must never see is two plaintexts, or two associated data, under one key and nonce.
Here the key is a function of place (the batch's root is in it) and imprint, which are the associated data, and the
imprint is one of the plaintext: two sealings under one key have the same data and the same plaintext, unless
HMAC-SHA-256 collides, and so give the same bytes. A gateway that makes a batch again after a crash, cut in another way
or compressed by another release of zstd, uses another key, whether or not it remembers the first. The root alone would
not do: it is the readings', not that of the bytes they are compressed to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest, digest
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gridweave.domain.telemetry.batches import BatchHeader, Section
from gridweave.domain.telemetry.errors import ImprintWrong, SectionAltered
from gridweave.domain.telemetry.readings import ReadingRun

_NONCE = bytes(12)
_PLACE = Struct(">IQI")


@dataclass(frozen=True)
class WindowSecrets:
    """A window's key, 32 bytes, at work for one stream."""

    window: int
    stream: bytes
    key: bytes = field(repr=False)

    def encrypt(self, header: BatchHeader, run: ReadingRun, plaintext: bytes) -> tuple[bytes, bytes]:
        """Imprint and ciphertext of what is said of a run."""
        place = _place(header, self.window, run.first_index, len(run))
        imprint = self._imprint(place, plaintext)
        return imprint, self._cipher(place, imprint).encrypt(_NONCE, plaintext, place + imprint)

    def decrypt(self, header: BatchHeader, section: Section) -> bytes:
        """The section's plaintext. Raises SectionAltered, ImprintWrong."""
        place = _place(header, section.window, section.first_index, section.count)
        try:
            cipher = self._cipher(place, section.imprint)
            plaintext = cipher.decrypt(_NONCE, section.ciphertext, place + section.imprint)
        except InvalidTag as error:
            raise SectionAltered(section.window) from error
        if not compare_digest(self._imprint(place, plaintext), section.imprint):
            raise ImprintWrong(section.window)
        return plaintext

    def _cipher(self, place: bytes, imprint: bytes) -> AESGCM:
        return AESGCM(self._derive("section", place + imprint))

    def _imprint(self, place: bytes, plaintext: bytes) -> bytes:
        return digest(self._derive("imprint"), place + plaintext, "sha256")

    def _derive(self, label: str, context: bytes = b"") -> bytes:
        """HKDF-Expand to 32 bytes, which is one HMAC."""
        return digest(self.key, b"gridweave/telemetry/" + label.encode() + self.stream + context + b"\x01", "sha256")


def _place(header: BatchHeader, window: int, first_index: int, count: int) -> bytes:
    return header.encode() + _PLACE.pack(window, first_index, count)
