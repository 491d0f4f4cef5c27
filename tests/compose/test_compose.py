"""`docker compose up` as it stands: order, health, a trade and its bust across containers, every process killed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.compose.acknowledged_orders import AcknowledgedOrders
from tests.compose.compose_stand import HEAL_S, SERVICES, STOP_S, WITHOUT_HEALTH, ComposeStand, say
from tests.integration.comparison import NAMES
from tests.integration.exchange_process import EXCHANGE, wait_for
from tests.integration.test_page import ARGUMENTS, CHROMIUM

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3_600)]

STARTS_AFTER = (
    ("nsqlookupd", "nsqd"),
    ("nsqlookupd", "nsqadmin"),
    ("redis", "engine"),
    ("postgres", "engine"),
    ("nsqd", "engine"),
    ("engine", "clearing"),
    ("clearing", "reporter"),
    ("reporter", "traders"),
)
"""(who is healthy, before who is started)"""
QUIET = "XYZ"
"""The symbol that the house traders leave alone."""


def test_every_service_starts_after_those_it_needs_are_healthy(stand: ComposeStand) -> None:
    started: dict[str, float] = {}
    healthy: dict[str, float] = {}
    for at, service, what in stand.events:
        if what == "start":
            started.setdefault(service, at)
        elif what == "health_status: healthy":
            healthy.setdefault(service, at)
    assert set(started) == set(SERVICES)
    assert set(healthy) == set(SERVICES) - WITHOUT_HEALTH
    for first, second in STARTS_AFTER:
        assert healthy[first] < started[second], f"{second} was started before {first} was healthy"
    for service in SERVICES:
        ready = f"healthy after {healthy[service] - stand.up_since:5.1f} s" if service in healthy else ""
        say(f"  {service:<11} started after {started[service] - stand.up_since:5.1f} s  {ready}")


def test_every_service_runs_healthy_and_none_needed_a_second_start(stand: ComposeStand) -> None:
    seen = stand.containers()
    for service in SERVICES:
        assert seen[service].running, service
        assert seen[service].health == ("" if service in WITHOUT_HEALTH else "healthy"), service
        assert seen[service].restarts == 0, service
    for name in NAMES:
        assert stand.client(name).get("/readyz")["ready"], name
    with urllib.request.urlopen(f"http://127.0.0.1:{stand.admin_port}/", timeout=30) as answer:
        assert b"nsqadmin" in answer.read()


def test_components_run_bounded_as_nobody_and_write_only_to_their_volumes(stand: ComposeStand) -> None:
    for service, container in stand.containers().items():
        (found,) = json.loads(stand.docker("inspect", container.id))
        assert found["HostConfig"]["Memory"] > 0, service
        assert found["HostConfig"]["NanoCpus"] > 0, service
        assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", service
        if service in (*NAMES, "traders"):
            assert found["HostConfig"]["ReadonlyRootfs"], service
            assert found["HostConfig"]["CapDrop"] == ["ALL"], service
            assert found["Config"]["StopSignal"] == "SIGTERM", service
            status = Path(f"/proc/{container.pid}/status").read_text()
            assert "\nUid:\t10001\t10001\t10001\t10001\n" in status, service
            assert "\nNoNewPrivs:\t1\n" in status, service
    with pytest.raises(AssertionError, match="Read-only file system"):
        stand.compose("exec", "-T", "engine", "touch", "/opt/exchange/mark")
    with pytest.raises(AssertionError, match="Read-only file system"):
        stand.compose("exec", "-T", "clearing", "touch", "/keys/mark")


def test_the_native_matcher_postgresql_nsq_and_redis_are_what_it_runs_on(stand: ComposeStand) -> None:
    assert stand.stats("engine")["matcher"] == "native"
    for schema in ("reporter", "clearing"):
        count = stand.compose(
            "exec", "-T", "postgres", "psql", "-h", "/var/run/postgresql", "-U", "exchange", "-Atc",
            f"select count(*) from information_schema.tables where table_schema = '{schema}'",
        )  # fmt: skip
        assert int(count) >= 5, schema
    components = stand.client("reporter").get("/api/v1/components")
    assert {row["component"] for row in components["items"]} == set(NAMES)
    assert not components["bus"]["problem"]
    books = stand.compose("exec", "-T", "redis", "redis-cli", "--raw", "hkeys", "{stock-exchange:0}:books")
    assert "AAPL" in books.split()


def test_house_traders_keep_the_market_moving(stand: ComposeStand) -> None:
    before = int(stand.stats("engine")["counters"]["trades"])
    wait_for(
        lambda: int(stand.stats("engine")["counters"]["trades"]) > before + 5, "trades of the house", HEAL_S
    )
    stand.stop("traders")
    assert stand.containers()["traders"].exit_code == 0
    stand.wait_until_equal(HEAL_S)
    books = stand.books("engine")
    assert all(books[symbol] == [[], []] for symbol in books), "the house leaves no order behind"


def test_the_first_steps_of_the_readme_work_from_the_host(stand: ComposeStand, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(stand.keys()))

    def exchange(*words: str) -> Any:
        port_base = str(stand.ports["engine"] - 1)
        done = subprocess.run(
            [*EXCHANGE, *words, "--data", str(tmp_path), "--port-base", port_base, "--json"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    exchange("order", "buy", "MSFT", "100", "@", "415.10", "--as", "alice")
    exchange("order", "sell", "MSFT", "40", "@", "415.10", "--as", "bob")
    wait_for(
        lambda: any((row["price"], row["qty"]) == ("415.10", "40") for row in exchange("tape", "MSFT")),
        "the trade on the tape", HEAL_S,
    )  # fmt: skip
    exchange("order", "cancel", "--all", "--as", "alice")
    with urllib.request.urlopen(f"{stand.url('reporter')}/config.json", timeout=30) as answer:
        told = json.load(answer)
    assert {name: told[name] for name in NAMES} == {name: stand.url(name) for name in NAMES}
    with urllib.request.urlopen(f"{stand.url('reporter')}/", timeout=30) as answer:
        assert b"<!doctype html>" in answer.read()


@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (Debian: apt-get install chromium)")
def test_the_page_in_a_browser_outside_is_live_and_takes_an_order(stand: ComposeStand) -> None:
    wait_ms = HEAL_S * 1_000
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=wait_ms)
        page = browser.new_page()
        page.goto(f"{stand.url('reporter')}/plain/#MSFT", timeout=wait_ms)
        expect(page.locator("#state")).to_have_text("live", timeout=wait_ms)
        expect(page.locator("#trades tr", has_text="415.10").first).to_be_visible(timeout=wait_ms)
        page.fill("#key", stand.keys()["participants"]["alice"]["key"])
        page.fill("#qty", "7")
        page.fill("#price", "1.00")
        page.click("button.buy")
        expect(page.locator("#answer")).to_contain_text("new", timeout=wait_ms)
        browser.close()
    stand.client("engine", "alice").call("DELETE", "/api/v1/orders")


def test_the_command_line_in_a_container_needs_no_python_outside(stand: ComposeStand) -> None:
    answer = stand.compose("run", "--rm", "-T", "exchange", "status", "--json")
    found = json.loads(answer[answer.index("{") :])
    assert {row["component"]: row["state"] for row in found["components"]} == dict.fromkeys(NAMES, "ready")


def test_an_erroneous_trade_is_busted_by_clearing_and_the_stream_says_so(stand: ComposeStand) -> None:
    reported = asyncio.run(_bust_on_the_stream(stand))
    assert reported["trade"]["trade"]["price"] == "17.77"
    match = reported["bust"]["match_id"]
    # The stream may say so before clearing has stored the engine's answer to its own request.
    stand.wait_until_equal(HEAL_S)
    assert stand.client("clearing").get(f"/api/v1/trades/{match}")["state"] == "busted"
    assert stand.client("reporter").get(f"/api/v1/trades/{match}")["status"] == "busted"
    fills = stand.client("engine", "bob").get("/api/v1/fills?symbol=" + QUIET)["items"]
    assert [fill["status"] for fill in fills if fill["match_id"] == match] == ["busted"]


async def _bust_on_the_stream(stand: ComposeStand) -> dict[str, dict[str, Any]]:
    """Subscribe to the reporter's stream, trade far off the reference price, and return what the stream says of it."""
    seen: dict[str, dict[str, Any]] = {}
    stream = stand.url("reporter") + "/api/v1/stream"
    async with aiohttp.ClientSession() as session, session.ws_connect(stream) as socket:
        await socket.send_json({"op": "subscribe", "channel": "trades", "symbols": [QUIET]})
        is_traded = False
        async with asyncio.timeout(HEAL_S):
            async for message in socket:
                said = message.json()
                if said.get("channel") == "trades" and said["type"] in ("trade", "bust"):
                    seen[said["type"]] = said
                if "bust" in seen:
                    return seen
                if said.get("channel") == "trades" and not is_traded:
                    is_traded = True
                    await asyncio.to_thread(_trade_far_off, stand)
    raise AssertionError(f"the stream ended; it said {seen}")


def _trade_far_off(stand: ComposeStand) -> None:
    for who, side in (("alice", "sell"), ("bob", "buy")):
        body = {"symbol": QUIET, "side": side, "qty": "5", "price": "17.77"}
        status, answer = stand.client("engine", who).call("POST", "/api/v1/order", body)
        assert status == 201, answer


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "traders"])
def test_a_service_killed_under_load_comes_back_and_nothing_is_lost(
    stand: ComposeStand, service: str
) -> None:
    before = stand.containers()[service]
    with AcknowledgedOrders(stand, f"kill-{service}-{time.time():.0f}") as load:
        killed = time.monotonic()
        stand.kill_nine(service)
        stand.wait_until_healed(service, before)
        healed = time.monotonic() - killed
        load.wait_for_more()
    taken = stand.wait_until_equal(HEAL_S)
    assert load.lost() == []
    say(
        f"  {service:<11} kill -9: healthy again after {healed:4.1f} s, {load.count} orders acknowledged, "
        f"{load.away} requests had no answer, none lost, all equal after {taken:.1f} s more"
    )


def test_house_traders_that_were_killed_trade_again(stand: ComposeStand) -> None:
    stand.start("traders")
    before = stand.containers()["traders"]
    stand.kill_nine("traders")
    stand.wait_until_healed("traders", before)
    trades = int(stand.stats("engine")["counters"]["trades"])
    wait_for(lambda: int(stand.stats("engine")["counters"]["trades"]) > trades, "trades of the house", HEAL_S)
    stand.stop("traders")


def test_a_replay_of_the_journal_gives_the_state_of_the_running_engine(stand: ComposeStand) -> None:
    stand.wait_until_equal(HEAL_S)
    live = stand.stats("engine")["running_hash"]
    replayed = json.loads(stand.compose("exec", "-T", "engine", "exchange", "journal", "snapshot", "--json"))
    assert replayed["running_hash"] == live
    checked = json.loads(stand.compose("exec", "-T", "engine", "exchange", "journal", "check", "--json"))
    assert checked["problems"] == []


def test_everything_stops_within_seconds_and_goes_on_where_it_was(stand: ComposeStand) -> None:
    stand.wait_until_equal(HEAL_S)
    books, ledger = stand.books("engine"), stand.check_equal()
    began = time.monotonic()
    stand.compose("stop")
    taken = time.monotonic() - began
    assert taken < STOP_S
    for service, container in stand.containers().items():
        assert (container.running, container.exit_code) == (False, 0), service
    log = stand.log_of("engine")
    assert '"event":"snapshot_written"' in log.splitlines()[-1]
    say(f"  everything stopped by itself in {taken:.1f} s")
    stand.up(*(service for service in SERVICES if service != "traders"))
    stand.wait_until_equal(HEAL_S)
    assert stand.books("engine") == books
    assert stand.check_equal() == ledger
    assert stand.containers()["engine"].restarts == 0
