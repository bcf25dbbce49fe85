"""A gateway as a process of its own, which can be killed at any instant and started again, and its broker."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import aiomqtt

from gridweave.bridge.dynsec import ANSWERS, Dynsec
from gridweave.localnet import free_port
from gridweave.localnet.mosquitto import Mosquitto

_RUN = "import sys; from gridweave.cli import main; main(sys.argv[1:])"
PASSWORD = "the gateway's own"


class Broker(Mosquitto):
    """A broker that the tests let devices and the gateway into, as the service does."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, free_port())

    async def admit(self, *devices: str) -> None:
        """The gateway, and devices whose password is their own id."""
        password = self.password_file.read_text().strip()
        async with aiomqtt.Client("127.0.0.1", self.port, username=self.user, password=password) as client:
            dynsec = Dynsec(client)
            await client.subscribe(ANSWERS, qos=1)
            listening = asyncio.create_task(_listen(client, dynsec))
            try:
                await dynsec.let_gateway_in(PASSWORD)
                for device in devices:
                    await dynsec.let_in(device, device)
            finally:
                listening.cancel()


async def _listen(client: aiomqtt.Client, dynsec: Dynsec) -> None:
    async for message in client.messages:
        dynsec.hear(bytes(message.payload))


class GatewayProcess:
    """`gridweave gateway run` with settings in `folder`, where its spool and keys lie too."""

    def __init__(self, folder: Path, service: str, *, broker: Broker | None = None, http_port: int = 0) -> None:
        self.folder = folder
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gateway.password").write_text(PASSWORD)
        lines = [f'service = "{service}"', 'folder = "spool"', 'keys = "keys"', "refresh_s = 0.2"]
        if broker:
            lines += [
                'setpoints = "setpoints"',
                "[mqtt]",
                'host = "127.0.0.1"',
                f"port = {broker.port}",
                'password_file = "gateway.password"',
            ]
        if http_port:
            lines += ["[http]", f"port = {http_port}"]
        lines += ["[sealing]", "readings = 40", "seconds = 0.5", "poll_s = 0.05", "final_s = 0.3", "ask_again_s = 0.3"]
        lines += ["longest_pause_s = 0.5"]
        (folder / "gateway.toml").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self.starts += 1
        with (self.folder / "gateway.log").open("ab") as log:
            command = [sys.executable, "-c", _RUN, "gateway", "run", "--config", str(self.folder / "gateway.toml")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def must_run(self) -> None:
        """Fails with the end of its log when it has ended by itself."""
        assert self._process is not None
        assert self._process.poll() is None, self.words()

    def words(self, most: int = 3_000) -> str:
        """The end of its log."""
        return (self.folder / "gateway.log").read_text()[-most:]

    def kill(self) -> None:
        """kill -9, wherever it is."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(20)
