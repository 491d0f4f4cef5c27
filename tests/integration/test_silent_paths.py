"""Half-open connections, under load: nsqd, Redis, PostgreSQL and the engine's event log fall silent, and come back.

The path takes every byte and brings none, so nothing but a time-out can notice it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.infra.nsq_daemons import binary
from tests.infra.postgres_server import WHY_NOT
from tests.infra.redis_server import needs_server
from tests.integration.exchange_process import wait_for
from tests.integration.fault_stand import SILENCE_S, FaultRow, FaultStand, end_equal, heal_time
from tests.integration.nsq_stand import NAMES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), needs_server]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStand]:
    binary("nsqd")
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with FaultStand(tmp_path_factory.mktemp("silent")) as made:
        yield made


def test_a_silent_nsqd_is_given_up_and_the_engine_asked(stand: FaultStand) -> None:
    row = FaultRow("half-open path to nsqd, 5 s under load")
    with stand.load():
        swallowed = stand.to_nsqd.swallowed
        stand.to_nsqd.silence()
        time.sleep(5)
        assert stand.to_nsqd.swallowed > swallowed
        before = stand.engine_sequence()
        wait_for(
            lambda: all(int(stand.stats(name)["seq"]) >= before for name in NAMES[1:]),
            "consumers that go on without nsqd",
        )
        stand.to_nsqd.heal()
        row.healed(heal_time(stand))
    end_equal(stand)
    wait_for(
        lambda: stand.nsqd[0].get("/stats?format=json").count(b'"client_id"') >= 2, "connections to nsqd"
    )
    row.report()


def test_a_silent_redis_is_said_and_stops_nothing(stand: FaultStand) -> None:
    row = FaultRow("half-open path to Redis, until it is noticed, under load")
    with stand.load():
        stand.to_redis.silence()
        wait_for(lambda: stand.says("reporter", "all goes on without it"), "a note on Redis", 30)
        assert stand.is_ready("reporter")
        assert heal_time(stand) < 30
        stand.to_redis.heal()
        begun = time.monotonic()
        wait_for(lambda: not stand.says("reporter", "all goes on without it"), "Redis in use again", 30)
        row.healed(time.monotonic() - begun)
    end_equal(stand)
    row.report()


def test_a_silent_database_is_noticed_said_and_healed(stand: FaultStand) -> None:
    row = FaultRow(f"half-open path to PostgreSQL, {SILENCE_S:.0f} s under load")
    with stand.load():
        stand.to_postgres.silence()
        begun = time.monotonic()
        for name in NAMES[1:]:
            wait_for(lambda name=name: stand.says(name, "the store did not take"), f"{name} says so", 90)
        wait_for(lambda: time.monotonic() - begun > SILENCE_S, "the end of the silence", 60)
        assert stand.is_ready("engine")
        stand.to_postgres.heal()
        row.healed(heal_time(stand))
    end_equal(stand)
    row.report()


def test_a_silent_engine_is_noticed_and_what_was_missed_is_fetched(stand: FaultStand) -> None:
    row = FaultRow("half-open paths to nsqd and to the engine's event log, under load")
    with stand.load():
        stand.to_nsqd.silence()
        stand.to_engine.silence()
        for name in NAMES[1:]:
            wait_for(lambda name=name: stand.says(name, "did not answer within"), f"{name} says so", 120)
        stand.to_engine.heal()
        stand.to_nsqd.heal()
        row.healed(heal_time(stand))
    end_equal(stand)
    row.report()


def test_a_database_that_is_killed_and_comes_back_under_load(stand: FaultStand) -> None:
    row = FaultRow("PostgreSQL crashes under load, back after 2 s")
    for _ in range(3):
        with stand.load():
            stand.postgres.stop()
            time.sleep(2)
            stand.postgres.start()
            row.healed(heal_time(stand))
        end_equal(stand)
    row.report()


def test_sessions_of_both_components_are_ended_under_load(stand: FaultStand) -> None:
    row = FaultRow("pg_terminate_backend of every session, under load")
    for _ in range(5):
        with stand.load():
            stand.postgres.run_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'exchange %'"
            )
            row.healed(heal_time(stand))
        end_equal(stand)
    row.report()
