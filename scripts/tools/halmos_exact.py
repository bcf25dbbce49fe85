"""halmos, with every branch decided: run by .venv-proofs, with halmos's own arguments.

halmos asks an incremental solver whether a branch can be taken and follows it when there is no answer in time; a loop
in a branch that cannot be taken then never ends. Here an open question goes to yices, divisions written out. A branch
is left out only when the solver says that it cannot be taken.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

import halmos.__main__
import z3
from halmos.sevm import Path, SMTQuery
from halmos.solve import refine

QUICK_CHECK = Path.check
ANSWERS = {"sat": z3.sat, "unsat": z3.unsat}


def check(path: Any, condition: Any) -> Any:
    """Whether `path` can go on where `condition` holds; `unknown` is followed."""
    answer = QUICK_CHECK(path, condition)
    if answer != z3.unknown:
        return answer
    negation = z3.simplify(z3.Not(condition))
    if _solve(path, negation) == z3.unsat:
        return z3.sat  # a path that is followed can go on somewhere
    return _solve(path, condition)


def _solve(path: Any, condition: Any) -> Any:
    asked = path.__dict__.setdefault("asked", {})
    key = (len(path.conditions), condition.get_id())
    if key not in asked:
        asked[key] = (_yices(path, condition), condition)  # the term is kept: its id is its address
    return asked[key][0]


def _yices(path: Any, condition: Any) -> Any:
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    for known in [*path.conditions, condition]:
        solver.add(known.translate(context))
    query = "(set-logic QF_AUFBV)\n" + refine(SMTQuery(solver.to_smt2(), [])).smtlib
    with tempfile.NamedTemporaryFile("w", suffix=".smt2") as file:
        file.write(query)
        file.flush()
        ended = subprocess.run([os.environ["YICES"], file.name], capture_output=True, text=True, check=False)
    return ANSWERS.get(ended.stdout.strip(), z3.unknown)


if __name__ == "__main__":
    Path.check = check
    sys.exit(halmos.__main__.main())
