"""Things done at once, or one alone, inside of a loop that goes on after every fault: told to end, they end.

Python 3.11 loses cancellations. Of one and a fault at the same time a TaskGroup tells the fault alone; one that meets
the result which `wait_for` waits for is forgotten, and whoever is to end waits on for the next message. Here what was
cancelled is cancelled again until it has ended, and the caller's own cancellation is never lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

__all__ = ["together"]

_AGAIN_S = 0.5


async def together(*works: Coroutine[object, object, None]) -> None:
    """Runs all of them until each has ended or one has failed; its exception is raised once the others are ended."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await _end(tasks)
    faults = [task.exception() for task in done if not task.cancelled()]
    for fault in faults:
        if fault is not None:
            raise fault


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_AGAIN_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # of two faults the first is told
