"""Dies at a commit of a store, for tests of what a start finds then."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from sqlalchemy import Engine, event


def die_at_commit(store: Engine, when: str, number: int) -> None:
    """Send SIGKILL at the number-th commit, before the database hears of it or after it said yes; never at 0."""
    at_commit(store, when, number, lambda: os.kill(os.getpid(), signal.SIGKILL))


def at_commit(store: Engine, when: str, number: int, do: Callable[[], object]) -> None:
    """Do something at the number-th commit, before the database hears of it or after it said yes; never at 0."""
    left = number

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            do()

    if when == "before":
        event.listen(store, "commit", count)
    else:
        do_commit = store.dialect.do_commit

        def commit_and_count(connection: object) -> None:
            do_commit(connection)  # type: ignore[arg-type]
            count()

        store.dialect.do_commit = commit_and_count  # type: ignore[method-assign]
