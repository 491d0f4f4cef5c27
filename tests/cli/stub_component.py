"""A component that answers what a test tells it and remembers what it was asked, behind a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    key: str


class StubComponent:
    """answers: (method, path) → (status, JSON body); a list of bodies answers one after the other."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}

    def answer(self, method: str, path: str, body: Any, status: int = 200) -> None:
        self.answers[method, path] = (status, body)

    def refuse(self, method: str, path: str, status: int, reason: str, message: str) -> None:
        form = {
            "code": 1,
            "reason": reason,
            "message": message,
            "field": "",
            "retry": False,
            "request_id": "r",
        }
        self.answer(method, path, form, status)

    def take(self, request: Asked) -> tuple[int, bytes]:
        self.asked.append(request)
        found = self.answers.get((request.method, request.path))
        if found is None:
            form = {"code": 1020, "reason": "unknown_path", "message": f"nothing at {request.path}"}
            return 404, json.dumps(form).encode()
        status, body = found
        if isinstance(body, list) and body and isinstance(body[0], StubPage):
            body = body.pop(0).body
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


class StubPage(NamedTuple):
    """One of several answers to the same request."""

    body: Any


@contextmanager
def stub_component() -> Iterator[StubComponent]:
    stub = StubComponent()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            body = json.loads(content) if content else None
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), body, key)
            status, answer = stub.take(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
