"""Why a command ends without success: what is said, in words or JSON, and with which exit code.

0 done · 1 refused by the exchange, or a check that failed · 2 wrong usage, input or configuration ·
3 cannot reach a component · 130 interrupted.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from exchange.infra.errors import AccessRefused, InfraError, SourceUnavailable

if TYPE_CHECKING:
    from cyclopts import CycloptsError

REFUSED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130


class CliError(Exception):
    """A command cannot do what it was asked; the message says what was wrong, what was seen, what to do.

    details: further fields of the JSON form.
    """

    exit_code = USAGE
    reason = "usage"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class UsageError(CliError):
    """The command was called wrongly."""


class InputError(CliError):
    """A file, folder or configuration is not what it must be."""

    reason = "wrong_input"


class CheckError(CliError):
    """What was checked does not hold."""

    exit_code = REFUSED
    reason = "check_failed"


class RefusedError(CliError):
    """The exchange said no; details: the fields of its error form."""

    exit_code = REFUSED
    reason = "refused"


class UnreachableError(CliError):
    """A component does not answer."""

    exit_code = UNREACHABLE
    reason = "unreachable"


def run_reporting(command: Callable[[], object], as_json: bool) -> int:
    """Run a command; report its failure to the standard error and return the exit code."""
    from cyclopts import CycloptsError

    try:
        result = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; without this, Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CliError as failure:
        return report(failure, as_json)
    except InfraError as error:
        return report(of_world(error), as_json)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        return report(InputError(f"{what}{error.strerror or error}; {_hint(error)}"), as_json)
    except CycloptsError as error:
        return report(_wrong_usage(error), as_json)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _hint(error: OSError) -> str:
    """Say what to do about a file that does not allow it."""
    if isinstance(error, PermissionError):
        return "let this user read and write there, or name another place"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free space there"
    return "is it what you meant?"


def of_world(error: InfraError) -> CliError:
    """Make a failure of an error of the world outside."""
    if isinstance(error, SourceUnavailable):
        return UnreachableError(str(error))
    if isinstance(error, AccessRefused):
        return RefusedError(str(error))
    return InputError(str(error))


def report(failure: CliError, as_json: bool) -> int:
    """Write a failure to the standard error and return its exit code."""
    if as_json:
        form = {
            "reason": failure.reason,
            "message": str(failure),
            **failure.details,
            "exit_code": failure.exit_code,
        }
        print(json.dumps(form, ensure_ascii=False), file=sys.stderr)
    else:
        named = f" ({failure.details['reason']})" if "reason" in failure.details else ""
        print(f"exchange: {str(failure).rstrip('.')}{named}", file=sys.stderr)
    return failure.exit_code


def _wrong_usage(error: CycloptsError) -> UsageError:
    """Say in one sentence what cyclopts says in a box, and where help is."""
    what = " ".join(str(error).split())
    command = " ".join(["exchange", *(error.command_chain or ())])
    return UsageError(f"{what.rstrip('.')}; `{command} --help` shows how it is called")
