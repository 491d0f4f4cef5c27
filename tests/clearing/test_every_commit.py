"""At every commit of a day of the house its process dies, on both databases; it goes on and ends equal.

Here a process dies without one: an exception that nobody catches ends the work at the commit, the store's connections
are thrown away, and another store and keeper begin with what the database has. To the database this is a kill: before
the commit it rolls back, after it everything is there and nobody was told. `test_house_faults.py` does it with SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.infra.store import open_store
from exchange.post_trade.rules import parse_rules
from tests.clearing.deadly_commits import at_commit
from tests.clearing.killed_desk import do_everything
from tests.clearing.test_house_faults import straight

COMMITS = (
    "the first trades are judged and booked",
    "later ones are",
    "the last ones are",
    "the books are opened",
    "a review is filed",
    "it is denied",
    "a day is closed: netted, instructed, charged",
    "margin is called",
    "margin is paid",
    "a run is reserved",
    "it is given up",
    "a run is reserved anew",
    "it is ended",
    "a default is declared",
    "a bust is ordered",
    "the engine did not answer",
    "the engine refused it",
    "the trade is released",
    "a correction is ordered",
    "the engine took it",
)
"""Every commit of a day of the house, in order, and what it stores."""


class Died(BaseException):
    """The process is no more."""


def die() -> None:
    raise Died


@pytest.mark.integration
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_commit_the_house_goes_on_and_ends_equal(
    new_store_url: Callable[[str], str], when: str
) -> None:
    commits: list[object] = []
    wanted = straight(new_store_url("undisturbed"), commits.append)
    assert len(commits) == len(COMMITS), "each commit has a name here"
    for number, what in enumerate(COMMITS, 1):
        url = new_store_url(f"killed{number}")
        store = open_store(url, MIGRATIONS, synchronous="FULL")
        at_commit(store, when, number, die)
        with pytest.raises(Died):
            do_everything(BookKeeper(store, parse_rules([]), 0))
        store.dispose()
        assert straight(url) == wanted, f"killed {when} the commit in which {what}"
