"""`exchange journal …`: what the journal of an engine holds and whether it is whole; nothing here changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclopts import App

from exchange.cli.failures import REFUSED
from exchange.cli.options import Where
from exchange.cli.output import print_facts, print_json, print_table, show

if TYPE_CHECKING:
    from pathlib import Path

    from exchange.engine.journal_reader import BatchShown, JournalCheck

app = App(name="journal", help="Check, show and count what an engine's journal holds, and take a snapshot.")
DEFAULT = Where()


@app.command
def check(*, where: Where = DEFAULT) -> int:
    """Read every file of an engine and say whether it can start from them: `exchange journal check --data data`.

    Works beside a running engine. Ends with 1 where something is wrong.
    """
    from exchange.engine import journal_reader

    found = journal_reader.check(engine_folder(where))
    show(builtins_of(found), where.json, lambda _: _print_check(found))
    return REFUSED if found.problems else 0


@app.command(name="show")
def show_(*, after: int = 0, limit: int = 20, where: Where = DEFAULT) -> None:
    """Show the commands of the journal, batch by batch: `exchange journal show --after 100 --limit 5`.

    Parameters
    ----------
    after
        Show commands after this sequence.
    limit
        At most this many batches.
    """
    from exchange.engine import journal_reader

    for batch in journal_reader.show(engine_folder(where), after, limit):
        if where.json:
            print_json(builtins_of(batch))
        else:
            _print_batch(batch)


@app.command
def stat(*, where: Where = DEFAULT) -> None:
    """Count what the journal holds: `exchange journal stat`."""
    from exchange.engine import journal_reader

    found = builtins_of(journal_reader.stat(engine_folder(where)))
    show(found, where.json, _print_stat)


@app.command
def snapshot(*, where: Where = DEFAULT) -> None:
    """Replay the journal and write a snapshot of its end, beside a running engine too: `exchange journal snapshot`."""
    from exchange.engine import journal_reader

    config = where.load()
    archive = config.engine.archive
    taken = journal_reader.take_snapshot(
        engine_folder(where),
        snapshots_kept=config.engine.snapshots_kept,
        archive=_path(archive) if archive else None,
    )
    show(
        builtins_of(taken),
        where.json,
        lambda facts: print_facts((_words(name), facts[name]) for name in facts),
    )


def engine_folder(where: Where) -> Path:
    """Return the engine's folder in the data folder."""
    return where.load().component_folder("engine")


def builtins_of(value: Any) -> Any:
    """Turn a typed answer into plain values that JSON has."""
    import msgspec

    return msgspec.to_builtins(value)


def _print_check(found: JournalCheck) -> None:
    running = ", and an engine is running on them" if found.is_running else ""
    ends = f"ends with {found.ends_with}" if found.ends_with else "is empty"
    print_facts(
        [
            ("journal", f"{found.segments} segments, {found.batches} batches, {ends}{running}"),
            ("commands", f"{found.first_sequence} to {found.last_sequence}, {found.commands} in all"),
            ("epoch", found.epoch),
            ("event log", f"events {found.first_event} to {found.last_event}"),
            ("snapshots", ", ".join(f"after {seen.command_sequence}" for seen in found.snapshots) or "none"),
        ]
    )
    for note in found.notes:
        print(f"note: {note}")
    for problem in found.problems:
        print(f"problem: {problem}")
    print("the engine cannot start from these files" if found.problems else "all whole")


def _print_batch(batch: BatchShown) -> None:
    from exchange.domain.units import format_time

    print(
        f"{batch.segment} at {batch.offset}: {batch.kind}, epoch {batch.epoch}, "
        f"{format_time(batch.time_ns)}, hash before {batch.running_hash}"
    )
    for command in batch.commands:
        facts = builtins_of(command.command) if command.command else {}
        text = " ".join(f"{name}={value}" for name, value in facts.items() if value != "")
        print(f"  {command.sequence} {command.name} {command.problem or text}")


def _print_stat(found: dict[str, Any]) -> None:
    from exchange.domain.units import format_time

    types = found.pop("by_type")
    for name in ("first_ns", "last_ns"):
        found[name.removesuffix("_ns")] = format_time(found.pop(name))
    print_facts((_words(name), value) for name, value in found.items())
    print()
    print_table(("command", ">count"), types.items(), "no commands")


def _path(text: str) -> Path:
    from pathlib import Path

    return Path(text)


def _words(name: str) -> str:
    return name.replace("_", " ")
