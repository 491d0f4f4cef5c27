"""Explanations are told from a replay by each matcher there is."""

from __future__ import annotations

import pytest

from exchange.engine.replay import MatcherMissing, native_matcher, python_matcher
from tests.engine.explain.told import ToldDesk


@pytest.fixture(params=["python", "native"])
def desk(request: pytest.FixtureRequest) -> ToldDesk:
    """Give a desk whose history this matcher replays."""
    try:
        return ToldDesk(python_matcher() if request.param == "python" else native_matcher())
    except MatcherMissing as missing:
        pytest.skip(str(missing))
