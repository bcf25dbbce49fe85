"""What a device trusts, as the JSON that is put into it when it is made: written, and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gridweave.cli.firmware_reads import Model
from gridweave.cli.terminal import DEFAULT_URL, KeystoreFolder, ServiceUrl, WrongUse, out, resolve_address, speaking
from gridweave.client.firmware import Trust
from gridweave.client.firmware_life import FirmwareDesk
from gridweave.client.service import GridweaveClient
from gridweave.domain.addresses import checksum_address
from gridweave.domain.firmware.keys import KeySet

__all__ = ["keys_json", "trust", "trust_in"]

_DAY = 86_400

Witnesses = Annotated[list[str], typer.Option("--witness", help="Address or key name of a witness; again for more.")]


def trust(
    model: Model,
    witness: Witnesses,
    file: Annotated[Path, typer.Option("--out", help="Where to write it.")],
    witness_threshold: Annotated[int, typer.Option(min=1, help="How many of them must vouch for a block.")] = 1,
    max_age: Annotated[int, typer.Option(min=1, help="Seconds that a block may lie back.")] = _DAY,
    url: ServiceUrl = DEFAULT_URL,
    keystore: KeystoreFolder = None,
) -> None:
    """Write what devices of a model shall trust, to be put into them when they are made.

    Release keys, chain and registry are as the service tells them: compare them with their holders' first.

    Example: gridweave firmware trust 7 --witness utility --witness city --witness-threshold 2 --out trust.json
    """
    with speaking(), GridweaveClient(url) as client:
        witnesses = list(dict.fromkeys(checksum_address(resolve_address(each, keystore)) for each in witness))
        if witness_threshold > len(witnesses):
            raise WrongUse(f"{witness_threshold} witnesses of {len(witnesses)} can never vouch: name more by --witness")
        said = {
            "chainId": client.deployment.chain_id,
            "registry": client.deployment.contracts["FirmwareRegistry"],
            "keys": keys_json(FirmwareDesk(client).key_set(model)),
            "witnesses": witnesses,
            "witnessThreshold": witness_threshold,
            "maxAge": max_age,
        }
        file.write_text(json.dumps(said, indent=1) + "\n")
        out.print(f"{file}: what devices of model {model} trust", highlight=False)


def trust_in(raw: bytes, file: Path, blocks: frozenset[bytes] = frozenset()) -> Trust:
    """What `file` holds, and `blocks` that are trusted as they are. Raises WrongUse."""
    try:
        body = json.loads(raw)
        keys = body["keys"]
        return Trust(
            chain_id=int(body["chainId"]),
            registry=checksum_address(body["registry"]),
            keys=KeySet(int(keys["version"]), int(keys["threshold"]), tuple(map(checksum_address, keys["members"]))),
            witnesses=frozenset(map(checksum_address, body.get("witnesses", ()))),
            threshold=int(body.get("witnessThreshold", 0)),
            blocks=blocks,
            max_age=int(body.get("maxAge", _DAY)),
        )
    except (KeyError, TypeError, ValueError) as fault:
        step = "`gridweave firmware trust` writes it"
        raise WrongUse(f"{file} does not say what a device trusts ({fault!r}); {step}") from fault


def keys_json(keys: KeySet) -> dict[str, Any]:
    """A key set as such a file holds it."""
    return {"version": keys.version, "threshold": keys.threshold, "members": list(keys.members)}
