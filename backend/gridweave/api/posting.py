"""The door of signed requests: what FastAPI would do for one JSON body, without what it does for everything else.

The route stays FastAPI's: it is matched, documented and has its errors told as every other.
"""

from __future__ import annotations

from functools import cached_property
from typing import get_type_hints

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send

from gridweave.api.depends import world_of

__all__ = ["SignedRoute"]


class SignedRoute(APIRoute):
    """A POST's endpoint takes `request`, `world` and `body`, whose type reads the JSON, and returns its Response."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or "POST" not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        body = self._read(await request.body())
        answer = await self.endpoint(request=request, world=world_of(request), body=body)
        await answer(scope, receive, send)

    @cached_property
    def _model(self) -> type[BaseModel]:
        model: type[BaseModel] = get_type_hints(self.endpoint)["body"]
        return model

    def _read(self, text: bytes) -> BaseModel:
        """Raises RequestValidationError."""
        try:
            return self._model.model_validate_json(text)
        except ValidationError as fault:
            problems = [
                problem | {"loc": ("body", *problem["loc"])}
                for problem in fault.errors(include_url=False, include_input=False)
            ]
            raise RequestValidationError(problems) from fault
