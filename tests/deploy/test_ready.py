"""The health check of the image: asks the one component that runs beside it, and believes only a 200."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[2] / "deploy" / "docker" / "ready.py"


@pytest.fixture
def ready() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ready", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Component(threading.Thread):
    """Answers one request with given bytes, in two parts."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(daemon=True)
        self.answer = answer
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.start()

    def run(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            asked = connection.recv(4_096)
            if asked.startswith(b"GET /readyz HTTP/1.1\r\n"):
                connection.sendall(self.answer[:10])
                connection.sendall(self.answer[10:])
        self.socket.close()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def test_ports_are_those_of_the_components_environment(ready: ModuleType) -> None:
    assert ready.ports({}) == [8001, 8002, 8003]
    assert ready.ports({"EXCHANGE__EXCHANGE__PORT_BASE": "9000", "EXCHANGE__REPORTER__PORT": "7"}) == [
        9001,
        7,
        9003,
    ]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b'HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n{"ready":true,"reasons":[]}', 0),
        (b'HTTP/1.1 503 Service Unavailable\r\n\r\n{"ready":false,"reasons":["catching up"]}', 1),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", 1),
        (b"", 1),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 1),
    ],
)
def test_only_a_200_is_ready(
    ready: ModuleType, closed_port: int, capsys: pytest.CaptureFixture[str], answer: bytes, code: int
) -> None:
    component = Component(answer)
    env = {
        "EXCHANGE__ENGINE__PORT": str(closed_port),
        "EXCHANGE__REPORTER__PORT": str(component.port),
        "EXCHANGE__CLEARING__PORT": str(closed_port),
    }
    assert ready.main(env) == code
    assert capsys.readouterr().out.strip() == (answer.partition(b"\r\n\r\n")[2].decode() or "no answer")


def test_a_component_that_accepts_and_says_nothing_is_not_ready(
    ready: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ready, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert ready.main({"EXCHANGE__ENGINE__PORT": str(silent.getsockname()[1])}) == 1
    assert "timed out" in capsys.readouterr().out


def test_as_the_image_runs_it_nothing_listening_is_a_failure(closed_port: int) -> None:
    names: Callable[[str], str] = "EXCHANGE__{}__PORT".format
    env = {names(name): str(closed_port) for name in ("ENGINE", "REPORTER", "CLEARING")}
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(FILE)], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("nothing listens on the ports")
