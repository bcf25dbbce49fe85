"""Holds every answer that a test gets against what the OpenAPI document promises of it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator


class Promised:
    """The promises of one OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = [(_pattern(path), item) for path, item in document["paths"].items()]
        self._validator = cache(self._make_validator)

    async def check(self, response: httpx.Response) -> None:
        """Fails for a status, a media type or a body that the document does not name. A hook of httpx."""
        request = response.request
        item = next((item for pattern, item in self._paths if pattern.fullmatch(request.url.path)), None)
        operation = (item or {}).get(request.method.lower())
        if operation is None:
            return
        what = f"{request.method} {request.url.path} answered {response.status_code}"
        declared = operation["responses"].get(str(response.status_code))
        assert declared is not None, f"{what}, which the document does not name"
        media = response.headers.get("content-type", "").split(";")[0]
        assert media in declared.get("content", {}), f"{what} with {media}"
        for name, header in declared.get("headers", {}).items():
            assert name in response.headers or not header.get("required"), f"{what} without {name}"
        if media == "application/json":
            await response.aread()
            fault = next(
                self._validator(str(operation["operationId"]), str(response.status_code)).iter_errors(response.json()),
                None,
            )
            assert fault is None, f"{what}: {fault}"

    def _make_validator(self, operation_id: str, status: str) -> Draft202012Validator:
        operations = (op for _, item in self._paths for op in item.values() if op["operationId"] == operation_id)
        schema = next(operations)["responses"][status]["content"]["application/json"]["schema"]
        return Draft202012Validator(schema | {"components": self.document["components"]})


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(path)))
