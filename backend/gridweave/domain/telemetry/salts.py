"""Leaves: a reading with a salt before it, so that the leaf's hash tells nothing of what was measured.

The device draws a secret seed of 32 bytes for each segment. The salt of reading i is AES-256 of i under the seed, 16
bytes: to show one tells nothing of another. A leaf is salt and canonical bytes, its hash SHA-256(0x00 . leaf), as in an
RFC 9162 tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from gridweave.domain.telemetry.errors import SeedMalformed
from gridweave.domain.telemetry.merkle import hash_leaves
from gridweave.domain.telemetry.readings import ReadingRun

SEED_LENGTH = 32
SALT_LENGTH = 16


@dataclass(frozen=True)
class SaltedRun:
    """Readings and the seed of their salts, 32 bytes."""

    run: ReadingRun
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises SeedMalformed."""
        if len(self.seed) != SEED_LENGTH:
            raise SeedMalformed(len(self.seed))

    @cached_property
    def leaves(self) -> list[bytes]:
        """Salt and canonical bytes of each reading: the salts are AES-CTR's key stream from the first index on."""
        counter = self.run.first_index.to_bytes(SALT_LENGTH, "big")
        salts = Cipher(AES256(self.seed), CTR(counter)).encryptor().update(bytes(SALT_LENGTH * len(self.run)))
        places = range(0, len(salts), SALT_LENGTH)
        return [salts[at : at + SALT_LENGTH] + record for at, record in zip(places, self.run.records, strict=True)]

    @cached_property
    def leaf_hashes(self) -> list[bytes]:
        """The hash of each leaf, 32 bytes."""
        return hash_leaves(self.leaves)
