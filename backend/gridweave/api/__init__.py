"""FastAPI routes, schemas, authentication and error mapping."""

from gridweave.api.app import create_app

__all__ = ["create_app"]
