"""Files that are damaged, missing, another one's or full: the exchange repairs what can be made anew, else refuses.

A refusal names the file, says what is wrong and what to do, ends with exit code 2, and leaves the file as it is.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.exchange_process import EXCHANGE, Client, ExchangeProcess, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
CONFIG = "[engine]\nsegment_mib = 1\n"
REFUSED = 2
WAIT_S = 60
ROUNDS = 20
Damage = Callable[[Path], None]


# --- ways to damage a file ------------------------------------------------------------------------


def flip(part: int) -> Damage:
    """Turn the bits of some bytes. part: of a hundred, where in what was written."""

    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        written = len(data.rstrip(b"\0"))
        at = min(written * part // 100, written - 8)
        data[at : at + 8] = bytes(byte ^ 0xFF for byte in data[at : at + 8])
        path.write_bytes(data)

    return damage


def cut(path: Path) -> None:
    """Take the second half away."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data.rstrip(b"\0")) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(b"this is something else altogether\n" * 300)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def text(content: str) -> Damage:
    return lambda path: (path.write_text(content), None)[1]


class Case(NamedTuple):
    """Which file is damaged how. stop: how the exchange ended before; says: in the refusal, or in the log."""

    what: str
    file: str
    damage: Damage
    says: str
    stop: str = "clean"


# fmt: off
JOURNAL = "engine/journal/*.journal"
EVENTS = "engine/events/*.events"
SNAPSHOTS = "engine/snapshots/*.snapshot"
ORDERS = "engine/orders.sqlite"
REPORTER = "reporter/reporter.sqlite"
CLEARING = "clearing/clearing.sqlite"
LOOK = r"Nothing was changed; look at it with `exchange journal check`, then restore a backup"
DAMAGED = rf"the journal is damaged in \S+\.journal at offset \d+: .* {LOOK}"
GONE = rf"commands that were durable are gone\. {LOOK}"
KEYS = r"keys\.json cannot be read: "
OTHER_KEYS = '{"operator": "xk_a", "component": "xk_b", "clearing": "xk_c", "auditor": "xk_d"}'
LEFT_OUT = r"\.snapshot: .*; it was left out"
STORE = r"the store cannot be used: .* Nothing was changed\. Look at it with `sqlite3 .* move it away"

REFUSALS = [
    Case("flipped in the middle",       JOURNAL,     flip(50), DAMAGED),
    Case("flipped in the middle",       JOURNAL,     flip(50), DAMAGED, "killed"),
    Case("flipped at the beginning",    JOURNAL,     flip(0),  DAMAGED),
    Case("cut in half",                 JOURNAL,     cut,      GONE),
    Case("cut in half",                 JOURNAL,     cut,      GONE, "killed"),
    Case("emptied",                     JOURNAL,     empty,    GONE),
    Case("something else",              JOURNAL,     garbage,  r"damaged|gone"),
    Case("removed",                     JOURNAL,     remove,   GONE),
    Case("a database of something else", REPORTER,   garbage,  STORE),
    Case("cut in half",                 REPORTER,    cut,      STORE),
    Case("a database of something else", CLEARING,   garbage,  STORE),
    Case("cut in half",                 CLEARING,    cut,      STORE),
    Case("something else",              "keys.json", garbage,  KEYS + ".* move it away .* new keys"),
    Case("cut in half",                 "keys.json", cut,      KEYS + ".* truncated"),
    Case("without the operator's",      "keys.json", text("{}"), KEYS + ".* `operator`"),
    Case("a folder",                    "keys.json", folder,   KEYS + "Is a directory"),
    Case("a folder",                    "addresses.json", folder, r"addresses\.json cannot be written: Is .*; move"),
]

REPAIRS = [
    Case("untouched",                   "keys.json", lambda _: None, ""),
    Case("untouched",                   "keys.json", lambda _: None, "", "killed"),
    Case("flipped in the middle",       EVENTS,      flip(50), ""),
    Case("flipped in the middle",       EVENTS,      flip(50), "", "killed"),
    Case("cut in half",                 EVENTS,      cut,      ""),
    Case("something else",              EVENTS,      garbage,  ""),
    Case("removed",                     "engine/events", remove, ""),
    Case("an index of something else",  "engine/events/*.index", garbage, ""),
    Case("flipped in the middle",       SNAPSHOTS,   flip(50), LEFT_OUT),
    Case("cut in half",                 SNAPSHOTS,   cut,      LEFT_OUT, "killed"),
    Case("removed",                     "engine/snapshots", remove, ""),
    Case("a database of something else", ORDERS,     garbage,  "order_history_made_anew"),
    Case("cut in half",                 ORDERS,      cut,      "order_history_made_anew"),
    Case("cut in half",                 ORDERS,      cut,      "order_history_made_anew", "killed"),
    Case("removed",                     ORDERS,      remove,   ""),
    Case("removed",                     "reporter",  remove,   ""),
    Case("removed",                     "clearing",  remove,   ""),
    Case("emptied",                     CLEARING,    empty,    ""),
    Case("removed",                     "keys.json", remove,   "keys_written"),
    Case("of another exchange",         "keys.json", text(OTHER_KEYS), "keys_unknown"),
    Case("something else",              "addresses.json", garbage, ""),
    Case("something else",              "engine/lock", garbage, ""),
    Case("something else",              "engine/follower.json", garbage, ""),
]

CONFIGURATIONS = [
    ("not TOML",         "[engine\nport = 1", r"exchange\.toml.* line 1"),
    ("no UTF-8",         b"name = '\xff\xfe'", r"exchange\.toml"),
    ("an unknown key",   "[engine]\nprot = 1", r"exchange\.toml.*prot.*port"),
    ("a wrong type",     "[engine]\nport = 'x'", r"exchange\.toml.*\[engine\] port"),
    ("out of range",     "[engine]\nport = 99999", r"exchange\.toml.*\[engine\] port.*65535"),
    ("a symbol twice",   "[[symbols]]\nsymbol = 'A'\nname = 'A'\nreference_price = '1.00'\n" * 2, r"exchange\.toml.*A"),
    ("a wrong rule",     "[[clearing.rule]]\nid = 'X'\nkind = 'gossip'", r"exchange\.toml.*gossip"),
    ("nothing there",    None, r"no-such\.toml"),
]
# fmt: on


# --- a folder with a history ----------------------------------------------------------------------


class History(NamedTuple):
    """Data folders of an exchange that was killed, and stopped cleanly after that, and what is in them."""

    killed: Path
    clean: Path
    config: Path
    orders: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    root = tmp_path_factory.mktemp("damage")
    config = root / "exchange.toml"
    config.write_text(CONFIG)
    orders: dict[str, dict[str, str]] = {"alice": {}, "bob": {}}
    with ExchangeProcess(root / "data", "up", "--config", str(config)) as exchange:
        trade(exchange, orders)
        exchange.stop()
        exchange.start()
        trade(exchange, orders)
        wait_until_they_agree(exchange)
        exchange.cut_power()
        shutil.copytree(root / "data", root / "killed")
        exchange.start()
        assert exchange.stop() == 0
    return History(root / "killed", root / "data", config, orders)


def trade(exchange: ExchangeProcess, orders: dict[str, dict[str, str]]) -> None:
    """Enter orders that trade, and remember their ids."""
    for number in range(ROUNDS):
        for name, side in (("alice", "buy"), ("bob", "sell")):
            client = Client(exchange.url("engine"), exchange.keys()["participants"][name]["key"])
            label = f"{name}-{len(orders[name])}"
            order = {
                "symbol": "AAPL", "side": side, "qty": 10 - number % 3, "price": "189.20", "time_in_force": "gtc",
                "client_order_id": label,
            }  # fmt: skip
            status, entered = client.call("POST", "/api/v1/order", order)
            assert status == 201, entered
            orders[name][label] = entered["id"]


def check_whole(exchange: ExchangeProcess, orders: dict[str, dict[str, str]]) -> None:
    """Every order is there under its id, and all components agree."""
    for name, known in orders.items():
        client = Client(exchange.url("engine"), exchange.keys()["participants"][name]["key"])
        found = client.get("/api/v1/orders?limit=1000")["items"]
        assert {order["client_order_id"]: order["id"] for order in found} == known
    wait_until_they_agree(exchange)


def wait_until_they_agree(exchange: ExchangeProcess) -> None:
    clearing = Client(exchange.url("clearing"), exchange.keys()["operator"])

    def report() -> Any:
        status, found = clearing.call("GET", "/api/v1/break-report")
        return status == 200 and found["status"] == "agree"

    wait_for(report, "a break report in which all agree")
    assert clearing.get("/api/v1/prove")["holds"]


def damaged(history: History, case: Case, folder: Path) -> list[Path]:
    """Copy the folder and damage the newest file of a kind; return what was damaged."""
    shutil.copytree(history.killed if case.stop == "killed" else history.clean, folder)
    path = sorted(folder.glob(case.file))[-1] if "*" in case.file else folder / case.file
    if path.suffix == ".sqlite":
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
    case.damage(path)
    return [path] if path.is_file() else []


def refusal(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Run a command that must be refused, in JSON and in words; return what it says."""
    words = subprocess.run(
        [*EXCHANGE, *arguments], capture_output=True, text=True, timeout=WAIT_S, check=False, env=env
    )
    form = subprocess.run(
        [*EXCHANGE, *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        env=env,
    )
    for done in (words, form):
        assert done.returncode == REFUSED, done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
    assert any(line.startswith("exchange: ") for line in words.stderr.splitlines())
    told: dict[str, Any] = json.loads(form.stderr.splitlines()[-1])
    assert told["exit_code"] == REFUSED
    message: str = told["message"]
    return " ".join(message.split())


def name_of(case: Case) -> str:
    return f"{case.file.split('/')[-1]} {case.what}, {case.stop}"


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_what_cannot_be_made_anew_is_refused_with_what_to_do(
    history: History, case: Case, tmp_path: Path, port_base: str
) -> None:
    before = [(path, path.read_bytes()) for path in damaged(history, case, tmp_path / "data")]
    message = refusal("up", "--data", str(tmp_path / "data"), "--port-base", port_base)
    assert_says(message, case.says)
    assert all(path.read_bytes() == content for path, content in before), "nothing was changed"


@pytest.mark.parametrize("case", REPAIRS, ids=name_of)
def test_what_can_be_made_anew_is_made_anew(history: History, case: Case, tmp_path: Path) -> None:
    damaged(history, case, tmp_path / "data")
    with ExchangeProcess(tmp_path / "data", "up", "--config", str(history.config)) as exchange:
        check_whole(exchange, history.orders)
        assert exchange.stop() == 0
    log = (tmp_path / "data.log").read_text()
    assert "Traceback" not in log
    assert_says(log, case.says)


@pytest.mark.parametrize(("what", "content", "says"), CONFIGURATIONS, ids=[row[0] for row in CONFIGURATIONS])
def test_a_wrong_configuration_is_refused_with_file_and_key(
    what: str, content: str | bytes | None, says: str, tmp_path: Path, port_base: str
) -> None:
    file = tmp_path / ("exchange.toml" if content is not None else "no-such.toml")
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal("up", "--config", str(file), "--data", str(tmp_path / "data"), "--port-base", port_base)
    assert_says(message, says)
    assert not (tmp_path / "data").exists(), f"{what}: nothing is begun"


def assert_says(text: str, pattern: str) -> None:
    assert re.search(pattern, text), f"{pattern!r} is not in: {text[-3_000:]}"


# --- a full disk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["engine", "up"])
def test_a_disk_that_is_full_halts_the_engine_and_loses_nothing(command: str, tmp_path: Path) -> None:
    with ExchangeProcess(tmp_path / "data", command) as exchange:
        key = exchange.keys()["participants"]["alice"]["key"]
        trader = Client(exchange.url("engine"), key)
        limit_file_size(exchange, 60_000)
        acknowledged = []
        for number in range(5_000):
            status, answer = enter(trader, number)
            if status != 201:
                break
            acknowledged.append(answer["id"])
        assert (status, answer["reason"], answer["retry"]) == (503, "engine_halted", True)
        assert_says(answer["message"], "File too large")
        assert len(acknowledged) > 100
        check_it_stays_halted(exchange, trader)
        assert exchange.stop() == 0
        log = (tmp_path / "data.log").read_text()
        assert '"event":"engine_halted"' in log
        assert "Traceback" not in log
        exchange.start()
        check_orders_are_there(Client(exchange.url("engine"), key), acknowledged)
        if command == "up":
            wait_until_they_agree(exchange)
        assert exchange.stop() == 0


def limit_file_size(exchange: ExchangeProcess, size_bytes: int) -> None:
    """Let no file of a running process grow beyond a size, which is as good as a full disk."""
    assert exchange.process is not None
    resource.prlimit(exchange.process.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def enter(client: Client, number: int) -> tuple[int, Any]:
    order = {"symbol": "AAPL", "side": "buy", "qty": 1, "price": "100.00", "time_in_force": "gtc"}
    return client.call("POST", "/api/v1/order", {**order, "client_order_id": f"n{number}"})


def check_it_stays_halted(engine: ExchangeProcess, trader: Client) -> None:
    """A halted engine says so everywhere and takes nothing more."""
    status, answer = Client(engine.url("engine")).call("GET", "/readyz")
    assert status == 503
    assert answer["reasons"][0].startswith("halted: ")
    assert enter(trader, 9_999)[0] == 503


def check_orders_are_there(trader: Client, acknowledged: list[str]) -> None:
    """Every acknowledged order is there, and at most the one that was under way beside them."""
    found: list[str] = []
    path = "/api/v1/orders?limit=1000"
    page = trader.get(path)
    while True:
        found += [order["id"] for order in page["items"]]
        if page["next"] is None:
            break
        page = trader.get(f"{path}&cursor={page['next']}")
    assert set(acknowledged) <= set(found)
    assert len(found) - len(acknowledged) <= 1


# --- somebody else's folder, port, key ------------------------------------------------------------


def test_a_folder_has_one_exchange_at_a_time(tmp_path: Path, port_base: str) -> None:
    with ExchangeProcess(tmp_path / "data") as exchange:
        assert exchange.process is not None
        for command in ("up", "engine", "reporter", "clearing"):
            message = refusal(command, "--data", str(tmp_path / "data"), "--port-base", port_base)
            assert_says(message, rf"is in use by process {exchange.process.pid}, .* use another data folder")
        assert Client(exchange.url("engine")).call("GET", "/readyz")[0] == 200
        assert exchange.stop() == 0


@pytest.mark.parametrize("component", ["engine", "reporter", "clearing"])
def test_a_taken_port_is_named_and_the_folder_is_free_again(
    component: str, tmp_path: Path, port_base: str
) -> None:
    port = int(port_base) + ["engine", "reporter", "clearing"].index(component) + 1
    with socket.create_server(("127.0.0.1", port)):
        message = refusal("up", "--data", str(tmp_path / "data"), "--port-base", port_base)
        assert_says(message, rf"port {port} .* is taken, the {component} cannot listen there; .* --port-base")
    with ExchangeProcess(tmp_path / "data") as exchange:
        assert exchange.stop() == 0


def test_a_file_is_no_data_folder(tmp_path: Path, port_base: str) -> None:
    file = tmp_path / "file"
    file.touch()
    message = refusal("up", "--data", str(file), "--port-base", port_base)
    assert_says(message, "file is a file; --data names the folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, port_base: str) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    message = refusal("up", "--data", str(tmp_path / "data"), "--port-base", port_base)
    assert_says(message, "data/engine: Permission denied; let this user read and write there")


@pytest.mark.parametrize("component", ["reporter", "clearing"])
def test_a_component_whose_key_the_engine_does_not_know_says_so(
    component: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExchangeProcess(tmp_path / "data", "engine") as engine:
        monkeypatch.setenv("EXCHANGE_COMPONENT_KEY", "xk_" + "wrong" * 8)
        with beside(engine, component) as follower:
            reason = wait_for(lambda: unready(follower, "key"), "the reason")
    assert_says(reason, "does not know our key .* set EXCHANGE_COMPONENT_KEY or key_file")


@pytest.mark.parametrize("component", ["reporter", "clearing"])
def test_a_component_waits_for_an_engine_that_is_not_there_yet(component: str, tmp_path: Path) -> None:
    engine = ExchangeProcess(tmp_path / "data", "engine")
    with beside(engine, component) as follower:
        reason = wait_for(lambda: unready(follower, "key"), "the reason")
        assert_says(reason, r"keys\.json is not there yet: the engine writes it at its first start")
        with engine:
            ready = Client(follower.url(component))
            wait_for(lambda: ready.call("GET", "/readyz")[0] == 200, "the component is ready")


def test_an_engine_that_began_anew_is_an_alarm_and_no_store_is_overwritten(
    history: History, tmp_path: Path, port_base: str
) -> None:
    shutil.copytree(history.clean, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "engine")
    message = refusal("up", "--data", str(tmp_path / "data"), "--port-base", port_base)
    assert_says(
        message, "the reporter cannot start: FeedAlarm: .* Nothing was changed. .* move its store away"
    )
    with ExchangeProcess(tmp_path / "data", "engine") as engine:
        trader = Client(engine.url("engine"), engine.keys()["participants"]["alice"]["key"])
        for number in range(len(history.orders["alice"]) * 4):
            assert enter(trader, number)[0] == 201, "so that it is ahead of what the stores hold"
        with beside(engine, "reporter") as reporter, beside(engine, "clearing") as clearing:
            for reason in (
                wait_for(lambda: unready(reporter, "another"), "the reporter's alarm"),
                wait_for(lambda: unready(clearing, "another"), "clearing's alarm"),
            ):
                assert_says(reason, "is another one at the engine than here: the engine began anew")
    for component in ("reporter", "clearing"):
        shutil.rmtree(tmp_path / "data" / component)
    with ExchangeProcess(tmp_path / "data") as exchange:
        wait_until_they_agree(exchange)
        assert exchange.stop() == 0


def beside(engine: ExchangeProcess, component: str) -> ExchangeProcess:
    """Make a component that runs beside an engine of the same folder and ports."""
    follower = ExchangeProcess(engine.data, component)
    follower.port_base = engine.port_base
    return follower


def unready(follower: ExchangeProcess, about: str = "") -> str:
    """Return why a component is not ready, once it says something about a thing."""
    try:
        status, answer = Client(follower.url(follower.command[3])).call("GET", "/readyz")
    except (OSError, http.client.HTTPException):
        return ""
    reasons = "; ".join(answer["reasons"])
    return reasons if status == 503 and about in reasons else ""


@pytest.fixture
def port_base() -> str:
    """Find ports for a command that is refused."""
    return str(ExchangeProcess(Path()).port_base)
