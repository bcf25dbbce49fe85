"""A service that lies: the real one behind it, and one thing in its bills changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

Change = Callable[[dict[str, Any]], None]


@contextmanager
def lying_service(url: str, change: Change) -> Iterator[str]:
    """The address of a service that says what the one at `url` does, its bills changed in place."""

    class Liar(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            true = httpx.get(url + self.path, trust_env=False, timeout=30)
            said = true.json()
            if "/bill" in self.path and true.status_code == 200:
                change(said)
            body = json.dumps(said).encode()
            self.send_response(true.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
