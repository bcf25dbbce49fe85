"""What the FirmwareRegistry must answer and hold once the replay has come to the audited block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gridweave.audit.differences import Subject
from gridweave.audit.firmwares import CONTRACT, Firmwares
from gridweave.audit.storage import Claim, WordClaim
from gridweave.chain.firmware_words import word_of_installation, words_of_model
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.roll import FirmwareRoll, ModelRecord
from gridweave.domain.firmware.rollout import Rollout, ramp_position
from gridweave.domain.names import camel

__all__ = ["claims_of_firmware", "words_of_firmware"]

_LINE = ("maker", "latest", "full", "floor", "keys")
_ROLLOUT = tuple(map(camel, Rollout.__dataclass_fields__))
_INSTALLATION = ("model", "told", "failureCode", "running", "runningSince")


def claims_of_firmware(firmwares: Firmwares) -> Iterator[Claim]:
    """What anybody who asks the registry is told of each model, release and device."""
    book = firmwares.book
    for number, model in book.models.items():
        line, subject = model.line, Subject(model=number)
        said = line.maker, line.latest, line.full, line.floor, model.keys
        yield Claim(CONTRACT, "lineOf", (number,), _LINE, said, subject)
        for block in _edges(*(since for since, _ in model.floors)):
            yield Claim(CONTRACT, "floorAt", (number, block), ("floor",), (book.floor_at(number, block),), subject)
        for counter in (*model.releases, line.latest + 1):
            yield from _claims_of_release(book, number, model, counter)
    for name in book.installations:
        yield from _claims_of_device(book, checksum_address(name))


def _claims_of_release(book: FirmwareRoll, number: int, model: ModelRecord, counter: int) -> Iterator[Claim]:
    """Of one that there is, or that there is none yet; reliability on both sides of every block that changes it."""
    subject, named = Subject(model=number, counter=counter), (number, counter)
    rollout = book.rollout_of(number, counter)
    commitment = model.releases.get(counter, bytes(32))
    yield Claim(CONTRACT, "commitmentOf", named, ("commitment",), (commitment,), subject)
    yield Claim(CONTRACT, "rolloutOf", named, _ROLLOUT, rollout.fields, subject)
    yield Claim(CONTRACT, "stateOf", named, ("state",), (rollout.state,), subject)
    for block in _edges(rollout.begun_at, rollout.revoked_since):
        reliable = (book.is_reliable_at(number, counter, block),)
        yield Claim(CONTRACT, "isReliableAt", (*named, block), ("reliable",), reliable, subject)


def _claims_of_device(book: FirmwareRoll, device: str) -> Iterator[Claim]:
    """What a device told and runs, whether that counts since then, and whether it may have what is newest."""
    installation = book.installation_of(device)
    model, counter, since = installation.model, installation.running, installation.running_since
    latest = book.models[model].line.latest
    subject = Subject(device=device, model=model)
    yield Claim(CONTRACT, "installationOf", (device,), _INSTALLATION, tuple(vars(installation).values()), subject)
    allowed = (book.is_allowed(device, latest),)
    yield Claim(CONTRACT, "isAllowed", (device, latest), ("allowed",), allowed, replace(subject, counter=latest))
    position = (ramp_position(device, model, latest),)
    yield Claim(CONTRACT, "positionOf", (device, model, latest), ("position",), position, subject)
    reliable = (book.is_reliable_at(model, counter, since),)
    about = replace(subject, counter=counter)
    yield Claim(CONTRACT, "isDeviceReliableAt", (device, counter, since), ("reliable",), reliable, about)


def _edges(*blocks: int) -> list[int]:
    """Both sides of each of these blocks."""
    return sorted({max(block - back, 0) for block in blocks for back in (0, 1)})


def words_of_firmware(firmwares: Firmwares) -> Iterator[WordClaim]:
    """Every word that the registry keeps of models, releases and devices."""
    for number, model in firmwares.book.models.items():
        for word in words_of_model(number, model):
            yield WordClaim(CONTRACT, word.slot, (word.word,), Subject(model=number, field=f"word.{word.field}"))
    for name, installation in firmwares.book.installations.items():
        device = checksum_address(name)
        word = word_of_installation(device, installation)
        yield WordClaim(CONTRACT, word.slot, (word.word,), Subject(device=device, field=f"word.{word.field}"))
