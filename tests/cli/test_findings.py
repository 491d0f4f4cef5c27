"""How findings are printed."""

from __future__ import annotations

import pytest

from exchange.cli.findings import Finding, print_findings, summary


def test_what_to_do_stands_below_what_was_seen(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([Finding("disk", "ok", "quick"), Finding("redis", "warning", "away", "start it")])
    assert capsys.readouterr().out.splitlines() == [
        "disk   ok       quick",
        "redis  warning  away",
        "                → start it",
        "2 things were looked at: 0 bad, 1 to be warned of",
    ]


def test_where_all_is_well_it_is_said() -> None:
    assert summary([Finding("disk", "ok", "quick")]) == "all 1 things that were looked at are well"
