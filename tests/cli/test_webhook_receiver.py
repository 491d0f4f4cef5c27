"""The receiver that a person watches: what is genuine is printed once, everything else refused."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from exchange.cli.failures import InputError
from exchange.cli.webhook_receiver import receive
from exchange.infra.webhook_signature import new_secret, signature

BODY = b'{"webhook":"1","channel":"trades","first_seq":5,"last_seq":5,"messages":[{"type":"trade","seq":5}]}'
WITHIN_S = 60


def post(port: int, secret: str, name: str, body: bytes = BODY) -> int:
    now_s = int(time.time())
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(now_s),
        "webhook-signature": signature(secret, name, now_s, body),
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(port)


def test_what_is_genuine_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    secret = new_secret()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listening = threading.Thread(target=receive, args=(secret, port, 2, True))
    listening.start()
    wait_until_open(port)
    assert post(port, new_secret(), "a") == 401
    assert post(port, secret, "a", b"[]") == 400
    assert [post(port, secret, name) for name in ("a", "a", "b")] == [200] * 3
    listening.join(WITHIN_S)
    assert not listening.is_alive()
    out = capsys.readouterr()
    assert out.out.count('"trade"') == 2
    assert "refused: the signature" in out.err


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="--port"):
            receive(new_secret(), taken.getsockname()[1], 1, False)
