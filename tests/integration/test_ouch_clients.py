"""Clients that others wrote speak OUCH with the gateway: nasdaq-protocols (Python) and nassau (Java)."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nasdaq_protocols.ouch
import pytest
from nasdaq_protocols.common import message as fields

from exchange.wire import ouch
from exchange.wire import ouch_messages as m
from tests.integration.exchange_process import ExchangeProcess

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
DRIVER = Path(__file__).with_name("nassau")
WAIT_S = 60
PRICE = 1_000_000
CODES = {
    "I": fields.UnsignedIntBE,
    "Q": fields.UnsignedLongBE,
    "H": fields.UnsignedShortBE,
    "c": fields.CharAscii,
}


def message_of(name: str, kind: str, direction: str, body: str) -> Any:
    """Make a message class of nasdaq-protocols from fields as the definitions of OUCH have them."""
    columns = [pair.split(":") for pair in body.split()]
    listed = [
        fields.Field(column, CODES[code] if code in CODES else fields.FixedAsciiString(int(code)))
        for column, code in columns
    ]
    record = type(f"{name}Record", (fields.Record,), {"Fields": listed})
    return type(
        name, (nasdaq_protocols.ouch.Message,), {"BodyRecord": record},
        indicator=ord(kind), direction=direction, app_name="exchange-ouch",
    )  # fmt: skip


Enter = message_of(
    "Enter", "O", "incoming",
    "urn:I side:c quantity:I symbol:8 price:Q tif:c display:c capacity:c iso:c cross:c clordid:14 appendage:H",
)  # fmt: skip
Cancel = message_of("Cancel", "X", "incoming", "urn:I quantity:I")
SystemEvent = message_of("SystemEvent", "S", "outgoing", "timestamp:Q event:c")
Accepted = message_of(
    "Accepted", "A", "outgoing",
    "timestamp:Q urn:I side:c quantity:I symbol:8 price:Q tif:c display:c reference:Q capacity:c iso:c cross:c "
    "state:c clordid:14 appendage:H",
)  # fmt: skip
Executed = message_of(
    "Executed", "E", "outgoing", "timestamp:Q urn:I quantity:I price:Q liquidity:c match:Q appendage:H"
)
Canceled = message_of("Canceled", "C", "outgoing", "timestamp:Q urn:I decrement:I reason:c")
Rejected = message_of("Rejected", "J", "outgoing", "timestamp:Q urn:I reason:H clordid:14")


class Session(nasdaq_protocols.ouch.ClientSession):  # type: ignore[misc]
    """A session that reads our messages."""

    def decode(self, bytes_: bytes) -> Any:
        return Accepted.from_bytes(bytes_)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    with ExchangeProcess(tmp_path_factory.mktemp("ouch") / "data") as running:
        yield running


def member(exchange: ExchangeProcess, name: str) -> tuple[str, str]:
    found = exchange.keys()["participants"][name]
    return found["ouch_user"], found["ouch_password"]


async def connect(exchange: ExchangeProcess, name: str, sequence: int, password: str = "") -> Any:
    user, own = member(exchange, name)
    async with asyncio.timeout(WAIT_S):
        return await nasdaq_protocols.ouch.connect_async(
            ("127.0.0.1", exchange.port_base + 11),
            user,
            password or own,
            "",
            sequence=sequence,
            session_factory=Session,
        )


async def take(session: Any, *kinds: Any) -> list[Any]:
    async with asyncio.timeout(WAIT_S):
        found = [await session.receive_message() for _ in kinds]
    assert [type(message) for message in found] == list(kinds), [str(message) for message in found]
    return found


def enter(number: int, side: str, quantity: int, price: int = PRICE) -> Any:
    message = Enter()
    for name, value in (
        ("urn", number), ("side", side), ("quantity", quantity), ("symbol", "XYZ"), ("price", price), ("tif", "0"),
        ("display", "Y"), ("capacity", "A"), ("iso", "N"), ("cross", "N"), ("clordid", f"N{number}"), ("appendage", 0),
    ):  # fmt: skip
        setattr(message, name, value)
    return message


async def test_nasdaq_protocols_enters_trades_cancels_and_comes_back(exchange: ExchangeProcess) -> None:
    alice, bob = await connect(exchange, "alice", 1), await connect(exchange, "bob", 1)
    await take(alice, SystemEvent)
    await take(bob, SystemEvent)
    alice.send_message(enter(1, "B", 100))
    (accepted,) = await take(alice, Accepted)
    assert (accepted.urn, accepted.quantity, accepted.symbol.strip(), accepted.price) == (
        1,
        100,
        "XYZ",
        PRICE,
    )
    bob.send_message(enter(1, "S", 40))
    _, removed = await take(bob, Accepted, Executed)
    (added,) = await take(alice, Executed)
    assert (added.match, added.liquidity, removed.liquidity) == (removed.match, "A", "R")
    alice.send_message(enter(2, "B", 100, PRICE + 1))
    cancel = Cancel()
    cancel.urn, cancel.quantity = 1, 0
    alice.send_message(cancel)
    rejected, canceled = await take(alice, Rejected, Canceled)
    assert (rejected.urn, rejected.reason, canceled.decrement, canceled.reason) == (2, 0x1D, 60, "U")
    await alice.close()
    await bob.close()
    for _ in range(100):
        try:
            again = await connect(exchange, "alice", 2)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)
    else:
        raise AssertionError("the session was never free again")
    missed = await take(again, Accepted, Executed, Rejected, Canceled)
    assert str(missed[0]) == str(accepted)
    await again.close()


async def test_nasdaq_protocols_enters_an_order_for_the_closing_auction_and_may_not_sell_short(
    exchange: ExchangeProcess,
) -> None:
    bob = await connect(exchange, "bob", 0)
    at_the_close, short = enter(5, "B", 10), enter(6, "T", 10)
    at_the_close.cross = "C"
    cancel = Cancel()
    cancel.urn, cancel.quantity = 5, 0
    for message in (at_the_close, short, cancel):
        bob.send_message(message)
    accepted, rejected, canceled = await take(bob, Accepted, Rejected, Canceled)
    assert (accepted.urn, accepted.tif, accepted.cross) == (5, "0", "C")
    assert (rejected.urn, rejected.reason) == (6, 0x0F)
    assert (canceled.urn, canceled.decrement, canceled.reason) == (5, 10, "U")
    await bob.close()


async def test_nasdaq_protocols_is_told_that_its_password_is_wrong(exchange: ExchangeProcess) -> None:
    with pytest.raises(ConnectionRefusedError, match="NOT_AUTHORIZED"):
        await connect(exchange, "carol", 0, "wrong")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the Java driver; return its class path."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.skip("mvn or java is not there, so nassau does not speak with the gateway here")
    outputs = tmp_path_factory.mktemp("nassau")
    built = subprocess.run(
        ["mvn", "-q", "-B", "compile", f"-Doutputs={outputs}"],
        cwd=DRIVER,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert built.returncode == 0, built.stdout[-3_000:] + built.stderr[-3_000:]
    return f"{outputs / 'classes'}:{outputs / 'classes' / '*'}"


def drive(
    exchange: ExchangeProcess,
    driver: str,
    sequence: int,
    count: int,
    *messages: m.Inbound,
    password: str = "",
) -> list[str]:
    user, own = member(exchange, "carol")
    words = ["127.0.0.1", str(exchange.port_base + 11), user, password or own, str(sequence), str(count)]
    ran = subprocess.run(
        ["java", "-cp", driver, "Driver", *words, *(ouch.encode(message).hex() for message in messages)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_nassau_logs_in_trades_and_resumes(exchange: ExchangeProcess, driver: str) -> None:
    order = m.EnterOrder(user_ref_num=1, side="B", quantity=10, symbol="XYZ", price=90_000, cl_ord_id="JAVA")
    first = drive(exchange, driver, 1, 2, order)
    assert first[0].endswith(" 1")
    assert first[0].startswith("accepted 20")
    started, accepted = (ouch.decode_outbound(bytes.fromhex(line.split()[1])) for line in first[1:])
    assert isinstance(started, m.SystemEvent)
    assert isinstance(accepted, m.Accepted)
    assert (accepted.user_ref_num, accepted.cl_ord_id) == (1, "JAVA")
    again = drive(exchange, driver, 2, 2, m.CancelOrder(user_ref_num=1))
    assert again[0] == first[0].rsplit(" ", 1)[0] + " 2"
    assert again[1] == first[2]
    canceled = ouch.decode_outbound(bytes.fromhex(again[2].split()[1]))
    assert isinstance(canceled, m.Canceled)
    assert canceled.decrement == 10
    assert drive(exchange, driver, 1, 0, password="wrong") == ["rejected A"]
