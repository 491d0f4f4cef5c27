"""The engine's events over HTTP, where clearing may be there before the engine and its key."""

from __future__ import annotations

import pytest

from exchange.clearing.engine_source import EngineSource
from exchange.infra.errors import SourceUnavailable


async def test_a_key_that_is_not_there_yet_is_asked_for_again() -> None:
    asked = []

    def key() -> str:
        asked.append(1)
        raise SourceUnavailable("no key yet")

    source = EngineSource("http://127.0.0.1:1", key)
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="no key yet"):
            await source.fetch(0)
    assert len(asked) == 2
    await source.close()


async def test_with_a_key_the_engine_is_asked() -> None:
    source = EngineSource("http://127.0.0.1:1", lambda: "xk_1")
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:1 cannot be reached"):
        await source.fetch(0)
    await source.close()
