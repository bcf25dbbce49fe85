"""Posts what must be taken, and waits for the chain."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from tests.support.acts import Posted
from tests.support.process import until

__all__ = ["take"]


async def take(http: httpx.AsyncClient, posted: Iterable[Posted]) -> None:
    """Posts each until it is taken, and waits until the chain has it."""
    for each in posted:

        async def taken(each: Posted = each) -> str:
            answer = await http.post(each.path, json=each.body)
            body = answer.json()
            return str(body.get("items", [body])[0]["id"]) if answer.status_code == 202 else ""

        id_ = await until(taken)

        async def on_chain(id_: str = id_) -> bool:
            return bool((await http.get(f"/requests/{id_}")).json()["status"] != "accepted")

        await until(on_chain)
