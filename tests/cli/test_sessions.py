"""OUCH users, as an operator handles them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent


def test_a_user_is_made_and_its_password_shown(run: Run, component: StubComponent, data: Path) -> None:
    made = {
        "id": "9", "user": "DESK1", "password": "secret2345", "participant": "1", "account": "1",
        "cancel_on_disconnect": True, "port": 8011,
    }  # fmt: skip
    component.answer("POST", "/api/v1/sessions", made, 201)
    ran = run("sessions", "add", "desk1", "1", "--cancel-on-disconnect")
    assert ran.code == 0
    assert "password              secret2345" in ran.out
    assert component.asked[0].body == {"user": "DESK1", "account": "1", "cancel_on_disconnect": True}
    assert component.asked[0].key == "xk_operator"


def test_the_sessions_are_a_table(run: Run, component: StubComponent, data: Path) -> None:
    session = {
        "id": "9", "user": "ALICE", "participant": "1", "account": "1", "cancel_on_disconnect": False,
        "connected": True, "address": "127.0.0.1:5000", "session": "2026112300", "sequence": 7, "sent": 7,
        "next_user_ref_num": 4, "live_orders": 2, "waiting_orders": 0, "received_messages": 3,
    }  # fmt: skip
    component.answer("GET", "/api/v1/sessions", {"items": [session]})
    line = run("sessions", "list").out.splitlines()[1].split()
    assert line == ["9", "ALICE", "1", "yes", "127.0.0.1:5000", "7", "7", "4", "2", "0"]
    assert run("sessions", "--json").json == {"items": [session]}


def test_a_user_is_removed(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("DELETE", "/api/v1/sessions/DESK1", {"id": "9", "user": "DESK1", "seq": 44})
    assert run("sessions", "remove", "desk1").code == 0
