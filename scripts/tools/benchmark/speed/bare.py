"""A FastAPI application that does nothing, served as the service is: what a POST costs before anything is done for it.

python -m benchmark.speed.bare PORT
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.post("/v1/orders", status_code=202)
async def post_orders(body: dict[str, Any]) -> dict[str, Any]:
    """How many orders came."""
    return {"items": len(body["orders"])}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False)
