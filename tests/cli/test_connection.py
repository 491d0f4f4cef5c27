"""Questions go out as they should, and every way an answer can fail is told in a whole sentence."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from exchange.cli.connection import Connection, in_path
from exchange.cli.failures import RefusedError, UnreachableError, UsageError
from tests.cli.stub_component import StubComponent, StubPage


def test_a_request_carries_key_query_and_body(component: StubComponent) -> None:
    component.answer("POST", "/api/v1/x", {"done": True})
    answer = Connection(component.url, "xk_1").ask("POST", "/api/v1/x", {"a": 1, "empty": ""}, {"b": "é"})
    assert answer == {"done": True}
    (asked,) = component.asked
    assert (asked.query, asked.body, asked.key) == ({"a": "1"}, {"b": "é"}, "xk_1")


def test_one_connection_serves_many_requests(component: StubComponent) -> None:
    component.answer("GET", "/api/v1/x", {})
    connection = Connection(component.url)
    for _ in range(3):
        connection.get("/api/v1/x")
    assert len(component.asked) == 3


def test_an_answer_without_a_body_is_nothing(component: StubComponent) -> None:
    component.answer("DELETE", "/api/v1/x", b"", 204)
    assert Connection(component.url).delete("/api/v1/x") is None


def test_a_list_is_read_over_all_its_pages(component: StubComponent) -> None:
    pages = [StubPage({"items": [1, 2], "next": "c"}), StubPage({"items": [3], "next": None})]
    component.answer("GET", "/api/v1/x", pages)
    assert Connection(component.url).items("/api/v1/x", symbol="AAPL") == [1, 2, 3]
    assert [asked.query for asked in component.asked] == [
        {"symbol": "AAPL", "limit": "1000"},
        {"symbol": "AAPL", "limit": "1000", "cursor": "c"},
    ]


def test_a_list_is_read_no_further_than_asked(component: StubComponent) -> None:
    component.answer("GET", "/api/v1/x", [StubPage({"items": [1, 2], "next": "c"})])
    assert Connection(component.url).items("/api/v1/x", 2) == [1, 2]


def test_a_refusal_keeps_the_form_of_the_exchange(component: StubComponent) -> None:
    component.refuse("GET", "/api/v1/x", 403, "role_not_allowed", "The role does not allow it.")
    with pytest.raises(RefusedError) as caught:
        Connection(component.url).get("/api/v1/x")
    assert str(caught.value) == (
        "The role does not allow it; operators' commands take --as operator, clearing's --as clearing"
    )
    assert caught.value.details["status"] == 403
    assert caught.value.details["request_id"] == "r"


def test_an_answer_in_no_known_form_is_shown(component: StubComponent) -> None:
    component.answer("GET", "/api/v1/x", b"<html>teapot</html>", 418)
    with pytest.raises(RefusedError, match="answered 418: <html>teapot</html>"):
        Connection(component.url).get("/api/v1/x")


def test_a_port_where_nothing_listens_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UnreachableError) as caught:
        Connection(url, "", "engine").get("/api/v1/x")
    assert str(caught.value).startswith(
        f"cannot reach the engine at {url}: nothing listens there; start it with"
    )


def test_a_host_that_closes_at_once_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        connection = Connection(f"http://127.0.0.1:{server.getsockname()[1]}")
        connection._http.connect()
        server.accept()[0].close()
        with pytest.raises(UnreachableError, match="is this an exchange"):
            connection.get("/api/v1/x")


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://x", "http://", "http://x:port", "http://x:0"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="address must be such as http"):
        Connection(url)


def test_a_text_in_a_path_cannot_leave_its_place() -> None:
    assert in_path("../a?b#c d") == "..%2Fa%3Fb%23c%20d"


def test_long_work_says_that_it_goes_on(
    component: StubComponent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("exchange.cli.connection.NOTE_EVERY_S", 0.01)
    component.answer("POST", "/api/v1/cycles", {"done": True})
    connection, said = Connection(component.url, component="clearing"), ""
    with connection.patiently("closing 2026-11-23", "exchange clearing cycles"):
        assert connection.post("/api/v1/cycles") == {"done": True}
        for _ in range(3_000):
            said += capsys.readouterr().err
            if said:
                break
            time.sleep(0.01)
    assert said.startswith("clearing: closing 2026-11-23: still at work after 0 s")
    assert connection.post("/api/v1/cycles") == {"done": True}


def test_long_work_without_an_answer_says_how_to_see_whether_it_was_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = Connection(f"http://127.0.0.1:{server.getsockname()[1]}", component="clearing")

        def hang_up() -> None:
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with (
            pytest.raises(
                UnreachableError, match=r"closing it may have been done or not: `exchange x` shows it"
            ),
            connection.patiently("closing it", "exchange x"),
        ):
            connection.post("/api/v1/cycles", {})


def test_long_work_that_was_never_asked_for_was_not_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    connection = Connection(url, component="clearing")
    with (
        pytest.raises(
            UnreachableError,
            match=r"nothing listens there; start it with `exchange up`, or give --url or --port-base$",
        ),
        connection.patiently("closing it", "exchange x"),
    ):
        connection.post("/api/v1/cycles", {})
