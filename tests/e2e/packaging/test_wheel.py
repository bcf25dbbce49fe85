"""The wheel in an empty environment with nothing but anvil beside it: what somebody without the clone has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from gridweave.localnet import free_port
from gridweave.localnet.anvil import find_anvil

ROOT = Path(__file__).resolve().parents[3]
WITHIN = 90.0

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """What a command prints; it must end well."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words[-3:])}: {done.stdout[-1_500:]}{done.stderr[-1_500:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the hashed runtime lock and the wheel; its folder of programs."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, ROOT / "scripts/tools/wheel.py", "--wheel")
    wheel = ROOT / built.split()[0]
    run(sys.executable, "-m", "venv", folder / "venv")
    pip = folder / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"
    run(*pip, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements/build.txt")
    hashed = "--require-hashes", "--no-build-isolation", "--prefer-binary"
    run(*pip, *hashed, "-r", ROOT / "requirements/runtime.txt")
    run(*pip, "--no-deps", "--no-index", wheel)
    return folder / "venv" / "bin"


@pytest.fixture
def bare(installed: Path, tmp_path: Path) -> dict[str, str]:
    """An environment with an empty home, and programs from the wheel's environment and the system alone."""
    (tmp_path / "home").mkdir()
    return {"PATH": os.pathsep.join((str(installed), "/usr/bin", "/bin")), "HOME": str(tmp_path / "home")}


def test_version__of_the_wheel__says_which_api_it_speaks(installed: Path, bare: dict[str, str], tmp_path: Path) -> None:
    told = run(installed / "gridweave", "--version", cwd=tmp_path, environment=bare)
    assert told.startswith("gridweave ")
    assert "API v1" in told
    assert "audit" in run(installed / "gridweave", "--help", cwd=tmp_path, environment=bare)


def test_demo_data__in_the_wheel__is_whole(installed: Path, bare: dict[str, str], tmp_path: Path) -> None:
    ask = "from importlib.resources import files; import gridweave, hashlib; d = files('gridweave.demo.data');"
    ask += "print(gridweave.__file__); print(hashlib.sha256(d.joinpath('street.json').read_bytes()).hexdigest());"
    ask += "print(d.joinpath('street.json.sha256').read_text())"
    where, found, wanted = run(installed / "python", "-c", ask, cwd=tmp_path, environment=bare).split()[:3]
    assert str(installed.parent) in where
    assert found == wanted


def test_up__without_anvil__names_the_next_step(installed: Path, bare: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "gridweave", "up", "--home", "up", "--port", "0"],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "npm install @foundry-rs/anvil" in done.stderr


async def test_up__from_the_wheel__serves_and_ends(installed: Path, bare: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    environment = bare | {"GRIDWEAVE_ANVIL": str(find_anvil())}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            [installed / "gridweave", "up", "--home", "up", "--port", str(port)],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            async with asyncio.timeout(WITHIN):
                while True:
                    assert process.poll() is None, (tmp_path / "log").read_text()
                    with contextlib.suppress(httpx.TransportError):
                        if (await http.get("/readyz")).status_code == 200:
                            break
                    await asyncio.sleep(0.1)
            version = (await http.get("/v1/version")).json()
            assert version["api"] == ["v1"]
            assert f"gridweave {version['gridweave']}" in run(
                installed / "gridweave", "--version", cwd=tmp_path, environment=bare
            )
            assert "Gridweave" in (await http.get("/operations")).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
