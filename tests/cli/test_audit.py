"""`exchange audit …` writes a day's trail from a running engine, and says of a file whether it was changed."""

from __future__ import annotations

from pathlib import Path

from exchange.clearing.surveillance.audit_files import AuditFile
from exchange.surveillance.audit_trail import AuditTrail
from tests.cli.conftest import Run
from tests.cli.processes import ask, started


def write_trail(folder: Path) -> tuple[Path, str]:
    """Write a trail of no events, which is whole too."""
    trail = AuditTrail(0, 20261123)
    path = folder / "audit-2026-11-23-0.json"
    with AuditFile(folder, 0, 20261123, "json") as file:
        file.write(trail.end())
    return path, trail.hash.hex()


def test_a_file_is_verified_alone_and_against_a_hash_that_was_kept(run: Run, tmp_path: Path) -> None:
    path, hashed = write_trail(tmp_path)
    assert run("audit", "verify", str(path), "--hash", hashed, "--json").json["fault"] == "none"
    other = run("audit", "verify", str(path), "--hash", "00")
    assert (other.code, "another one than was exported" in other.out) == (1, True)
    path.write_text(path.read_text().replace("end_of_day", "end-of-day"))
    changed = run("audit", "verify", str(path))
    assert (changed.code, "row 1 was changed" in changed.out) == (1, True)


def test_what_cannot_be_done_is_said(run: Run, tmp_path: Path) -> None:
    assert "is no name of an audit trail" in run("audit", "verify", str(tmp_path / "x.csv")).err
    assert "must be such as 2026-11-23" in run("audit", "export", "--day", "monday").err
    ran = run(
        "audit",
        "export",
        "--day",
        "2026-11-23",
        str(tmp_path),
        "--url",
        "http://127.0.0.1:9",
        "--key",
        "xk_a",
    )
    assert "cannot be reached" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_day_of_a_running_engine_is_written_and_verified(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with started("engine", "--data", data, "--port-base", "0") as (_, facts):
        where = ("--data", data, "--url", facts["url"], "--json")
        ask("order", "sell", "AAPL", "100", "@", "189.20", "--as", "alice", *where)
        ask("order", "buy", "AAPL", "40", "@", "189.20", "--as", "bob", *where)
        day = ask("stats", *where).json["business_date"]
        written = ask("audit", "export", "--day", day, str(tmp_path / "files"), *where).json
        missing = ask("audit", "export", "--day", "2020-01-01", str(tmp_path / "files"), *where)
    assert written["rows"] == 5
    found = ask("audit", "verify", written["file"], "--hash", written["hash"], "--json")
    assert (found.code, found.json["rows"]) == (0, 5)
    assert "no event of an order on 2020-01-01" in missing.err
    assert [file.name for file in (tmp_path / "files").iterdir()] == [Path(written["file"]).name]
