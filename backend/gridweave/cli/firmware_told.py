"""Firmware as tables for people, or as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridweave.cli.terminal import at_time, emit, out, table
from gridweave.client.firmware_life import Gathering
from gridweave.domain.firmware.messages import ModelOpening
from gridweave.domain.firmware.proposals import act_json, name_of

__all__ = [
    "show_act",
    "show_device",
    "show_devices",
    "show_eligibility",
    "show_models",
    "show_proposals",
    "show_receipts",
    "show_release",
    "show_releases",
    "told_json",
]

Json = dict[str, Any]
_FOREVER = 2**39
_HIDDEN = ("nonce", "deadline")


def show_models(models: Sequence[Json], as_json: bool) -> None:
    """Models, a line each."""
    if as_json:
        emit(models)
        return
    columns = [("model", "right"), ("maker", "left"), ("keys", "left"), *_right("latest", "full", "floor")]
    rows = [
        (
            str(each["model"]),
            each["maker"],
            f"{each['keys']['threshold']} of {len(each['keys']['members'])}",
            *(str(each[name] or "-") for name in ("latest", "full", "floor")),
        )
        for each in models
    ]
    out.print(table("models", columns, rows))


def show_releases(model: int, releases: Sequence[Json], as_json: bool) -> None:
    """Releases of a model, a line each."""
    if as_json:
        emit(releases)
        return
    columns = [*_right("counter"), ("state", "left"), *_right("share", "step", "told", "failed", "limit", "floor")]
    rows = [
        (
            str(each["counter"]),
            _state(each),
            _percent(each["shareBp"]),
            str(each["step"]),
            str(each["told"]),
            "-" if each["failureBp"] is None else f"{each['failures']} ({_percent(each['failureBp'])})",
            f"{_percent(each['failureLimitBp'])} of {each['leastReceipts']}+",
            str(each["floor"] or "-"),
            each["source"],
        )
        for each in releases
    ]
    out.print(table(f"releases of model {model}", [*columns, ("source", "left")], rows))


def show_release(found: Json, as_json: bool) -> None:
    """A release, then its steps."""
    if as_json:
        emit(found)
        return
    said = [
        ("state", _state(found)),
        ("share", _percent(found["shareBp"])),
        ("told in this step", str(found["told"])),
        ("failed of them", str(found["failures"])),
        ("stops itself", f"above {_percent(found['failureLimitBp'])} of {found['leastReceipts']} or more"),
        ("floor", str(found["floor"])),
        ("image", f"{found['imageSize']:,} bytes, {found['imageHash']}"),
        ("manifest", found["manifestHash"]),
        ("source", found["source"]),
        ("transaction", f"{found['transaction']} in block {found['block']}"),
    ]
    out.print(table(f"release {found['counter']} of model {found['model']}", [("", "left"), ("", "left")], said))
    columns = [*_right("step"), ("state", "left"), *_right("share", "told", "failed", "block"), ("by", "left")]
    rows = [
        (
            str(step["step"]),
            step["state"],
            "-" if step["shareBp"] is None else _percent(step["shareBp"]),
            str(step["told"]),
            str(step["failures"]),
            str(step["block"]),
            "its failures" if step["byFailures"] else step["by"] or "the threshold",
        )
        for step in found["steps"]
    ]
    if rows:
        out.print(table("its rollout", columns, rows))
    for each in found["revocations"]:
        out.print(f"revoked since block {each['sinceBlock']}, in block {each['block']}", highlight=False)


def show_proposals(found: Sequence[Gathering], as_json: bool) -> None:
    """What waits for keys, a line each."""
    if as_json:
        emit([told_json(each) for each in found])
        return
    columns = [("id", "left"), ("act", "left"), *_right("model", "counter"), ("approved", "left"), ("status", "left")]
    rows = [
        (
            each.id,
            name_of(each.act),
            str(each.act.model),
            str(getattr(each.act, "counter", "-")),
            " and ".join(f"{len(need.approved)} of {need.least}" for need in each.needs),
            each.status,
        )
        for each in found
    ]
    out.print(table("proposals", columns, rows))


def show_act(found: Gathering) -> None:
    """All that is signed, and who has signed it."""
    shown = [(name, _text(name, value)) for name, value in act_json(found.act).items() if name not in _HIDDEN]
    deadline = found.act.deadline
    shown.append(("until", "for ever" if deadline > _FOREVER else at_time(deadline)))
    title = f"{name_of(found.act)} of model {found.act.model}: {found.status}"
    out.print(table(title, [("", "left"), ("", "left")], shown))
    for need in found.needs:
        keys = "its own keys" if isinstance(found.act, ModelOpening) else f"keys of version {need.version}"
        out.print(f"  {keys}: [bold]{len(need.approved)} of {need.least}[/] have approved", highlight=False)
        for member in need.missing:
            out.print(f"    not yet {member}", highlight=False)


def told_json(found: Gathering) -> Json:
    """{id, act, model, status, body, needs}."""
    needs = [
        {
            "version": need.version,
            "least": need.least,
            "approved": list(need.approved),
            "missing": list(need.missing),
        }
        for need in found.needs
    ]
    what = {"id": found.id, "act": name_of(found.act), "model": found.act.model, "status": found.status}
    return what | {"body": act_json(found.act), "needs": needs}


def show_device(found: Json, as_json: bool) -> None:
    """What a device runs and should run, then what it may install."""
    if as_json:
        emit(found)
        return
    runs = f"{found['running']}, since block {found['runningSince']}" if found["running"] else "nothing that it told of"
    last = f"{found['told']}, {_outcome(found['failureCode'])}" if found["told"] else "nothing"
    said = [
        ("model", str(found["model"])),
        ("status", found["status"]),
        ("told last", last),
        ("runs", runs + (": below the floor, not to be trusted" if found["isBelowFloor"] else "")),
        ("should run", str(found["shouldRun"] or "nothing yet")),
    ]
    out.print(table(f"firmware of {found['device']}", [("", "left"), ("", "left")], said))
    columns = [*_right("counter"), ("state", "left"), *_right("share", "position"), ("may install", "left")]
    rows = [
        (
            str(each["counter"]),
            each["state"],
            _percent(each["shareBp"]),
            str(each["position"]),
            each["refusal"] or "yes",
        )
        for each in found["releases"]
    ]
    out.print(table("releases", columns, rows))


def show_devices(model: int, found: Sequence[Json], as_json: bool) -> None:
    """Devices and what they run, a line each."""
    if as_json:
        emit(found)
        return
    columns = [("device", "left"), *_right("runs", "since block")]
    rows = [(each["device"], str(each["running"]), str(each["block"])) for each in found]
    out.print(table(f"devices of model {model}", columns, rows))


def show_eligibility(found: Json, as_json: bool) -> None:
    """Whether a device may install a release, and why not."""
    if as_json:
        emit(found)
        return
    side = "in" if found["isInRamp"] else "outside"
    out.print(
        f"position {found['position']} of 10,000, {side} the ramp of {found['shareBp']}; {found['state']}",
        highlight=False,
    )
    out.print("may install it" if found["isAllowed"] else f"must not install it: [bold]{found['refusal']}[/]")


def show_receipts(found: Sequence[Json], as_json: bool) -> None:
    """Receipts, a line each."""
    if as_json:
        emit(found)
        return
    columns = [("device", "left"), ("outcome", "left"), ("its clock", "left"), *_right("block")]
    rows = [
        (each["device"], _outcome(each["failureCode"]), at_time(each["time"]), str(each["block"])) for each in found
    ]
    out.print(table("receipts", columns, rows))


def _outcome(code: int) -> str:
    return "runs" if code == 0 else f"failed with {code}"


def _state(found: Json) -> str:
    return f"paused ({found['resumesTo']})" if found["state"] == "paused" else str(found["state"])


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}%" if rest else f"{whole}%"


def _text(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value} of 10,000 ({_percent(value)})" if name.endswith("Bp") else str(value)


def _right(*names: str) -> list[tuple[str, str]]:
    return [(name, "right") for name in names]
