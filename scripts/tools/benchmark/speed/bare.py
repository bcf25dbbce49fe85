"""A FastAPI application that does nothing, served as the service is: what a POST costs before anything is done for it.

python -m benchmark.speed.bare PORT
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

app = FastAPI()

EVENTS: list[dict[str, Any]] = [
    {
        "id": f"event-{number}",
        "createdDateTime": "2026-11-28T12:00:00.000Z",
        "modificationDateTime": "2026-11-28T12:00:00.000Z",
        "objectType": "EVENT",
        "programID": "program",
        "intervalPeriod": {"start": "2099-11-28T12:00:00Z", "duration": "PT15M"},
        "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT_RELATIVE", "values": [-12.5]}]}],
        "targets": ["feeder-7"],
    }
    for number in range(5)
]


@app.post("/v1/orders", status_code=202)
async def post_orders(body: dict[str, Any]) -> dict[str, Any]:
    """How many orders came."""
    return {"items": len(body["orders"])}


@app.get("/events")
async def get_events() -> list[dict[str, Any]]:
    """As many events as a VEN is shown in the benchmark of the VTN."""
    return EVENTS


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False)
