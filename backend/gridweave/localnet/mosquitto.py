"""One Mosquitto broker with its dynamic-security plugin: found, set up, started, ended with its supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

from gridweave.disk import replace
from gridweave.localnet.errors import LocalnetError
from gridweave.localnet.parent import die_with_parent

__all__ = ["Mosquitto", "MosquittoMissing", "find_mosquitto"]

_PLUGIN = "mosquitto_dynamic_security.so"
_PLACES = ("/usr/lib", "/usr/local/lib", "/opt/homebrew/lib")
_SBIN = ("/usr/sbin", "/usr/local/sbin")
_STARTS_WITHIN_S = 10.0
_ADMIN = "admin"
_ROUNDS = 101
"""Of a password drawn with 192 bits: nothing is gained by more."""
_COMMANDING = ("publishClientSend", "publishClientReceive", "subscribePattern")


class MosquittoMissing(LocalnetError):
    """There is no broker here."""


def find_mosquitto() -> tuple[Path, Path]:
    """Broker and plugin. Raises MosquittoMissing, which names the next step."""
    broker = shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *_SBIN)))
    plugins = [found for place in _PLACES for found in sorted(Path(place).rglob(_PLUGIN))] if broker else []
    if not (broker and plugins):
        raise MosquittoMissing("Mosquitto with its dynamic-security plugin is not installed: apt-get install mosquitto")
    return Path(broker), plugins[0]


class Mosquitto:
    """A broker whose state lies in `home`: devices come and go by its plugin, whose administrator's password is in
    `password_file`. It listens on 127.0.0.1.

    Mosquitto writes the plugin's file in place: a kill in that instant leaves a part of it, and a broker that knows
    nobody. Such a file is made anew at the start; the service lets in again whoever belongs there.
    """

    user = _ADMIN

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.password_file = home / "admin.password"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns once it answers. Raises MosquittoMissing, LocalnetError."""
        broker, plugin = find_mosquitto()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._set_up(plugin)
        self._process = self._launch(broker)
        async with asyncio.timeout(_STARTS_WITHIN_S):
            while not _answers(self.port):
                if self._process.poll() is not None:
                    raise LocalnetError(f"the broker did not start; see {self.home / 'broker.log'}")
                await asyncio.sleep(0.05)

    @property
    def pid(self) -> int | None:
        """Of its process, once it was started."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether its process has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)

    def _launch(self, broker: Path) -> subprocess.Popen[bytes]:
        with (self.home / "broker.log").open("ab") as log:
            command = [str(broker), "-c", str(self.home / "mosquitto.conf")]
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # who interrupts the supervisor leaves the end of it to that
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - it calls the system alone
            )

    def _set_up(self, plugin: Path) -> None:
        rights = self.home / "dynamic-security.json"
        if not self.password_file.exists():
            replace(self.password_file, secrets.token_urlsafe(24).encode(), 0o600)
        if not _is_whole(rights):
            replace(rights, json.dumps(_rights(self.password_file.read_text())).encode(), 0o600)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"plugin {plugin}",
            f"plugin_opt_config_file {rights}",
            "persistence true",
            f"persistence_location {self.home}/",
            "max_packet_size 1048576",
            "retain_available false",
            *(["user root"] if os.geteuid() == 0 else []),
        ]
        (self.home / "mosquitto.conf").write_text("\n".join(lines) + "\n")


def _is_whole(rights: Path) -> bool:
    """Whether the plugin can read its file."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return isinstance(json.loads(rights.read_text()), dict)
    return False


def _rights(password: str) -> dict[str, Any]:
    """The plugin's file at first: its administrator alone, who may command it, and nothing else for anybody."""
    salt = secrets.token_bytes(12)
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    acls = [{"acltype": kind, "topic": "$CONTROL/dynamic-security/#", "allow": True} for kind in _COMMANDING]
    admin = {
        "username": _ADMIN,
        "password": b64encode(hashed).decode(),
        "salt": b64encode(salt).decode(),
        "iterations": _ROUNDS,
        "roles": [{"rolename": _ADMIN}],
    }
    return {
        "clients": [admin],
        "roles": [{"rolename": _ADMIN, "acls": acls}],
        "defaultACLAccess": dict.fromkeys(("publishClientSend", "publishClientReceive", "subscribe"), False)
        | {"unsubscribe": True},
    }


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False
