"""A schedule written into a configuration file: checked as a whole before it takes the file's place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exchange.cli.calendar_table import Table, merged, schedule_in, with_other_years
from exchange.cli.failures import InputError


def write_table(file: Path, table: Table, years: Sequence[int]) -> dict[str, Any]:
    """Merge a table into a file, which is made where there is none; return what it has of the table's keys.

    The file changes whole or not at all. Raise `InputError` where it would have a mistake, or cannot be written.
    """
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        before = schedule_in(text)
        _same_zone(before, table, years)
        values = with_other_years(table.values, before, years)
        _put(file.resolve(), merged(text, values))
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no UTF-8 text: {error}") from error
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{file} stays as it is: {error}") from error
    return values


def _same_zone(before: dict[str, Any], table: Table, years: Sequence[int]) -> None:
    """Refuse to mix the dates of two markets."""
    zone, wanted = before.get("time_zone"), table.values["time_zone"]
    others = with_other_years({"holidays": [], "half_days": []}, before, years)
    if zone not in (None, wanted) and any(others.values()):
        raise InputError(
            f"it has dates of other years in {zone}, and these are in {wanted}; take those out first"
        )


def _put(file: Path, text: str) -> None:
    from exchange.infra.config import read_config
    from exchange.infra.config_keys import ConfigError

    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        if file.exists():
            shutil.copymode(file, draft)
        read_config(draft)
        draft.replace(file)
    except ConfigError as error:
        mistakes = "; ".join(str(problem).replace(str(draft), str(file)) for problem in error.problems)
        raise InputError(f"it would have mistakes: {mistakes}") from error
    finally:
        draft.unlink(missing_ok=True)
