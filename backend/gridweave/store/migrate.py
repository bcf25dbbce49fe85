"""Runs the migrations of one database within a transaction that the caller holds."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["script_location", "upgrade"]


def script_location(kind: str) -> Path:
    """The folder that holds a database's `env.py` and `versions`."""
    return Path(__file__).parent / "migrations" / kind


def upgrade(connection: Connection, kind: str, revision: str = "head") -> None:
    """Applies every migration up to `revision` on `connection`. `kind` is "outbox" or "index"."""
    config = Config()
    config.set_main_option("script_location", str(script_location(kind)).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
