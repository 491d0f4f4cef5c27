"""A desk whose commands can be explained: it keeps them as a history, for each matcher there is."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.engine.explain.explanation import explain
from exchange.engine.explain.past import Past, Run
from exchange.engine.explain.witness import hear
from exchange.engine.replay import VenueKind
from exchange.wire.records import decode_events
from exchange.wire.rest.explain import ExplainedMoment, Explanation
from tests.matching.desk import OPENING, Desk, numbered_record
from tests.scenarios.stage import Stage
from tests.scenarios.words import Names


class ToldDesk(Desk):
    """What is sent is remembered; `explain` replays it."""

    def __init__(self, kind: VenueKind, opening: Sequence[c.Command] = OPENING) -> None:
        self.kind = kind
        self.runs: list[Run] = []
        super().__init__(opening=opening)

    def send_record(self, record: bytes) -> list[e.Event]:
        numbered = numbered_record(record, self.venue.command_sequence + 1)
        self.runs.append(Run(numbered, self.time_ns, self.venue.running_hash))
        return decode_events(self.venue.apply(numbered, self.time_ns))

    def explain(self, order_id: int) -> Explanation:
        past = Past(lambda: self.kind.new(0), lambda: iter(self.runs), self.kind.name)  # type: ignore[arg-type,return-value]
        return explain(hear(past, order_id), self.kind.name)

    def id_of(self, events: Sequence[e.Event]) -> int:
        return next(
            event.order_id for event in events if isinstance(event, (e.OrderAccepted, e.OrderRejected))
        )


class ToldStage(Stage):
    """A stage on such a desk: a flow is told in the words of the scenarios, and its orders are known by their names."""

    def __init__(self, desk: ToldDesk) -> None:
        self.desk = desk
        self.told = desk
        self.names = Names(desk.venue.directory)

    def play(self, *steps: str) -> None:
        """Perform steps, whatever follows from them."""
        for step in steps:
            self.perform(step)

    def explain(self, name: str) -> Explanation:
        """Explain an order by its name."""
        return self.told.explain(self.names.order(name))


def said(moment: ExplainedMoment | Explanation) -> str:
    """Return all sentences, one a line."""
    return "\n".join(line.text for line in moment.lines)


def rules(moment: ExplainedMoment | Explanation) -> set[str]:
    """Return the paragraphs that are cited."""
    return {line.rule for line in moment.lines if line.rule}
