"""Hooks of schemathesis, in its own environment: part of the time a real id, slot or signed body, or one changed a bit.

Read from the file that GRIDWEAVE_FUZZ_FACTS names; without it nothing is changed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

FILE = os.environ.get("GRIDWEAVE_FUZZ_FACTS")
FACTS: dict[str, Any] = json.loads(Path(FILE).read_text()) if FILE else {}
VALUES: dict[str, list[Any]] = FACTS.get("values", {})
BODIES: dict[str, list[Any]] = FACTS.get("bodies", {})


def _mixed(generated: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Each known name as it came or, three times in four, with a real value."""
    return st.fixed_dictionaries(
        {
            name: st.one_of(*[st.sampled_from(VALUES[name])] * 3, st.just(value)) if name in VALUES else st.just(value)
            for name, value in generated.items()
        }
    )


def _bodies(route: str, generated: Any) -> st.SearchStrategy[Any]:
    """As it came, a real one, or a real one in which one field is as it came."""
    if not isinstance(generated, dict) or route not in BODIES:
        return st.just(generated)
    real = st.sampled_from(BODIES[route])
    if not generated:
        return real
    changed = st.builds(lambda body, name: {**body, name: generated[name]}, real, st.sampled_from(sorted(generated)))
    return st.one_of(st.just(generated), real, real, changed)


if FACTS:

    @schemathesis.hook
    def flatmap_path_parameters(context: Any, path_parameters: Any) -> Any:
        del context
        return _mixed(path_parameters or {})

    @schemathesis.hook
    def flatmap_query(context: Any, query: Any) -> Any:
        del context
        return _mixed(query or {})

    @schemathesis.hook
    def flatmap_body(context: Any, body: Any) -> Any:
        return _bodies(f"{context.operation.method.upper()} {context.operation.path}", body)
