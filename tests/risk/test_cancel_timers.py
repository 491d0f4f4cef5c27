"""A cancel timer ends when it was set to end last."""

from __future__ import annotations

from exchange.risk.cancel_timers import CancelTimers


def test_the_soonest_ends_first_and_of_one_moment_the_lowest_participant() -> None:
    timers = CancelTimers()
    for participant_id, expires_ns in ((3, 20), (2, 10), (1, 10)):
        timers.set(participant_id, expires_ns)
    assert timers.next_ns() == 10
    assert [timers.take_due(15) for _ in range(3)] == [1, 2, 0]
    assert timers.expires_ns == {3: 20}


def test_set_again_it_ends_later_and_zero_stops_it() -> None:
    timers = CancelTimers()
    timers.set(1, 10)
    timers.set(1, 30)
    assert (timers.take_due(29), timers.next_ns()) == (0, 30)
    timers.set(1, 0)
    assert (timers.take_due(99), timers.next_ns()) == (0, 0)
