"""`exchange config diff|apply|history|rollback`: what changes at run time, in all components at once, by Redis."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from exchange.cli.failures import InputError
from exchange.cli.options import Where
from exchange.cli.output import print_table, show

if TYPE_CHECKING:
    from exchange.infra.config import Config
    from exchange.infra.shared_config import Document, SharedConfig

T = TypeVar("T")
DEFAULT = Where()
NOTE_CHARACTERS_MAX = 200


def diff(file: Path, *, where: Where = DEFAULT) -> None:
    """Show what `apply` would change: `exchange config diff changes.toml`.

    Parameters
    ----------
    file
        A file of TOML with the keys that change at run time, and no others.
    """
    config = where.load()
    values = _read(file, config)

    async def ask(shared: SharedConfig) -> Document:
        return await _newest(shared)

    rows = _changes(_with_shared(config, ask).values, values)
    show(rows, where.json, lambda _: _print_changes(rows))


def apply(file: Path, *, note: str = "", where: Where = DEFAULT) -> None:
    """Put the keys of a file in force, in all components at once: `exchange config apply changes.toml --note why`.

    The file is the whole document: a key that it leaves out is as each component was started.

    Parameters
    ----------
    file
        A file of TOML with the keys that change at run time, and no others.
    note
        Why, for people.
    """
    config = where.load()
    _publish(config, _read(file, config), note, where)


def rollback(version: int, *, note: str = "", where: Where = DEFAULT) -> None:
    """Put an earlier version in force again, as a new one: `exchange config rollback 3`; 0 is none at all.

    Parameters
    ----------
    version
        Which one, as `exchange config history` shows it.
    note
        Why, for people.
    """
    config = where.load()

    async def ask(shared: SharedConfig) -> Document | None:
        return await shared.document(version)

    document = _with_shared(config, ask) if version >= 0 else None
    if document is None:
        raise InputError(f"there is no version {version}; `exchange config history` shows what is kept")
    _publish(config, document.values, note or f"back to version {version}", where)


def history(*, where: Where = DEFAULT) -> None:
    """Show the versions, newest first, and which component runs which: `exchange config history`."""
    import msgspec

    async def ask(shared: SharedConfig) -> tuple[list[Document], dict[str, int]]:
        return await shared.history(), await shared.running()

    documents, running = _with_shared(where.load(), ask)
    answer = {"versions": msgspec.to_builtins(documents), "running": running}

    def print_all(_: Any) -> None:
        rows = [
            (str(each.version), each.at, ", ".join(f"{k} = {v}" for k, v in each.values.items()), each.note)
            for each in documents
        ]
        print_table((">version", "applied", "values", "note"), rows, "nothing was applied yet")
        if running:
            print_table(("component", ">runs"), [(name, str(number)) for name, number in running.items()], "")

    show(answer, where.json, print_all)


def _publish(config: Config, values: dict[str, Any], note: str, where: Where) -> None:
    from exchange.infra.shared_config import Document

    async def ask(shared: SharedConfig) -> tuple[Document, list[dict[str, Any]]]:
        newest = await _newest(shared)
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        version = newest.version + 1
        document = Document(version=version, at=at, note=note[:NOTE_CHARACTERS_MAX], values=values)
        await shared.publish(document)
        return document, _changes(newest.values, values)

    document, rows = _with_shared(config, ask)

    def print_all(_: Any) -> None:
        print(f"version {document.version} is in force; `exchange config history` shows who runs it")
        _print_changes(rows)

    show({"version": document.version, "changes": rows}, where.json, print_all)


async def _newest(shared: SharedConfig) -> Document:
    from exchange.infra.shared_config import Document

    version = await shared.newest_version()
    return await shared.document(version) or Document(version=version)


def _read(file: Path, config: Config) -> dict[str, Any]:
    """Read and check a file of keys that change at run time. Raise `InputError` with every mistake in it."""
    from exchange.infra.config_keys import ConfigError
    from exchange.infra.shared_config import overlay, values_of

    try:
        values = values_of(tomllib.loads(file.read_text(encoding="utf-8")))
        overlay(config, values, str(file))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file} is not TOML: {error}") from error
    except ConfigError as error:
        raise InputError(str(error), problems=[str(problem) for problem in error.problems]) from error
    return values


def _with_shared(config: Config, ask: Callable[[SharedConfig], Awaitable[T]]) -> T:
    """Ask the shared configuration. Raise `InputError` where there is none."""
    from exchange.infra.redis_cache import open_redis
    from exchange.infra.shared_config import SharedConfig

    async def run() -> T:
        async with AsyncExitStack() as stack:
            link = open_redis(config, stack)
            if link is None:
                raise InputError("a configuration shared at run time needs Redis: set [redis] url")
            return await ask(SharedConfig(link))

    return asyncio.run(run())


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """List the keys that differ; None where a key is as each component was started."""
    keys = sorted({*before, *after})
    return [
        {"key": key, "before": before.get(key), "after": after.get(key)}
        for key in keys
        if before.get(key) != after.get(key)
    ]


def _print_changes(rows: list[dict[str, Any]]) -> None:
    def text(value: Any) -> str:
        return "as started" if value is None else str(value)

    lines = [(row["key"], text(row["before"]), text(row["after"])) for row in rows]
    print_table(("key", "before", "after"), lines, "nothing changes")
