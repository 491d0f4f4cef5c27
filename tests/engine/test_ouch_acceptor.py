"""The OUCH gateway over real sockets: trade, come back, be refused, be limited; nobody disturbs another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exchange.engine.ouch_acceptor import OuchAcceptor
from exchange.infra.config_sections import OuchConfig
from exchange.infra.errors import InfraError
from exchange.infra.soup_connection import Stage
from exchange.wire import ouch_messages as m
from exchange.wire import soupbintcp
from exchange.wire.ouch_session import Session
from tests.engine.ouch_client import OuchClient
from tests.engine.running_engine import RunningEngine, config_for, until


def acceptor_of(engine: RunningEngine) -> OuchAcceptor:
    assert engine.app.ouch is not None
    return engine.app.ouch


def sessions_of(engine: RunningEngine) -> list[Session]:
    return list(acceptor_of(engine).sessions.translator.state.sessions.values())


@asynccontextmanager
async def session(engine: RunningEngine, name: str = "alice", sequence: int = 1) -> AsyncIterator[OuchClient]:
    """Log a demo participant in, and read the start of day where the whole stream was asked for."""
    member = engine.app.keys.participants[name]
    async with OuchClient(acceptor_of(engine).port) as client:
        assert await client.log_in(member.ouch_user, member.ouch_password, sequence) == ""
        if sequence == 1:
            await client.expect(m.SystemEvent)
        yield client


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


def limited(tmp_path: Path, **limits: Any) -> RunningEngine:
    return RunningEngine(tmp_path, config_for(tmp_path, ouch=OuchConfig(**limits)))


# --- trading --------------------------------------------------------------------------------------


async def test_two_sessions_trade_and_rest_sees_both_orders(engine: RunningEngine) -> None:
    async with session(engine) as alice, session(engine, "bob") as bob:
        alice.order("B", 100, cl_ord_id="A1")
        (accepted,) = await alice.expect(m.Accepted)
        bob.order("S", 40)
        _, removed = await bob.expect(m.Accepted, m.Executed)
        (added,) = await alice.expect(m.Executed)
        assert (added.match_number, added.liquidity, removed.liquidity) == (removed.match_number, "A", "R")
        seen = await engine.get(f"/api/v1/order/{accepted.order_reference}", "alice")
        assert (seen.body["filled_qty"], seen.body["status"]) == ("40", "partially_filled")
        assert seen.body["client_order_id"].endswith("A1")


async def test_an_order_of_a_session_can_be_cancelled_and_changed_over_rest(engine: RunningEngine) -> None:
    async with session(engine) as alice:
        alice.order("B", 100)
        (accepted,) = await alice.expect(m.Accepted)
        path = f"/api/v1/order/{accepted.order_reference}"
        assert (await engine.ask("PATCH", path, "alice", {"qty": "60"})).status == 200
        assert (await engine.ask("DELETE", path, "alice")).status == 200
        reduced, cancelled = await alice.expect(m.Canceled, m.Canceled)
        assert (reduced.decrement, cancelled.decrement, cancelled.reason) == (40, 60, "U")


async def test_an_order_of_rest_trades_with_a_session_s_and_a_bust_reaches_the_session(
    engine: RunningEngine,
) -> None:
    async with session(engine) as alice:
        alice.order("B", 100, cl_ord_id="MINE")
        await alice.expect(m.Accepted)
        await engine.order("bob", "sell", "100", "189.20")
        (executed,) = await alice.expect(m.Executed)
        busted = await engine.post(
            f"/api/v1/trades/{executed.match_number}/bust", "clearing", {"reason": "erroneous"}
        )
        assert busted.status in (200, 201), busted
        (broken,) = await alice.expect(m.BrokenTrade)
        assert (broken.match_number, broken.reason, broken.cl_ord_id) == (executed.match_number, "E", "MINE")


async def test_what_belongs_to_sessions_cannot_be_sent_over_rest(engine: RunningEngine) -> None:
    refused = await engine.order("alice", "buy", "1", "189.20", client_order_id="~0000100000001BYA~~~~")
    assert (refused.status, "must not begin with ~" in refused.body["message"]) == (400, True)
    forged = 0xFF << 56 | 5 << 36 | 9 << 32 | 7
    assert (await engine.ask("DELETE", f"/api/v1/order/{forged}", "alice")).status == 404
    label = {"role": "trader", "participant": "1", "label": "ouch:EVIL account=2"}
    assert (await engine.post("/api/v1/keys", "operator", label)).status == 400


async def test_many_messages_in_one_write_are_answered_in_their_order(engine: RunningEngine) -> None:
    async with session(engine) as alice:
        count = 3_000
        alice.send(
            *(
                m.EnterOrder(user_ref_num=number, side="B", quantity=1, symbol="AAPL", price=1_000_000)
                for number in range(1, count + 1)
            )
        )
        answers = await alice.expect(*[m.Accepted] * count)
        assert [answer.user_ref_num for answer in answers] == list(range(1, count + 1))


async def test_what_clients_send_while_the_gateway_rests_is_answered_when_it_goes_on(
    engine: RunningEngine,
) -> None:
    acceptor = acceptor_of(engine)
    async with session(engine) as alice, session(engine, "bob") as bob:
        alice.order("B", 100)
        await alice.expect(m.Accepted)
        before = acceptor.counters.messages
        acceptor.go_on()
        acceptor.rest()
        alice.order("B", 10)
        bob.order("S", 30)
        await until(lambda: len(acceptor.heard) == 2)
        alice.order("B", 20)
        bob.order("S", 40)
        assert acceptor.counters.messages == before
        acceptor.go_on()
        answers = [await alice.message() for _ in range(4)]
        kinds = sorted(type(answer).__name__ for answer in answers)
        assert kinds == ["Accepted", "Accepted", "Executed", "Executed"]
        assert [answer.quantity for answer in answers if isinstance(answer, m.Accepted)] == [10, 20]
        assert acceptor.counters.messages == before + 4


async def test_a_client_that_is_not_read_for_long_is_not_taken_for_dead(engine: RunningEngine) -> None:
    async with session(engine) as alice:
        acceptor = acceptor_of(engine)
        alice.order("B", 100)
        await alice.expect(m.Accepted)
        acceptor.rest()
        alice.order("B", 10)
        await until(lambda: bool(acceptor.heard))
        (connection,) = acceptor.connections
        soon = int(acceptor.loop.time() * 1_000)
        connection.look(soon + 3_600_000)
        acceptor.go_on()
        await alice.expect(m.Accepted)
        connection.look(soon + 7_200_000)
        assert connection.stage is Stage.ENDED


# --- login and resume -----------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [1, 3, 5])
async def test_a_client_that_comes_back_gets_exactly_what_it_missed(
    engine: RunningEngine, sequence: int
) -> None:
    async with session(engine) as alice:
        for _ in range(4):
            alice.order()
        await alice.expect(*[m.Accepted] * 4)
        raw = alice.raw
    await until(lambda: not acceptor_of(engine).by_session)
    member = engine.app.keys.participants["alice"]
    async with OuchClient(acceptor_of(engine).port) as again:
        assert await again.log_in(member.ouch_user, member.ouch_password, sequence) == ""
        assert again.next_sequence == sequence
        for _ in raw[sequence - 1 :]:
            await again.message()
        assert again.raw == raw[sequence - 1 :]
        again.send(m.AccountQuery())
        (asked,) = await again.expect(m.AccountQueryResponse)
        assert asked.next_user_ref_num == 5


async def test_sequence_zero_gives_only_what_is_new(engine: RunningEngine) -> None:
    async with session(engine) as alice:
        alice.order()
        await alice.expect(m.Accepted)
    await until(lambda: not acceptor_of(engine).by_session)
    async with session(engine, sequence=0) as alice:
        assert alice.next_sequence == 3
        alice.send(m.CancelOrder(user_ref_num=1))
        await alice.expect(m.Canceled)


@pytest.mark.parametrize("padding", ["left", "right", "zeroes"])
async def test_both_kinds_of_padding_are_taken(engine: RunningEngine, padding: str) -> None:
    member = engine.app.keys.participants["alice"]
    name = acceptor_of(engine).sessions.name.encode()
    number = {"left": b"1".ljust(20), "right": b"1".rjust(20), "zeroes": b"1".rjust(20, b"0")}[padding]
    payload = member.ouch_user.encode().ljust(6) + member.ouch_password.encode().ljust(10) + name + number
    async with OuchClient(acceptor_of(engine).port) as client:
        client.write(soupbintcp.packet(b"L", payload))
        kind, answer = await client.packet()
        assert (kind, answer[10:]) == (b"A", b"1".rjust(20))


async def test_logins_that_do_not_fit_are_refused_with_their_reason(engine: RunningEngine) -> None:
    member = engine.app.keys.participants["alice"]
    port = acceptor_of(engine).port
    user, password = member.ouch_user, member.ouch_password
    for reason, attempt in (
        ("A", (user, "wrong")),
        ("A", ("NOBODY", password)),
        ("S", (user, password, 1, "2020010100")),
        ("S", (user, password, 99)),
    ):
        async with OuchClient(port) as client:
            assert await client.log_in(*attempt) == reason  # type: ignore[arg-type]
            assert await client.until_closed() == []
    assert acceptor_of(engine).counters.logins_refused == 4


async def test_a_user_that_is_logged_in_cannot_log_in_again(engine: RunningEngine) -> None:
    member = engine.app.keys.participants["alice"]
    async with session(engine) as first:
        async with OuchClient(acceptor_of(engine).port) as second:
            assert await second.log_in(member.ouch_user, member.ouch_password) == "S"
        first.order()
        await first.expect(m.Accepted)


async def test_orders_behind_the_login_in_one_write_are_taken(engine: RunningEngine) -> None:
    member = engine.app.keys.participants["alice"]
    async with OuchClient(acceptor_of(engine).port) as client:
        client.write(
            soupbintcp.login_request(
                soupbintcp.LoginRequest(member.ouch_user, member.ouch_password, sequence=1)
            )
        )
        client.order()
        kind, _ = await client.packet()
        assert kind == b"A"
        await client.expect(m.SystemEvent, m.Accepted)


async def test_a_client_that_logs_out_is_let_go(engine: RunningEngine) -> None:
    async with session(engine) as alice:
        alice.write(soupbintcp.packet(b"O"))
        assert await alice.until_closed() == []
    assert acceptor_of(engine).counters.ended["the client logged out"] == 1


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00",
        b"\x00\x01R",
        b"\xff" * 5_000,
        b"\x00\x2fL" + b"\xff" * 46,
    ],
)
async def test_garbage_instead_of_a_login_ends_that_connection_only(
    engine: RunningEngine, garbage: bytes
) -> None:
    async with session(engine) as alice:
        async with OuchClient(acceptor_of(engine).port) as other:
            other.write(garbage)
            assert await other.until_closed() == []
        alice.order()
        await alice.expect(m.Accepted)


@pytest.mark.parametrize(
    "garbage",
    [
        soupbintcp.packet(b"U", b"Z"),
        soupbintcp.packet(b"U", b"O" * 20),
        soupbintcp.packet(b"S", b"x"),
        soupbintcp.packet(b"L", b"x" * 46),
        b"\x20\x00U",
    ],
)
async def test_garbage_in_a_session_ends_it_with_the_reason_and_no_other(
    engine: RunningEngine, garbage: bytes
) -> None:
    async with session(engine) as alice, session(engine, "bob") as bob:
        bob.order()
        bob.write(garbage)
        await bob.until_closed()
        assert bob.debug[0].startswith(b"protocol error: ")
        alice.order()
        await alice.expect(m.Accepted)
    await until(lambda: not acceptor_of(engine).by_session)
    async with session(engine, "bob") as bob:
        await bob.expect(m.Accepted)


async def test_a_client_that_goes_away_in_the_middle_of_a_message_disturbs_nobody(
    engine: RunningEngine,
) -> None:
    async with session(engine) as alice:
        async with session(engine, "bob") as bob:
            bob.write(b"\x00\x30UO\x00\x00")
            bob.writer.close()
        alice.order()
        await alice.expect(m.Accepted)


# --- limits and silence ---------------------------------------------------------------------------


async def test_a_heartbeat_comes_after_a_second_and_a_silent_client_is_let_go(tmp_path: Path) -> None:
    async with limited(tmp_path, dead_after_s=2) as engine, session(engine) as alice:
        assert await alice.until_closed() == []
        assert alice.heartbeats >= 1
        assert acceptor_of(engine).counters.ended == {"nothing was heard from it": 1}


async def test_a_client_that_sends_heartbeats_is_kept(tmp_path: Path) -> None:
    async with limited(tmp_path, dead_after_s=2) as engine, session(engine) as alice:
        for _ in range(10):
            alice.write(soupbintcp.packet(b"R"))
            await asyncio.sleep(0.3)
        alice.order()
        await alice.expect(m.Accepted)


async def test_a_connection_that_never_logs_in_is_let_go(tmp_path: Path) -> None:
    async with limited(tmp_path, dead_after_s=2) as engine, OuchClient(acceptor_of(engine).port) as client:
        assert await client.until_closed() == []


async def test_connections_above_the_limit_are_closed_at_once(tmp_path: Path) -> None:
    async with limited(tmp_path, connections_max=1) as engine, session(engine) as alice:
        async with OuchClient(acceptor_of(engine).port) as other:
            assert await other.until_closed() == []
        assert acceptor_of(engine).counters.connections_refused == 1
        alice.order()
        await alice.expect(m.Accepted)


async def test_a_session_with_few_waiting_orders_still_gets_all_answers(tmp_path: Path) -> None:
    async with limited(tmp_path, waiting_orders_max=3) as engine, session(engine) as alice:
        for _ in range(50):
            alice.order()
        answers = await alice.expect(*[m.Accepted] * 50)
        assert len({answer.timestamp for answer in answers}) >= 50 / 3


async def test_a_session_above_its_rate_is_slowed_and_loses_nothing(tmp_path: Path) -> None:
    async with limited(tmp_path, messages_per_s=100) as engine, session(engine) as alice:
        begun = asyncio.get_running_loop().time()
        for _ in range(4):
            for _ in range(50):
                alice.order()
            await alice.expect(*[m.Accepted] * 50)
        assert asyncio.get_running_loop().time() - begun > 0.4


async def test_a_slow_reader_is_let_go_and_finds_everything_when_it_comes_back(tmp_path: Path) -> None:
    async with limited(tmp_path, unsent_kib=512) as engine:
        acceptor = acceptor_of(engine)
        rounds, each = 60, 2_000
        async with session(engine) as alice, session(engine, "bob") as bob:
            alice.reader._limit = 1  # type: ignore[attr-defined]
            for at in range(rounds):
                if alice.writer.is_closing() or "slow reader" in acceptor.counters.ended:
                    break
                alice.send(
                    *(
                        m.EnterOrder(
                            user_ref_num=at * each + n, side="B", quantity=1, symbol="AAPL", price=100
                        )
                        for n in range(1, each + 1)
                    )
                )
                await asyncio.sleep(0.02)
            await until(lambda: "slow reader" in acceptor.counters.ended)
            bob.order("S", price=1_900_000)
            await bob.expect(m.Accepted)
        number = next(each.session for each in sessions_of(engine) if each.user == "ALICE")
        await until(lambda: not acceptor.sessions.translator.waiting(number))
        async with session(engine) as alice:
            alice.send(m.AccountQuery())
            numbers = []
            while not isinstance(message := await alice.message(), m.AccountQueryResponse):
                assert isinstance(message, m.Accepted)
                numbers.append(message.user_ref_num)
            assert numbers == list(range(1, message.next_user_ref_num))


async def test_an_engine_that_takes_few_commands_at_a_time_still_takes_all(tmp_path: Path) -> None:
    config = config_for(tmp_path, max_pending_commands=100)
    async with RunningEngine(tmp_path, config) as engine, session(engine) as alice:
        for _ in range(200):
            alice.order()
        await alice.expect(*[m.Accepted] * 200)
        alice.send(*(m.ModifyOrder(user_ref_num=number, side="B", quantity=50) for number in range(1, 201)))
        await alice.expect(*[m.Modified] * 200)


# --- cancel on disconnect -------------------------------------------------------------------------


async def add_user(engine: RunningEngine, **terms: Any) -> tuple[str, str]:
    made = await engine.post("/api/v1/sessions", "operator", {"user": "COD", "account": "1", **terms})
    assert made.status == 201, made
    return made.body["user"], made.body["password"]


async def test_the_orders_of_a_session_that_wants_it_are_cancelled_when_it_leaves(
    engine: RunningEngine,
) -> None:
    user, password = await add_user(engine, cancel_on_disconnect=True)
    async with OuchClient(acceptor_of(engine).port) as client, session(engine) as alice:
        assert await client.log_in(user, password) == ""
        alice.order()
        await alice.expect(m.Accepted)
        for _ in range(20):
            client.order()
        await client.expect(m.SystemEvent, *[m.Accepted] * 10)
        client.writer.close()
        await until(lambda: engine.app.venue.live_orders == 1)
    async with OuchClient(acceptor_of(engine).port) as client:
        assert await client.log_in(user, password, 22) == ""
        answers = await client.expect(*[m.Canceled] * 20)
        assert sorted(answer.user_ref_num for answer in answers) == list(range(1, 21))


async def test_after_a_restart_they_are_cancelled_too(engine: RunningEngine) -> None:
    user, password = await add_user(engine, cancel_on_disconnect=True)
    async with OuchClient(acceptor_of(engine).port) as client:
        assert await client.log_in(user, password) == ""
        client.order()
        await client.expect(m.SystemEvent, m.Accepted)
        await engine.restart()
    await until(lambda: engine.app.venue.live_orders == 0)


async def test_a_session_without_it_keeps_its_orders(engine: RunningEngine) -> None:
    async with session(engine) as alice:
        alice.order()
        await alice.expect(m.Accepted)
    await engine.restart()
    assert engine.app.venue.live_orders == 1


# --- the port -------------------------------------------------------------------------------------


async def test_a_port_that_is_taken_says_so(engine: RunningEngine, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = limited(tmp_path / "other", port=acceptor_of(engine).port)
    with pytest.raises(InfraError, match=r"OUCH cannot listen on 127.0.0.1 port \d+"):
        await other.app.start()


async def test_where_it_is_switched_off_nothing_listens(tmp_path: Path) -> None:
    async with limited(tmp_path, enabled=False) as engine:
        assert engine.app.ouch is None
        assert (await engine.get("/api/v1/sessions", "operator")).items == []
        refused = await engine.post("/api/v1/sessions", "operator", {"user": "X", "account": "1"})
        assert refused.status == 404
        assert engine.app.keys.participants["alice"].ouch_user == ""
