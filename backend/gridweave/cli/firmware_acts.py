"""`gridweave firmware ...`: what release keys sign, one after the other until there are enough."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from gridweave.cli.firmware_reads import Counter, Model
from gridweave.cli.firmware_told import show_act, told_json
from gridweave.cli.terminal import (
    DEFAULT_URL,
    AsJson,
    KeyName,
    KeystoreFolder,
    NoWait,
    PasswordFile,
    ServiceUrl,
    WrongUse,
    emit,
    finish,
    open_wallet,
    out,
    resolve_address,
    speaking,
)
from gridweave.client.firmware import Manifest, require_manifest
from gridweave.client.firmware.refusals import ManifestContradictsRelease, ManifestNotApproved
from gridweave.client.firmware_life import FirmwareDesk, Gathering, ReleaseKeyHolder
from gridweave.client.service import GridweaveClient
from gridweave.client.wire import Item
from gridweave.domain.firmware.keys import KeySet
from gridweave.domain.firmware.messages import (
    Release,
    ReleaseRevocation,
    RolloutPause,
    RolloutRaise,
    RolloutResume,
    RolloutStart,
)
from gridweave.domain.firmware.proposals import FirmwareAct, name_of

__all__ = ["register"]

_DAY = 86_400
_MOST_UINT32 = 2**32 - 1

Members = Annotated[list[str], typer.Option("--member", help="Address or key name of a release key; again for more.")]
Threshold = Annotated[int, typer.Option(min=1, help="How many of them must sign.")]
ValidFor = Annotated[int, typer.Option(help="Seconds of chain time in which enough keys must have signed.")]
Approves = Annotated[bool, typer.Option("--approve", help="The maker's key is a member too, and signs as such.")]
Bom = Annotated[Path | None, typer.Option(help="The bill of materials, of which the release names the hash.")]


def register(group: typer.Typer) -> None:
    """Adds the commands to `gridweave firmware`."""
    for command in (open_, change_keys, propose, approve, start, advance, pause, resume, revoke):
        group.command(command.__name__.rstrip("_").replace("_", "-"))(command)


# keys


def open_(
    model: Model,
    member: Members,
    threshold: Threshold,
    key: KeyName,
    approves: Approves = False,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Open a model as its maker: name the keys that will speak for its firmware. The threshold of them must agree.

    Example: gridweave firmware open 7 --member anna --member ben --member city --threshold 2 --key maker
    """
    with speaking(as_json), GridweaveClient(url) as client:
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        keys = KeySet(1, threshold, _ascending(member, keystore))
        answer = holder.open_model(model, keys, client.chain_time() + valid_for, approves=approves)
        _finish(client, answer, f"model {model} opened", wait=not no_wait, as_json=as_json)


def change_keys(
    model: Model,
    member: Members,
    threshold: Threshold,
    key: KeyName,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Name a model's next release keys, as one of the present or the next. Enough of both must sign.

    Example: gridweave firmware change-keys 7 --member anna --member dora --member city --threshold 2 --key anna
    """
    with speaking(as_json), GridweaveClient(url) as client:
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        version = FirmwareDesk(client).key_set(model).version + 1
        following = KeySet(version, threshold, _ascending(member, keystore))
        answer = holder.change_keys(model, following, client.chain_time() + valid_for)
        _finish(client, answer, f"keys of model {model} changed", wait=not no_wait, as_json=as_json)


def approve(
    id_: Annotated[str, typer.Argument(metavar="ID", help="What `gridweave firmware proposals` calls it.")],
    key: KeyName,
    manifest: Annotated[Path | None, typer.Option(help="The SUIT envelope that a release must name.")] = None,
    image: Annotated[Path | None, typer.Option(help="The image that a release must name.")] = None,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Sign what another key proposed, having shown it. With the last signature that is needed it is sent.

    Name your own copies of manifest and image: nothing is signed that names others.

    Example: gridweave firmware approve 0x3f… --manifest r5.suit --image r5.bin --key ben
    """
    with speaking(as_json), GridweaveClient(url) as client:
        found = FirmwareDesk(client).proposal(id_)
        _check_files(client, found.act, manifest, image)
        if not as_json:
            show_act(found)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        answer = holder.approve(found.act, found.maker)
        _finish(client, answer, f"{name_of(found.act)} of model {found.act.model}", wait=not no_wait, as_json=as_json)


# releases


def propose(
    manifest: Annotated[Path, typer.Argument(help="The SUIT envelope: see `gridweave firmware manifest`.")],
    model: Annotated[int, typer.Option(min=0, max=_MOST_UINT32, help="Number of the model.")],
    source: Annotated[str, typer.Option(help="Where its source is, as people shall find it.")],
    key: KeyName,
    floor: Annotated[int, typer.Option(min=0, help="Once it is full, devices below are not to be trusted.")] = 0,
    bom: Bom = None,
    least_receipts: Annotated[int, typer.Option(min=1, help="Receipts of a step before failures can stop it.")] = 10,
    failure_limit_bp: Annotated[int, typer.Option(min=0, max=10_000, help="Of 10,000; more failures stop it.")] = 500,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Propose a release, as the first of its keys. Nobody installs it before its rollout is started.

    Example: gridweave firmware propose r5.suit --model 7 --source https://example.org/r5 --key anna
    """
    with speaking(as_json), GridweaveClient(url) as client:
        envelope = _bytes_of(manifest)
        said, hash_ = Manifest.read(envelope)
        act = Release(
            model=model,
            counter=said.sequence,
            floor=floor,
            image_size=said.image_size,
            image_hash=said.image_hash,
            manifest_hash=hash_,
            bom_hash=_hash_of(bom) if bom else bytes(32),
            source=source,
            least_receipts=least_receipts,
            failure_limit_bp=failure_limit_bp,
            deadline=client.chain_time() + valid_for,
        )
        _check_manifest(client, envelope, act)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        what = f"release {act.counter} of model {model}"
        _finish(client, holder.approve(act), what, wait=not no_wait, as_json=as_json)


def start(
    model: Model,
    counter: Counter,
    key: KeyName,
    share_bp: Annotated[int, typer.Option(min=1, max=1_000, help="Of 10,000 devices; a tenth of them at most.")] = 100,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Start a rollout with its canaries.

    Example: gridweave firmware start 7 5 --share-bp 100 --key anna
    """
    with speaking(as_json), GridweaveClient(url) as client:
        act = RolloutStart(model, counter, share_bp, client.chain_time() + valid_for)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        what = f"rollout of {counter} started with {share_bp} of 10,000"
        _finish(client, holder.approve(act), what, wait=not no_wait, as_json=as_json)


def advance(
    model: Model,
    counter: Counter,
    share_bp: Annotated[int, typer.Option(min=1, max=10_000, help="Of 10,000 devices; 10,000 makes it full.")],
    key: KeyName,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Let more devices have a release. Full, it supersedes all older ones, and its floor comes into force.

    Example: gridweave firmware advance 7 5 --share-bp 2500 --key anna
    """
    with speaking(as_json), GridweaveClient(url) as client:
        act = RolloutRaise(model, counter, share_bp, _step(client, model, counter), client.chain_time() + valid_for)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        what = f"rollout of {counter} raised to {share_bp} of 10,000"
        _finish(client, holder.approve(act), what, wait=not no_wait, as_json=as_json)


def pause(
    model: Model,
    counter: Counter,
    key: KeyName,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Stop a rollout at once: any one release key may. What others signed for this step is void then.

    Example: gridweave firmware pause 7 5 --key ben
    """
    with speaking(as_json), GridweaveClient(url) as client:
        act = RolloutPause(model, counter, _step(client, model, counter), client.chain_time() + valid_for)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        _finish(client, holder.approve(act), f"rollout of {counter} paused", wait=not no_wait, as_json=as_json)


def resume(
    model: Model,
    counter: Counter,
    key: KeyName,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Let a paused rollout go on where it stood; its receipts are counted anew."""
    with speaking(as_json), GridweaveClient(url) as client:
        act = RolloutResume(model, counter, _step(client, model, counter), client.chain_time() + valid_for)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        _finish(client, holder.approve(act), f"rollout of {counter} resumed", wait=not no_wait, as_json=as_json)


def revoke(
    model: Model,
    counter: Counter,
    since_block: Annotated[int, typer.Option(min=1, help="From which block on its readings are not relied upon.")],
    key: KeyName,
    valid_for: ValidFor = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
    password_file: PasswordFile = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a release for good. Later only an earlier block can be named.

    Example: gridweave firmware revoke 7 5 --since-block 120934 --key anna
    """
    with speaking(as_json), GridweaveClient(url) as client:
        act = ReleaseRevocation(model, counter, since_block, client.chain_time() + valid_for)
        holder = ReleaseKeyHolder(client, open_wallet(key, keystore, password_file))
        what = f"release {counter} revoked since block {since_block}"
        _finish(client, holder.approve(act), what, wait=not no_wait, as_json=as_json)


def _finish(client: GridweaveClient, answer: Item | Gathering, what: str, *, wait: bool, as_json: bool) -> None:
    if isinstance(answer, Item):
        finish(client, answer.id, what, wait=wait, as_json=as_json)
    elif as_json:
        emit(told_json(answer))
    else:
        show_act(answer)
        out.print(f"  others approve it with: gridweave firmware approve {answer.id} --key KEY", highlight=False)


def _step(client: GridweaveClient, model: int, counter: int) -> int:
    return int(FirmwareDesk(client).release(model, counter)["step"])


def _ascending(members: list[str], keystore: Path | None) -> tuple[str, ...]:
    return tuple(sorted((resolve_address(member, keystore) for member in members), key=lambda each: int(each, 16)))


def _check_files(client: GridweaveClient, act: FirmwareAct, manifest: Path | None, image: Path | None) -> None:
    """Raises WrongUse unless the release names these files, and devices would take them."""
    if manifest is None and image is None:
        return
    if not isinstance(act, Release):
        raise WrongUse(f"a {name_of(act)} names no files: leave out --manifest and --image")
    if manifest is not None:
        try:
            _check_manifest(client, _bytes_of(manifest), act)
        except ManifestNotApproved as fault:
            raise WrongUse(f"the release is of another manifest than {manifest}: do not sign it") from fault
    if image is not None and (_hash_of(image), image.stat().st_size) != (act.image_hash, act.image_size):
        raise WrongUse(f"the release is of another image than {image}: do not sign it")


def _check_manifest(client: GridweaveClient, envelope: bytes, act: Release) -> None:
    """Raises WrongUse if devices would refuse the manifest, ManifestNotApproved, ManifestMalformed."""
    chain_id, maker = client.deployment.chain_id, str(FirmwareDesk(client).model(act.model)["maker"])
    try:
        require_manifest(envelope, act, chain_id, maker)
    except ManifestContradictsRelease as fault:
        made = f"--model {act.model} --counter {act.counter} --maker {maker} --chain-id {chain_id}"
        raise WrongUse(
            f"no device would take it: the manifest says another {fault.values['field']} than the release and its "
            f"model; make it with: gridweave firmware manifest --image IMAGE {made}"
        ) from fault


def _hash_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return file_digest(opened, "sha256").digest()
    except OSError as fault:
        raise WrongUse(f"{file} cannot be read: {fault}") from fault


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise WrongUse(f"{file} cannot be read: {fault}") from fault
