"""The committed API document: as the service says, and what was once in it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import openapi

Json = dict[str, Any]

OLD: Json = {
    "paths": {
        "/v1/orders": {
            "get": {"parameters": [{"in": "query", "name": "meter"}], "responses": {"200": {}, "404": {}}},
            "post": {"requestBody": {"schema": {"$ref": "#/components/schemas/Order"}}, "responses": {}},
        }
    },
    "components": {
        "schemas": {
            "Order": {"properties": {"id": {}, "slot": {}}, "required": ["id"]},
            "OrderOut": {"properties": {"id": {}, "slot": {}}, "required": ["id"]},
        }
    },
}


def _grow(new: Json) -> None:
    new["paths"]["/v1/bills"] = {"get": {"responses": {}}}
    new["paths"]["/v1/orders"]["get"]["parameters"].append({"in": "query", "name": "slot"})
    new["components"]["schemas"]["Order"]["properties"]["side"] = {}
    new["components"]["schemas"]["OrderOut"]["required"].append("slot")


def _drop_path(new: Json) -> None:
    del new["paths"]["/v1/orders"]["get"]


def _drop_parameter(new: Json) -> None:
    new["paths"]["/v1/orders"]["get"]["parameters"] = []


def _need_parameter(new: Json) -> None:
    new["paths"]["/v1/orders"]["get"]["parameters"].append({"in": "query", "name": "slot", "required": True})


def _drop_answer(new: Json) -> None:
    del new["paths"]["/v1/orders"]["get"]["responses"]["404"]


def _drop_certainty(new: Json) -> None:
    new["components"]["schemas"]["OrderOut"]["required"] = []


def _drop_field(new: Json) -> None:
    del new["components"]["schemas"]["Order"]["properties"]["slot"]


def _need_field(new: Json) -> None:
    new["components"]["schemas"]["Order"]["required"].append("slot")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_drop_path, "GET /v1/orders is gone"),
        (_drop_parameter, "GET /v1/orders: the parameter meter is gone"),
        (_need_parameter, "GET /v1/orders: the parameter slot must be given now"),
        (_drop_answer, "GET /v1/orders: the answer 404 is gone"),
        (_drop_field, "Order: the field slot is gone"),
        (_need_field, "Order: the field slot must be given now"),
        (_drop_certainty, "OrderOut: the field id may be missing now"),
    ],
)
def test_lost__something_a_program_relies_on__is_named(change: Callable[[Json], None], told: str) -> None:
    new = copy.deepcopy(OLD)
    change(new)
    assert openapi.lost(OLD, new) == [told]


def test_lost__where_it_only_grew__is_nothing() -> None:
    new = copy.deepcopy(OLD)
    _grow(new)
    assert openapi.lost(OLD, new) == []


def test_check__of_the_committed_document__finds_nothing() -> None:
    assert openapi.check() == []


def test_paths__of_the_committed_document__carry_a_version() -> None:
    free = {"/healthz", "/readyz", "/metrics"}
    assert [path for path in openapi.current()["paths"] if not path.startswith("/v1/") and path not in free] == []
