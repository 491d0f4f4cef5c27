"""Parsers that others wrote in Rust (itchy) and Java (juncture, nassau) read our ITCH and build our books from it.

Those in Python stand in tests/reporter/test_itch_files.py.
"""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from exchange.wire import binary_file
from tests.integration.exchange_process import Client, ExchangeProcess, wait_for
from tests.market_data.venue_flow import SYMBOLS
from tests.reporter.test_itch_files import BusyDay, levels_in

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
BUILD_S = 800
RUN_S = 120
ORDERS = 200


def run(*words: str | Path, cwd: Path | None = None, timeout_s: int = RUN_S) -> str:
    ran = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    return ran.stdout


@pytest.fixture(scope="module")
def itchy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the Rust driver; return the program."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not there, so itchy does not read our days here")
    target = tmp_path_factory.mktemp("itchy")
    run(
        "cargo", "build", "--quiet", "--locked", "--target-dir", target, cwd=HERE / "itchy", timeout_s=BUILD_S
    )
    return target / "debug" / "itchy-driver"


@pytest.fixture(scope="module")
def juncture(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the Java driver; return how it is called."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.skip("mvn or java is not there, so juncture does not read our days here")
    outputs = tmp_path_factory.mktemp("juncture")
    run("mvn", "-q", "-B", "compile", f"-Doutputs={outputs}", cwd=HERE / "juncture", timeout_s=BUILD_S)
    classes = outputs / "classes"
    return ["java", "-cp", f"{classes}:{classes / '*'}", "Driver"]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> BusyDay:
    return BusyDay(tmp_path_factory.mktemp("day"), 3)


def until_fullest(day: BusyDay, folder: Path) -> Path:
    """Write the day up to where its books were fullest."""
    file = folder / "part.itch"
    file.write_bytes(binary_file.encode(day.messages[: day.depth_after]))
    return file


def expected(day: BusyDay) -> set[str]:
    """List the levels of the venue's books as the drivers print them."""
    assert levels_in(day.depth) > 3
    return {
        f"level {symbol} {letter} {price} {quantity} {orders}"
        for symbol in SYMBOLS
        for letter, side in zip("BS", day.depth[symbol], strict=True)
        for price, quantity, orders in side
    }


def levels_of(printed: str) -> set[str]:
    return {line for line in printed.splitlines() if line.startswith("level ")}


def counts_of(printed: str) -> Counter[str]:
    rows = [line.split() for line in printed.splitlines() if line.startswith("count ")]
    return Counter({kind: int(count) for _, kind, count in rows})


def test_itchy_reads_the_same_messages_and_builds_our_books(
    day: BusyDay, itchy: Path, tmp_path: Path
) -> None:
    ours = Counter(chr(message[0]) for message in day.messages)
    assert counts_of(run(itchy, day.day.path)) == ours
    assert levels_of(run(itchy, until_fullest(day, tmp_path))) == expected(day)


def test_juncture_reads_the_same_messages_and_builds_our_books(
    day: BusyDay, juncture: list[str], tmp_path: Path
) -> None:
    ours = Counter(chr(message[0]) for message in day.messages)
    assert counts_of(run(*juncture, "file", day.day.path)) == ours
    assert levels_of(run(*juncture, "file", until_fullest(day, tmp_path))) == expected(day)


def test_juncture_and_nassau_follow_the_live_feed_and_have_the_book_of_the_engine(
    juncture: list[str], tmp_path: Path
) -> None:
    with ExchangeProcess(tmp_path / "data") as exchange:
        keys = exchange.keys()["participants"]
        alice, bob = (Client(exchange.url("engine"), keys[name]["key"]) for name in ("alice", "bob"))
        for number in range(ORDERS):
            price = f"10.{number * 7 % 40:02d}"
            who, side = (alice, "sell") if number % 3 else (bob, "buy")
            status, answer = who.call(
                "POST", "/api/v1/order", {"symbol": "XYZ", "side": side, "qty": "5", "price": price}
            )
            assert status < 300, answer
            if number % 11 == 10:
                status, answer = who.call("DELETE", f"/api/v1/order/{answer['id']}")
                assert status in (200, 422), answer
        (book,) = alice.get("/api/v1/book?symbol=XYZ&depth=1000")["items"]
        expected_levels = {
            f"level XYZ {letter} {round(float(row['price']) * 10_000)} {row['qty']} {row['orders']}"
            for letter, side in (("B", "bids"), ("S", "asks"))
            for row in book[side]
        }

        def read_all() -> tuple[int, str, set[str]]:
            count = itch_messages(exchange)
            printed = run(*juncture, "live", "127.0.0.1", str(exchange.port_base + 12), "1", str(count))
            return count, printed, {each for each in levels_of(printed) if each.startswith("level XYZ ")}

        count, printed, found = wait_for(
            lambda: (seen := read_all())[2] == expected_levels and seen, "the engine's book in the feed"
        )
        assert len(found) > 3
        assert counts_of(printed)["E"] > 10
        assert sum(counts_of(printed).values()) >= count


def itch_messages(exchange: ExchangeProcess) -> int:
    """Ask the reporter how many messages the day has."""
    with urllib.request.urlopen(f"{exchange.url('reporter')}/metrics", timeout=RUN_S) as answer:
        lines = answer.read().decode().splitlines()
    (value,) = [line.split()[-1] for line in lines if line.startswith("exchange_itch_messages")]
    return int(float(value))
