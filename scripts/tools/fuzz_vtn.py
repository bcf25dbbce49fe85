"""Fuzz the VTN of a running service, as business logic and as a VEN: by its own document and by the specification's.

fuzz_vtn.py                 all passes, about two minutes
fuzz_vtn.py --examples 100  more cases a route
fuzz_vtn.py --seed 7        others

No 500, no status and no answer that the document does not name. Needs `make fuzzer` once.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from fuzz import CHECKS, came_to_harm, chosen
from layout import FUZZ_BIN, ROOT, tool_environment

sys.path.append(str(ROOT))  # the town is that of tests/support

from tests.support.process import ServiceProcess
from tests.support.specification import specification
from tests.support.town import founded

BASE = "/openadr3/3.1.0"
Json = dict[str, Any]


def main() -> int:
    """Entry point of the command line: 0 when nothing was found."""
    return asyncio.run(_fuzz(*chosen(__doc__ or "", "cases a route and pass")))


async def _fuzz(seed: int, examples: int) -> int:
    """The worst status of the passes; also 1 if the service came to harm."""
    with tempfile.TemporaryDirectory(prefix="gridweave-fuzz-") as name:
        folder = Path(name)
        settings = {"rate_limit_per_s": 0, "read_limit_per_s": 0, "vtn_webhook_echo": False}
        async with founded(folder / "chain", homes=1) as town:
            with ServiceProcess(town, folder, **settings) as service:
                await service.start()
                url = service.url + BASE
                tokens = {role: await _token(service, role) for role in ("bl", "ven")}
                facts = folder / "facts.json"
                facts.write_text(json.dumps({"values": await _staged(url, tokens)}))
                documents = {"its own": folder / "own.json", "the specification's": folder / "specification.json"}
                async with httpx.AsyncClient(trust_env=False) as http:
                    documents["its own"].write_text((await http.get(f"{url}/openapi.json")).text)
                documents["the specification's"].write_text(json.dumps(specification(), default=str))
                statuses = []
                for role, token in tokens.items():
                    for title, document in documents.items():
                        print(f"\n{role} by {title} document:", flush=True)
                        options = [f"--seed={seed}", f"--max-examples={examples}", "--mode=all"]
                        statuses.append(await _pass(document, url, token, options, facts))
                return max([*statuses, came_to_harm(service)])


async def _token(service: ServiceProcess, role: str) -> str:
    added = json.loads((await service.run("vtn", "client", "add", role, "--role", role, "--json")).stdout)
    await asyncio.sleep(1.1)  # a running service looks for new clients once a second
    async with httpx.AsyncClient(trust_env=False) as http:
        form = {"grant_type": "client_credentials"}
        answer = await http.post(f"{service.url}{BASE}/auth/token", data=form, auth=(role, added["clientSecret"]))
        return str(answer.raise_for_status().json()["access_token"])


async def _staged(url: str, tokens: dict[str, str]) -> dict[str, list[str]]:
    """Real ids, names and targets by the parameters and fields that take them."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:

        async def made(role: str, path: str, body: Json) -> str:
            headers = {"Authorization": f"Bearer {tokens[role]}"}
            return str((await http.post(path, json=body, headers=headers)).raise_for_status().json()["id"])

        programs = [await made("bl", "/programs", {"programName": f"program {n}"}) for n in range(3)]
        events = [await made("bl", "/events", {"programID": id_, "targets": ["north"]}) for id_ in programs]
        ven = {"objectType": "BL_VEN_REQUEST", "clientID": "ven", "venName": "house", "targets": ["north"]}
        vens = [await made("bl", "/vens", ven)]
        pump = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "pump", "venID": vens[0]}
        report = {"clientName": "house", "resources": []}
        wish = {"clientName": "house", "objectOperations": []}
        return {
            "programID": programs,
            "eventID": events,
            "venID": vens,
            "resourceID": [await made("ven", "/resources", pump)],
            "reportID": [await made("ven", "/reports", report | {"eventID": events[0]})],
            "subscriptionID": [await made("ven", "/subscriptions", wish)],
            "clientID": ["ven"],
        }


async def _pass(document: Path, url: str, token: str, options: list[str], facts: Path) -> int:
    command = [str(FUZZ_BIN / "schemathesis"), "run", str(document), f"--url={url}", *options]
    command += [f"--header=Authorization: Bearer {token}", f"--checks={','.join(CHECKS)}", "--phases=examples,fuzzing"]
    command += ["--generation-database=none", "--request-timeout=20", "--warnings=off"]
    environment = tool_environment() | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(Path(__file__).parent / "fuzzing"),
        "GRIDWEAVE_FUZZ_FACTS": str(facts),
    }
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=facts.parent, stdin=subprocess.DEVNULL
    )
    return await process.wait()


if __name__ == "__main__":
    sys.exit(main())
