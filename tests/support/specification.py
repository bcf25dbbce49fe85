"""The OpenAPI document of OpenADR 3.1.0 as published, corrected where it contradicts itself or its Definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

__all__ = ["specification"]

FILE = Path(__file__).parent / "openadr" / "openadr3-3.1.0.yaml"
Json = dict[str, Any]


def specification() -> Json:
    """The document; every call gives a fresh one."""
    document: Json = yaml.safe_load(FILE.read_text())
    schemas, paths = document["components"]["schemas"], document["paths"]
    for shown, asked in (("ven", "BlVenRequest"), ("resource", "BlResourceRequest")):
        # objectType would have to be VEN and BL_VEN_REQUEST at once; the Definition says the first
        request = schemas[asked]
        said = {
            "type": "object",
            "required": [name for name in request["required"] if name != "objectType"],
            "properties": {name: each for name, each in request["properties"].items() if name != "objectType"},
        }
        schemas[shown] = {"allOf": [{"$ref": "#/components/schemas/objectMetadata"}, said]}
    # a venName that is taken is a 409 (Definition, Response Codes), and whoever has no token a 401 everywhere
    paths["/vens"]["post"]["responses"]["409"] = {"$ref": "#/components/responses/conflict"}
    paths["/programs/{programID}"]["put"]["responses"]["401"] = {"$ref": "#/components/responses/unauthorized"}
    # a service that is protected by limits may say so; "servers may implement other response codes"
    for item in paths.values():
        for method, operation in item.items():
            if method != "parameters":
                operation["responses"]["429"] = {"$ref": "#/components/responses/badRequest"}
    document["servers"] = []
    return document
