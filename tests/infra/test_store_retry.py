"""Which failures of a store pass, and how a transaction is tried again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from exchange.infra import store_retry
from exchange.infra.store import StoreError
from exchange.infra.store_retry import back_off_s, passes, with_retries


class Said(Exception):
    """What a driver says, with a code as PostgreSQL's has."""

    def __init__(self, text: str, sqlstate: str | None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def operational(text: str = "lost", sqlstate: str | None = None) -> OperationalError:
    return OperationalError("INSERT", None, Said(text, sqlstate))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_retry, "BACK_OFF_FIRST_S", 0.0)


def failing(*errors: Exception) -> Callable[[], str]:
    """Return a transaction that fails with these and then succeeds."""
    left = list(errors)

    def commit() -> str:
        if left:
            raise left.pop(0)
        return "stored"

    return commit


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (operational("server closed the connection"), True),
        (operational("deadlock", "40P01"), True),
        (operational("could not serialize", "40001"), True),
        (operational("terminating connection", "57P01"), True),
        (operational("connection failure", "08006"), True),
        (DBAPIError("COPY", None, Said("gone", "XX000"), connection_invalidated=True), True),
        (PoolTimeoutError("QueuePool limit"), True),
        (operational("no space left on device", "53100"), False),
        (OperationalError("INSERT", None, OSError("disk is full")), False),
        (ProgrammingError("SELECT", None, Said("no table", "42P01")), False),
        (IntegrityError("INSERT", None, Said("there already", "23505")), False),
        (ValueError("ours"), False),
    ],
)
def test_which_failures_pass(error: Exception, expected: bool) -> None:
    assert passes(error) is expected


async def test_a_failure_that_passes_is_tried_again_more_often_than_others() -> None:
    told: list[tuple[str, int]] = []
    commit = failing(*[operational() for _ in range(20)])
    assert await with_retries(commit, lambda reason, tries: told.append((reason, tries))) == "stored"
    assert told == [("lost", number) for number in range(1, 21)]


async def test_an_outage_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_retry, "OUTAGE_S_MAX", -1.0)
    with pytest.raises(OperationalError, match="lost"):
        await with_retries(failing(operational()), lambda reason, tries: None)


async def test_a_failure_that_may_need_a_person_is_tried_a_few_times() -> None:
    told: list[int] = []
    full = [operational("no space left", "53100") for _ in range(store_retry.OTHER_TRIES_MAX)]
    assert await with_retries(failing(*full[1:]), lambda reason, tries: told.append(tries)) == "stored"
    assert told == [1, 2, 3, 4]
    with pytest.raises(OperationalError, match="no space left"):
        await with_retries(failing(*full), lambda reason, tries: None)


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("INSERT", None, Said("there already", "23505")),
        ProgrammingError("SELECT", None, Said("no table", "42P01")),
        StoreError("another process writes this store"),
        ValueError("ours"),
    ],
)
async def test_what_trying_again_cannot_help_is_raised_at_once(error: Exception) -> None:
    told: list[int] = []
    with pytest.raises(type(error)):
        await with_retries(failing(error), lambda reason, tries: told.append(tries))
    assert told == []


async def test_a_store_error_is_judged_by_what_caused_it() -> None:
    error = StoreError("events 1 to 5 cannot be stored")
    error.__cause__ = operational()
    assert await with_retries(failing(error), lambda reason, tries: None) == "stored"


def test_pauses_double_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_retry, "BACK_OFF_FIRST_S", 0.1)
    assert [back_off_s(tries) for tries in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert back_off_s(1_000_000) == store_retry.BACK_OFF_LAST_S
