"""Cycles made anew from the ledger's chains are those that netting made from positions, whatever was traded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.post_trade.books import Books
from exchange.post_trade.ledger import chains_of
from exchange.post_trade.netting import HASH_BYTES, KEPT_OUT, net, sum_of
from exchange.post_trade.netting_proof import ClosedDay, NettingProof, moved_by, obligations_between
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from tests.post_trade.stream import Stream
from tests.post_trade.test_books import streams

NO_CYCLES = bytes(HASH_BYTES)


def test_a_chain_says_who_gets_what() -> None:
    stream = Stream()
    stream.trade(1, 2, 100, price="189.00")
    books = Books(parse_rules([]))
    for event in stream.events:
        books.take(event, {}.get)
    (chain,) = chains_of(books.ledger.unsaved_transfers)
    assert list(moved_by(chain)) == [
        ((1, 1), (0, -18_900_0000)),
        ((2, 1), (0, 18_900_0000)),
        ((2, 1), (-100, 0)),
        ((1, 1), (100, 0)),
    ]


@settings(max_examples=40, deadline=None)
@given(stream=streams(), cuts=st.lists(st.integers(0, 60), max_size=3), is_forged=st.booleans())
def test_cycles_made_anew_are_those_that_were_closed(
    stream: Stream, cuts: list[int], is_forged: bool
) -> None:
    books, owed, closed, running = Books(parse_rules(DEFAULT_RULES)), {}, list[ClosedDay](), NO_CYCLES
    ends = [min(cut, len(stream.events)) for cut in sorted(cuts)] + [len(stream.events)]
    for day, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True), 1):
        for event in stream.events[start:end]:
            books.take(event, {}.get)
        waits = [each for each in books.changes.captured.values() if each.state in KEPT_OUT]
        found = list(net(books.positions.positions, waits, sorted(owed.items())))
        for each in found:
            pair = each.account_id, each.symbol_id
            quantity, cash = owed.get(pair, (0, 0))
            owed[pair] = quantity + each.quantity, cash + each.cash
        running = sum_of(running, day, found).hash
        closed.append(ClosedDay(day, end, running, frozenset(each.match_id for each in waits)))
    if is_forged:
        closed[-1] = closed[-1]._replace(hash=b"forged")
    proof = NettingProof(closed, [(1, 0)], NO_CYCLES)
    for chain in chains_of(books.ledger.unsaved_transfers):
        proof.add_chain(chain)
    assert len(proof.finish()) == is_forged


def test_what_was_owed_and_is_no_more_comes_back() -> None:
    (back,) = obligations_between({(1, 1): (5, -10), (2, 1): (1, 1)}, {(2, 1): (1, 1)})
    assert (back.account_id, back.quantity, back.cash) == (1, -5, 10)
