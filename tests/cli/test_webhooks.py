"""Webhooks, as a participant handles them."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.cli.webhook_receiver import print_delivery
from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

HOOK = {
    "id": "3", "participant": "1", "url": "http://127.0.0.1:9000/hook", "channel": "trades", "symbols": ["AAPL"],
    "state": "stopped", "sent_seq": 340, "delivered": 7, "dead_letters": 2, "failures": 0,
    "problem": "answered 410", "created_at": "2026-11-23T14:30:00.000000000Z",
}  # fmt: skip


def test_a_webhook_is_made_and_its_secret_shown(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/webhooks", HOOK | {"secret": "whsec_AAAA"}, 201)
    ran = run("webhooks", "add", HOOK["url"], "--channel", "trades", "--symbol", "aapl", "--from-seq", "1")
    assert ran.code == 0
    assert "whsec_AAAA" in ran.out
    assert "shown this once" in ran.out
    asked = component.asked[0].body
    assert asked == {"url": HOOK["url"], "channel": "trades", "symbols": ["AAPL"], "from_seq": 1}


def test_webhooks_are_a_table(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/webhooks", {"items": [HOOK]})
    line = run("webhooks").out.splitlines()[1]
    assert line.split()[:9] == ["3", "1", "trades", "AAPL", "stopped", "340", "7", "2", HOOK["url"]]
    assert run("webhooks", "list", "--json").json == {"items": [HOOK]}


@pytest.mark.parametrize(
    ("words", "method", "path"),
    [
        (("remove", "3"), "DELETE", "/api/v1/webhooks/3"),
        (("stop", "3"), "POST", "/api/v1/webhooks/3/stop"),
        (("start", "3"), "POST", "/api/v1/webhooks/3/start"),
    ],
)
def test_one_is_changed(
    run: Run, component: StubComponent, data: Path, words: tuple[str, ...], method: str, path: str
) -> None:
    component.answer(method, path, HOOK)
    ran = run("webhooks", *words)
    assert ran.code == 0
    assert "stopped" in ran.out


def test_dead_letters_are_listed_and_sent_again(run: Run, component: StubComponent, data: Path) -> None:
    letter = {
        "id": "x",
        "first_seq": 5,
        "last_seq": 9,
        "tries": 8,
        "problem": "away",
        "at": "now",
        "body": {},
    }
    component.answer("GET", "/api/v1/webhooks/3/dead-letters", {"items": [letter]})
    assert run("webhooks", "dead", "3").out.splitlines()[1].split() == ["5", "9", "8", "now", "away"]
    component.answer(
        "POST", "/api/v1/webhooks/3/dead-letters/redeliver", {"delivered": 1, "left": 0, "problem": ""}
    )
    assert run("webhooks", "dead", "3", "--redeliver", "--json").json["delivered"] == 1


def test_a_delivery_is_printed_a_message_to_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    message = {"type": "execution", "seq": 340, "symbol": "XYZ", "side": "buy", "qty": "5", "price": "10.00"}
    print_delivery({"messages": [message, message | {"type": "bust", "reason": None}]}, False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["340", "execution", "symbol=XYZ", "side=buy", "qty=5", "price=10.00"]
    assert len(lines) == 2


def test_listening_with_a_secret_that_is_none_is_refused(run: Run, data: Path) -> None:
    ran = run("webhooks", "listen", "nix")
    assert ran.code != 0
    assert "begins with whsec_" in ran.err
