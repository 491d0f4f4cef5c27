"""The command line as a whole: every command has its help with an example, and wrong words are told in one way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from exchange.cli import COMMANDS, make_app
from tests.cli.conftest import Run


def every_command() -> list[tuple[str, ...]]:
    """List all commands, those inside groups too."""
    found: list[tuple[str, ...]] = []
    app = make_app()
    for name in COMMANDS:
        group = app[name]
        inner = [each for each in group if not each.startswith("-")]
        found += [(name, each) for each in inner] or [(name,)]
    return found


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(run: Run, command: tuple[str, ...]) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    text = " ".join(ran.out.split())
    assert f"exchange {' '.join(command)}" in text.replace("Usage: exchange", "", 1), (
        "no example in its docstring"
    )


def test_the_list_of_commands_is_the_help(run: Run) -> None:
    text = run("--help").out
    for name in COMMANDS:
        assert f" {name} " in text
    assert "Start engine, reporter and clearing in one process" in text
    assert "Enter, change, cancel and look up orders." in text
    assert run().out == text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ordr",), 'Did you mean "order"?'),
        (("order", "bye", "AAPL", "1"), 'Did you mean "buy"?'),
        (("order", "buy", "AAPL"), "requires an argument"),
        (("order", "buy", "AAPL", "1", "--tif", "soon"), "--tif"),
        (("order", "buy", "AAPL", "1", "2"), "Unused Tokens"),
        (("order", "buy", "AAPL", "1", "--colour", "red"), "--colour"),
        (("up", "--port-base", "many"), "many"),
    ],
)
def test_wrong_words_end_with_two_and_say_where_help_is(run: Run, words: tuple[str, ...], says: str) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert says in ran.err
    assert "--help` shows how it is called" in ran.err


def test_wrong_words_are_told_in_json_where_json_is_wanted(run: Run) -> None:
    error = run("order", "bye", "--json").error
    assert (error["reason"], error["exit_code"]) == ("usage", 2)


HEAVY = {"aiohttp", "alembic", "prometheus_client", "rich.progress", "sqlalchemy", "structlog", "uvloop"}


@pytest.mark.parametrize(
    "words", [["order", "buy", "AAPL", "1"], ["book", "AAPL"], ["symbols", "list"], ["version"]]
)
def test_a_light_command_imports_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys; from exchange.cli import main\n"
        f"main({words!r} + ['--port-base', '1', '--key', 'x'][: {4 if words != ['version'] else 0}])\n"
        "print(sorted(set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(eval(done.stdout.splitlines()[-1]))
    assert not loaded & HEAVY
