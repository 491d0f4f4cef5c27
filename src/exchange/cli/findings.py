"""What `exchange doctor` finds: what was looked at, what was seen, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from exchange.cli.output import colour

Verdict = Literal["ok", "warning", "bad"]
STYLES = {"ok": "green", "warning": "bold", "bad": "red"}


class Finding(NamedTuple):
    """One thing that was looked at. do: what to do about it, empty where it is well."""

    what: str
    verdict: Verdict
    seen: str
    do: str = ""


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings, one a line, with what to do below."""
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        verdict = colour(finding.verdict.ljust(7), STYLES[finding.verdict])
        print(f"{finding.what.ljust(width)}  {verdict}  {finding.seen}")
        if finding.do:
            print(f"{' ' * (width + 11)}→ {finding.do}")
    print(summary(findings))


def summary(findings: Sequence[Finding]) -> str:
    """Count the findings by their verdict."""
    bad = sum(finding.verdict == "bad" for finding in findings)
    warnings = sum(finding.verdict == "warning" for finding in findings)
    if not bad and not warnings:
        return f"all {len(findings)} things that were looked at are well"
    return f"{len(findings)} things were looked at: {bad} bad, {warnings} to be warned of"
