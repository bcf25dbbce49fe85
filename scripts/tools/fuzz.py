"""Fuzz a running service by its OpenAPI document: no 500, no undeclared status, no answer of another shape.

fuzz.py                 both passes, about two minutes
fuzz.py --examples 200  more cases a route
fuzz.py --seed 7        others

The first pass posts what the document allows, part of it real: ids of a town that has traded, and signed bodies. The
second posts also what the document forbids, which must be refused. Needs `make fuzzer` once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import httpx

from layout import FUZZ_BIN, ROOT, tool_environment

sys.path.append(str(ROOT))  # the town is that of tests/support

from fuzzing.scene import live
from tests.support.load import mine_steadily
from tests.support.process import ServiceProcess
from tests.support.town import founded

DEFAULT_SEED = 20_160_621
PASSES = {
    "what the document allows": ("positive", "examples,fuzzing,stateful", ()),
    "what it forbids": (
        "all",
        "coverage",
        ("negative_data_rejection", "unsupported_method", "allow_header_conformance"),
    ),
}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
ANSWERED = re.compile(r'^gridweave_requests_total{method="(\w+)",route="([^"]+)",status="(\d+)"} (\S+)$', re.MULTILINE)
ENDLESS = "/v1/events"
"""A stream, which no fuzzer reads to its end; tests of its own refuse and follow it."""


def main() -> int:
    """Entry point of the command line: 0 when nothing was found."""
    return asyncio.run(_fuzz(*chosen(__doc__ or "", "cases a route in the first pass")))


def chosen(doc: str, of_examples: str) -> tuple[int, int]:
    """Seed and examples of the command line. Ends the program where there is no fuzzer."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("GRIDWEAVE_SEED", DEFAULT_SEED)))
    parser.add_argument("--examples", type=int, default=20, help=of_examples)
    arguments = parser.parse_args()
    if not (FUZZ_BIN / "schemathesis").exists():
        raise SystemExit("the fuzzer is not installed: run `make fuzzer`")
    print(f"seed {arguments.seed}", flush=True)
    return arguments.seed, arguments.examples


def came_to_harm(service: ServiceProcess) -> int:
    """1 if the service says so, and what it says."""
    faults = [line for line in service.words(10**8).splitlines() if '"event": "fault"' in line]
    print("\n".join(faults[:5]))
    return 1 if faults else 0


async def _fuzz(seed: int, examples: int) -> int:
    """The worst status of the passes; also 1 if the service came to harm."""
    with tempfile.TemporaryDirectory(prefix="gridweave-fuzz-") as name:
        folder = Path(name)
        async with founded(folder / "chain") as town:
            limits = {"rate_limit_per_s": 0, "read_limit_per_s": 0, "finality_depth": 3}
            with ServiceProcess(town, folder, **limits) as service:
                await service.start()
                mining = asyncio.create_task(mine_steadily(town))
                try:
                    facts = folder / "facts.json"
                    facts.write_text(json.dumps(await live(town, service)))
                    statuses = [await _pass(title, service.url, seed, examples, facts) for title in PASSES]
                finally:
                    mining.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await mining
                return max([*statuses, came_to_harm(service), await _reached(service.url)])


async def _reached(url: str) -> int:
    """1 if a route never had anything to say but no: then the fuzzer has not looked behind it."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        text, document = (await http.get("/metrics")).text, (await http.get("/openapi.json")).json()
    answers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for method, route, status, count in ANSWERED.findall(text):
        answers[method, route.removeprefix("/v1")][status] += int(float(count))
    routes = [(method.upper(), path) for path, item in document["paths"].items() for method in item if path != ENDLESS]
    print("\nanswers by route:")
    for method, route in routes:
        told = "  ".join(
            f"{status}: {count}" for status, count in sorted(answers[method, route.removeprefix("/v1")].items())
        )
        print(f"  {method:<5}{route:<44}{told}")
    closed = [
        f"{method} {route}" for method, route in routes if not _opened(answers[method, route.removeprefix("/v1")])
    ]
    print(f"never answered with 2xx: {', '.join(closed)}" if closed else "every route was reached")
    return 1 if closed else 0


def _opened(answers: Counter[str]) -> bool:
    return any(status.startswith("2") for status in answers)


async def _pass(title: str, url: str, seed: int, examples: int, facts: Path) -> int:
    mode, phases, more = PASSES[title]
    print(f"\n{title}:", flush=True)
    command = [FUZZ_BIN / "schemathesis", "run", f"{url}/openapi.json", f"--mode={mode}", f"--phases={phases}"]
    command += [f"--seed={seed}", f"--max-examples={examples}", f"--checks={','.join([*CHECKS, *more])}"]
    command += [f"--exclude-path={ENDLESS}", "--generation-database=none", "--request-timeout=20", "--warnings=off"]
    environment = {
        **tool_environment(),
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(Path(__file__).parent / "fuzzing"),
    }
    if mode == "positive":
        environment["GRIDWEAVE_FUZZ_FACTS"] = str(facts)
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env=environment, cwd=facts.parent, stdin=subprocess.DEVNULL
    )
    return await process.wait()


if __name__ == "__main__":
    sys.exit(main())
