"""Wrong addresses and passwords of secondary components: a message that says what to do, and never the password."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.nsq_daemons import free_ports
from tests.infra.postgres_server import PASSWORD, WHY_NOT, PostgresServer
from tests.infra.redis_server import RedisServer, needs_server
from tests.integration.exchange_process import EXCHANGE, READY_S, Client, wait_for
from tests.integration.parts import Parts

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
WRONG = "not-the-password"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with PostgresServer() as server:
        server.run_sql("CREATE DATABASE exchange_there")
        server.run_sql("CREATE ROLE stranger LOGIN PASSWORD 'a-secret'")
        yield server


STORES: dict[str, tuple[Callable[[PostgresServer], str], str]] = {
    "wrong password": (
        lambda server: server.url("exchange_there", password=WRONG), "password authentication failed",
    ),
    "database missing": (lambda server: server.url("exchange_gone"), 'database "exchange_gone" does not exist'),
    "wrong port": (
        lambda server: server.url("exchange_there").replace(f":{server.port}", f":{free_ports(1)[0]}"),
        "Connection refused",
    ),
    "a host that is none": (
        lambda server: server.url("exchange_there", host="no-such-host.invalid"), "resolve host|not known",
    ),
    "a user who may not make tables": (
        lambda server: server.url("exchange_there").replace("exchange:", "stranger:"), "permission denied",
    ),
}  # fmt: skip


@pytest.mark.parametrize("component", ["reporter", "clearing"])
@pytest.mark.parametrize("wrong", STORES)
def test_a_store_that_cannot_be_used_is_said_at_the_start(
    server: PostgresServer, tmp_path: Path, component: str, wrong: str
) -> None:
    address, said = STORES[wrong]
    url = address(server)
    config = tmp_path / "exchange.toml"
    ports = free_ports(2)
    config.write_text(
        f"[exchange]\ndata = {json.dumps(str(tmp_path / 'data'))}\n[engine]\nport = {ports[0]}\n"
        f'[{component}]\nport = {ports[1]}\nstore_url = "{url}"\n[bus]\nkind = "none"\n'
    )
    ran = subprocess.run(
        [*EXCHANGE, component, "--config", str(config)], capture_output=True, text=True, timeout=READY_S
    )
    text = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert re.search(said, text), text
    assert "Check user, password, host, port and database in store_url" in text
    assert ":***@" in text
    assert PASSWORD not in text
    assert WRONG not in text
    assert "Traceback" not in text


def test_an_nsqd_that_is_not_there_is_said_and_the_components_go_on(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    with Parts(tmp_path, bus=f'kind = "nsq"\nnsqd = ["{address}"]\n') as parts:
        parts.start("engine", tmp_path / "data")
        parts.start("reporter", tmp_path / "reporter")
        parts.start("clearing", tmp_path / "clearing")
        order = {"symbol": "AAPL", "side": "buy", "qty": 1, "price": "100.00", "time_in_force": "gtc"}
        assert parts.client("engine", "alice").call("POST", "/api/v1/order", order)[0] == 201
        parts.wait_until_equal()
        for name in ("engine", "reporter", "clearing"):
            wait_for(
                lambda name=name: said_of_nsqd(tmp_path / f"{name}.log", address), f"{name} names the nsqd"
            )


def said_of_nsqd(log: Path, address: str) -> bool:
    lines = [line for line in log.read_text().splitlines() if '"nsqd_away"' in line]
    return any(address in line and "nsqd" in line for line in lines)


@needs_server
@pytest.mark.parametrize("wrong", ["password", "address"])
def test_a_redis_that_cannot_be_used_is_said_without_the_password(tmp_path: Path, wrong: str) -> None:
    redis = RedisServer(password="right-one")
    redis.start()
    try:
        address = redis.url_with(WRONG) if wrong == "password" else f"unix://:{WRONG}@{tmp_path}/none.sock"
        with Parts(tmp_path, more=f'[redis]\nurl = "{address}"\n') as parts:
            parts.start("engine", tmp_path / "data")
            parts.start("reporter", tmp_path / "reporter")

            def notes() -> str:
                return json.dumps(Client(parts.url("reporter")).call("GET", "/readyz")[1].get("notes", []))

            wait_for(lambda: "all goes on without it" in notes(), "a note on Redis")
            assert re.search("invalid username-password pair|No such file", notes())
            assert WRONG not in notes() + (tmp_path / "reporter.log").read_text()
    finally:
        redis.kill()
