"""Gridweave: contracts that let strangers trade power, and the service that bridges people and devices to them."""

__all__ = ["API_VERSIONS"]

API_VERSIONS = ("v1",)
"""Versions of the REST API that this program speaks, the newest last."""
