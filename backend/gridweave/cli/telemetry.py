"""`gridweave telemetry`: streams of readings, for their owners, for parties, and for whoever checks a proof."""

from __future__ import annotations

import typer

from gridweave.cli.telemetry_owner import begin_epoch, erase, gateway_keys, open_stream
from gridweave.cli.telemetry_prove import prove, prove_range
from gridweave.cli.telemetry_read import read, readings, rebuild
from gridweave.cli.telemetry_share import grant, party_key
from gridweave.cli.telemetry_verify import verify

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the commands to `app`."""
    group = typer.Typer(
        help="Open streams, read, prove, share and erase what devices measure. Keys stay in your key file: "
        "whoever else shall read is given a grant.",
        no_args_is_help=True,
    )
    group.command("open-stream")(open_stream)
    group.command("epoch")(begin_epoch)
    group.command("gateway-keys")(gateway_keys)
    group.command("read")(read)
    group.command("readings")(readings)
    group.command("rebuild")(rebuild)
    group.command("prove")(prove)
    group.command("prove-range")(prove_range)
    group.command("verify")(verify)
    group.command("party-key")(party_key)
    group.command("grant")(grant)
    group.command("erase")(erase)
    app.add_typer(group, name="telemetry")
