"""What keeps `up` and `serve` from starting is said before any work is done."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from gridweave.cli import app
from gridweave.cli.serve import NotStarted, bind
from gridweave.localnet import free_port
from gridweave.localnet.anvil import port_refused
from gridweave.services.settings import Settings, SettingsInvalid
from gridweave.services.stores import Stores
from tests.support.process import ServiceProcess
from tests.support.town import founded


def _run(*arguments: str) -> tuple[int, str]:
    """Exit code, and what was said without the frame and the line breaks that a terminal's width makes."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, " ".join((result.output + str(result.stderr or "")).replace("│", " ").split())


def test_bind__a_port_that_another_listens_on__names_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(NotStarted, match=f"port {port} is in use: name another with --port"):
            bind("127.0.0.1", port)


def test_up__a_port_that_another_listens_on__ends_before_a_chain_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = CliRunner().invoke(app, ["up", "--home", str(tmp_path / "up"), "--port", str(other.getsockname()[1])])
    assert result.exit_code == 1
    assert not isinstance(result.exception, ValueError)
    assert not (tmp_path / "up").exists()


def test_up__a_node_port_that_another_listens_on__ends_before_a_chain_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        code, said = _run("up", "--home", str(tmp_path / "up"), "--port", "0", "--rpc-port", taken)
    assert code == 1
    assert f"the node's port {taken} is in use: name another" in said
    assert not (tmp_path / "up" / "chain.json").exists()


def test_up__one_port_for_both__ends_before_a_chain_is_made(tmp_path: Path) -> None:
    port = str(free_port())
    code, said = _run("up", "--home", str(tmp_path / "up"), "--port", port, "--rpc-port", port)
    assert code == 1
    assert "name two with --port and --rpc-port" in said
    assert not (tmp_path / "up").exists()


def test_port_refused__one_that_is_not_for_this_user__says_which_are() -> None:
    fault = port_refused(22, OSError(errno.EACCES, "Permission denied"))
    assert "port 22 may not be used by this user: name one from 1024 up" in str(fault)


def test_up__a_variable_that_names_no_database__ends_before_a_chain_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRIDWEAVE_OUTBOX_URL", "postgres//x")
    code, said = _run("up", "--home", str(tmp_path / "up"))
    assert code == 1
    assert "GRIDWEAVE_OUTBOX_URL" in said
    assert not (tmp_path / "up").exists()


@pytest.mark.parametrize("command", ["up", "serve"])
def test_start__a_port_beyond_65535__is_wrong_use_of_the_option(command: str) -> None:
    code, said = _run(command, "--port", "80000")
    assert code == 2
    assert "--port" in said


def test_up__a_home_that_is_a_file__says_so(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("text")
    code, said = _run("up", "--home", str(file))
    assert code == 2
    assert "is a file" in said


@pytest.mark.chain
async def test_serve__an_outbox_that_a_service_works_with__says_what_to_change(tmp_path: Path) -> None:
    """A keeper may not work with it either, under whatever name its folder goes."""
    async with founded(tmp_path / "chain", homes=0) as town:
        with ServiceProcess(town, tmp_path) as service:
            await service.start()
            (tmp_path / "alias").symlink_to(tmp_path / "service")
            record = str(town.chain.home.deployment_file)
            for command in (("serve", "--port", "0"), ("keep", "--data-dir", str(tmp_path / "alias"), "--once")):
                ended = await service.run(*command, "--deployment", record)
                said = " ".join((ended.stderr + ended.stdout).replace("│", " ").split())
                assert ended.returncode == 1, said
                assert "another service or keeper works with" in said
                assert "--data-dir" in said
            async with httpx.AsyncClient(trust_env=False) as http:
                assert (await http.get(f"{service.url}/readyz")).status_code == 200


@pytest.mark.chain
async def test_index_rebuild__while_a_service_works_there__is_refused_and_leaves_it_ready(tmp_path: Path) -> None:
    """Rows that vanish under a service stop it from following the chain. Another folder does no harm."""
    async with founded(tmp_path / "chain", homes=0) as town:
        with ServiceProcess(town, tmp_path) as service:
            await service.start()
            rebuild = ("index", "rebuild", "--deployment", str(town.chain.home.deployment_file))
            refused = await service.run(*rebuild)
            assert refused.returncode == 1, refused.stdout
            assert "stop it first" in " ".join(refused.stderr.split())
            digest = await service.run("index", "digest")
            assert digest.returncode == 0, digest.stderr
            elsewhere = await service.run(*rebuild, data_dir=tmp_path / "anew")
            assert elsewhere.returncode == 0, elsewhere.stderr
            async with httpx.AsyncClient(trust_env=False) as http:
                assert (await http.get(f"{service.url}/readyz")).status_code == 200


async def test_keep__a_folder_that_cannot_be_made__names_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="name another folder with --data-dir"):
        await Stores.open(Settings.from_env({}, data_dir=tmp_path / "file" / "keeper"))


def test_serve__no_deployment_record__names_the_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    monkeypatch.setattr("gridweave.cli.serve.fail", lambda name, message, code: said.append(message))
    CliRunner().invoke(app, ["serve"])
    assert said
    assert "--deployment" in said[0]
