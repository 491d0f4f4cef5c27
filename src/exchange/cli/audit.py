"""`exchange audit …`: every event of every order of a day as a file whose rows are chained by hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cyclopts import App

from exchange.cli.export import date_number, export_from_engine, need_pyarrow, writing
from exchange.cli.failures import REFUSED, InputError
from exchange.cli.options import Options, Where
from exchange.cli.output import print_facts, show

app = App(name="audit", help="Write the audit trail of a day's orders, and find out whether one was changed.")
DEFAULT = Options()
HERE = Where()


@app.command
def export(
    folder: Path = Path(),
    *,
    day: str,
    format: Literal["csv", "json", "parquet"] = "csv",
    options: Options = DEFAULT,
) -> None:
    """Write every event of every order of a business date: `exchange audit export --day 2026-11-23 files`.

    Keep the hash that it prints somewhere else: `exchange audit verify` compares with it.

    Parameters
    ----------
    folder
        Where `audit-DATE-PARTITION.csv` is written; made where it is missing.
    day
        Which business date, such as 2026-11-23.
    format
        csv, json (a line for each row), or parquet, which needs pyarrow.
    """
    from exchange.clearing.surveillance.audit_files import AuditFile, export_audit
    from exchange.surveillance.audit_trail import AuditTrail

    if format == "parquet":
        need_pyarrow(format)
    date, partition = date_number(day), options.load().partition
    trail = AuditTrail(partition, date)
    with writing(folder), AuditFile(folder, partition, date, format) as file:
        export_from_engine(lambda source: export_audit(source, trail, file), options)
        if trail.rows <= 1:
            raise InputError(
                f"no event of an order on {day}; `exchange stats` shows the present business date"
            )
    facts = {"file": str(file.path), "rows": trail.rows, "hash": trail.hash.hex()}
    show(facts, options.json, lambda facts: print_facts(facts.items()))


@app.command
def verify(file: Path, *, hash: str = "", where: Where = HERE) -> int:
    """Find out whether an audit trail was changed: `exchange audit verify audit-2026-11-23-0.csv --hash 5f0c…`.

    Ends with 1 where it was.

    Parameters
    ----------
    file
        As `export` wrote it, under its name.
    hash
        What `export` printed.
    """
    from exchange.clearing.surveillance.audit_files import verify_file
    from exchange.infra.errors import InfraError

    try:
        fault, rows, found = verify_file(file)
    except InfraError as error:
        raise InputError(str(error)) from error
    if not fault and hash and hash != found:
        fault = f"the file is whole, and another one than was exported: its hash is {found}, wanted {hash}"
    facts = {"file": str(file), "rows": rows, "hash": found, "fault": fault or "none"}
    show(facts, where.json, lambda facts: print_facts(facts.items()))
    return REFUSED if fault else 0
