"""A failure ends with its exit code and is told once, in words or in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NoReturn

import pytest

from exchange.cli.failures import (
    CheckError,
    InputError,
    RefusedError,
    UnreachableError,
    UsageError,
    run_reporting,
)
from exchange.infra.errors import AccessRefused, InfraError, SourceUnavailable


def failing(error: BaseException) -> Callable[[], NoReturn]:
    def command() -> NoReturn:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (InputError("x"), 2),
        (CheckError("x"), 1),
        (RefusedError("x"), 1),
        (UnreachableError("x"), 3),
        (SourceUnavailable("x"), 3),
        (AccessRefused("x"), 1),
        (InfraError("x"), 2),
    ],
)
def test_each_failure_has_its_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_reporting(failing(error), as_json=False) == code
    assert capsys.readouterr() == ("", "exchange: x\n")


def test_a_failure_in_json_has_its_details(capsys: pytest.CaptureFixture[str]) -> None:
    run_reporting(failing(RefusedError("no", reason="price_missing", code=12)), as_json=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {"reason": "price_missing", "message": "no", "code": 12, "exit_code": 1}


def test_an_interruption_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_reporting(failing(KeyboardInterrupt()), as_json=False) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            NotADirectoryError(20, "Not a directory", "data/x"),
            "data/x: Not a directory; is it what you meant?",
        ),
        (
            PermissionError(13, "Permission denied", "data/x"),
            "data/x: Permission denied; let this user read and",
        ),
        (
            OSError(28, "No space left on device", "data/x"),
            "data/x: No space left on device; free space there",
        ),
    ],
)
def test_a_file_that_does_not_allow_it_is_named(
    error: OSError, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_reporting(failing(error), as_json=False) == 2
    assert capsys.readouterr().err.startswith(f"exchange: {words}")


def test_our_own_mistakes_are_not_hidden() -> None:
    with pytest.raises(AssertionError):
        run_reporting(failing(AssertionError()), as_json=False)


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (1, 1), ("text", 0), (True, 0)])
def test_a_command_that_returns_a_number_ends_with_it(result: object, code: int) -> None:
    assert run_reporting(lambda: result, as_json=False) == code
