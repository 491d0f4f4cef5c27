"""`exchange config diff|apply|approve|…`: what changes at run time, in all components, through the engine."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from exchange.cli.failures import InputError
from exchange.cli.options import Options
from exchange.cli.output import print_table, show

DEFAULT = Options()
PATH = "/api/v1/config"
CELL_CHARACTERS_MAX = 60


def diff(file: Path, *, options: Options = DEFAULT) -> None:
    """Show what `apply` would change, and the commands the engine would sequence: `exchange config diff changes.toml`.

    Nothing is changed; the engine looks at the whole document as it would at `apply`.

    Parameters
    ----------
    file
        A file of TOML: the whole document.
    """
    draft = {"document": _read(file, options)}
    answer = _engine(options).post(f"{PATH}/diff", draft)
    show(answer, options.json, _print_plan)


def apply(file: Path, *, note: str = "", options: Options = DEFAULT) -> None:
    """Put a document in force, in all components: `exchange config apply changes.toml --note "finer ticks"`.

    The file is the whole document: a key that it leaves out is as each component was started; a symbol that it leaves
    out stays as it is. Where [exchange] config_approvals is 2 this proposes it, and another person approves it.

    Parameters
    ----------
    file
        A file of TOML with what is to change.
    note
        Why, for people.
    """
    change = {"document": _read(file, options), "note": note}
    _show_done(options, _engine(options).post(PATH, change))


def rollback(version: int, *, note: str = "", options: Options = DEFAULT) -> None:
    """Put an earlier version in force again, as a new one: `exchange config rollback 3`; 0 is the empty one.

    Parameters
    ----------
    version
        Which one, as `exchange config history` shows it.
    note
        Why, for people.
    """
    _show_done(options, _engine(options).post(f"{PATH}/rollback", {"version": version, "note": note}))


def approve(proposal: int, *, note: str = "", options: Options = DEFAULT) -> None:
    """Put another person's proposal in force: `exchange config approve 4 --key xk_…`.

    Parameters
    ----------
    proposal
        Which one, as `exchange config proposals` shows it.
    note
        Why, for people.
    """
    _show_done(options, _engine(options).post(f"{PATH}/proposals/{proposal}/approve", {"note": note}))


def reject(proposal: int, *, note: str = "", options: Options = DEFAULT) -> None:
    """Reject a proposal, or take back one's own: `exchange config reject 4 --note "wrong symbol"`.

    Parameters
    ----------
    proposal
        Which one, as `exchange config proposals` shows it.
    note
        Why, for people.
    """
    _show_done(options, _engine(options).post(f"{PATH}/proposals/{proposal}/reject", {"note": note}))


def proposals(*, options: Options = DEFAULT) -> None:
    """Show the proposals, newest first: `exchange config proposals`."""
    found = _engine(options).get(f"{PATH}/proposals")["items"]

    def print_all(rows: list[dict[str, Any]]) -> None:
        lines = [
            (
                str(each["proposal"]), each["state"], each["who"], each["at"][:19], each["expires_at"][:19],
                _values(each["document"]), each["note"], each["decided_by"],
            )
            for each in rows
        ]  # fmt: skip
        columns = (">proposal", "state", "by", "proposed", "expires", "values", "note", "decided by")
        print_table(columns, lines, "nothing was proposed yet")

    show(found, options.json, print_all)


def history(*, options: Options = DEFAULT) -> None:
    """Show the versions, newest first, and which component runs which: `exchange config history`."""
    engine = _engine(options)
    versions = engine.get(f"{PATH}/history")["items"]
    answer = {"versions": versions, "running": engine.get(f"{PATH}/running")}

    def print_all(_: Any) -> None:
        rows = [
            (
                str(each["version"]), each["at"][:19], _people(each), _values(each["document"]), each["note"]
            )
            for each in versions
        ]  # fmt: skip
        print_table((">version", "applied", "by", "values", "note"), rows, "nothing was applied yet")
        if answer["running"]:
            _print_running(answer["running"])

    show(answer, options.json, print_all)


def running(*, options: Options = DEFAULT) -> None:
    """Show which component runs which version, and what waits for its restart: `exchange config running`."""
    show(_engine(options).get(f"{PATH}/running"), options.json, _print_running)


def _engine(options: Options) -> Any:
    return options.official("operator", "engine")


def _read(file: Path, options: Options) -> dict[str, Any]:
    """Read a document and look for mistakes before anything is asked. Raise `InputError` with every one."""
    from exchange.infra.config_document import check_document, values_of
    from exchange.infra.config_keys import ConfigError

    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        plain: dict[str, Any] = json.loads(json.dumps(tables, default=str))
        check_document(options.load(), values_of(plain), str(file))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file} is not TOML: {error}") from error
    except ConfigError as error:
        raise InputError(str(error), problems=[str(problem) for problem in error.problems]) from error
    return plain


def _show_done(options: Options, done: dict[str, Any]) -> None:
    show(done, options.json, _print_done)


def _print_done(done: dict[str, Any]) -> None:
    if done["status"] == "rejected":
        print(f"proposal {done['proposal']} is rejected")
        return
    if done["status"] == "proposed":
        number = done["proposal"]
        print(f"proposal {number} waits for another person: `exchange config approve {number}` with his key")
    else:
        print(f"version {done['version']} is in force; `exchange config history` shows who runs it")
    if done["problem"]:
        print(f"problem: {done['problem']}")
    if done["seq"]:
        print(f"the market has it since event {done['seq']}")
    _print_plan(done)


def _print_plan(plan: dict[str, Any]) -> None:
    lines = [
        (row["key"], _text(row["before"]), _text(row["after"]), row["effect"]) for row in plan["changes"]
    ]
    print_table(("key", "before", "after", "takes effect"), lines, "nothing changes")
    if plan["commands"]:
        print("\nsequenced by the engine, in this order:")
        for command in plan["commands"]:
            print(f"  {command}")
    for note in plan["notes"]:
        print(f"note: {note}")


def _print_running(rows: list[dict[str, Any]]) -> None:
    lines = [
        (row["component"], str(row["version"]), ", ".join(row["pending"]), row["problem"]) for row in rows
    ]
    print_table(
        ("component", ">runs", "restart it for", "problem"), lines, "no component has said what it runs"
    )


def _people(version: dict[str, Any]) -> str:
    return " and ".join(name for name in (version["who"], version["approver"]) if name)


def _values(document: dict[str, Any]) -> str:
    from exchange.infra.config_document import values_of

    return ", ".join(f"{key} = {_text(value)}" for key, value in values_of(document).items())


def _text(value: Any) -> str:
    if value is None:
        return "as started"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CELL_CHARACTERS_MAX else text[: CELL_CHARACTERS_MAX - 1] + "…"
