"""What is shown of the feed is what the feed counts."""

from __future__ import annotations

from exchange.infra.feed import FeedStats
from exchange.wire.rest.reporter_stats import FeedView

NOT_COUNTED_BY_THE_FEED = {"partition", "lag"}


def test_every_figure_of_the_feed_that_is_shown_is_one_that_it_has() -> None:
    shown = {name for name in FeedView.__struct_fields__ if name not in NOT_COUNTED_BY_THE_FEED}
    assert shown <= {*FeedStats.__struct_fields__}
