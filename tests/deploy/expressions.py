"""Reads the names of figures and labels out of PromQL, and holds them to what a running exchange shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from exchange.launch.metric_catalogue import GROUPS

GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r'([A-Za-z_:][\w:]*)\s*(\{(?:[^}"]|"(?:[^"\\]|\\.)*")*\})?')
MATCHER = re.compile(r'([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"')
RANGE = re.compile(r"\[[^\]]*\]")
KEYWORDS = {"or", "and", "unless", "bool", "offset", "inf", "nan", "by", "on", "group_left"}
OF_PROMETHEUS = {
    "up": {"job", "instance"},
    "ALERTS": {"alertname", "alertstate", "severity", "job", "instance"},
}
"""Series that Prometheus itself makes."""
OF_A_SCRAPE = {"job", "instance"}
"""Labels that Prometheus adds to all it scrapes."""
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}


@dataclass
class Shown:
    """The series that there are, with their labels."""

    labels: dict[str, set[str]] = field(default_factory=dict)

    def take(self, text: str) -> None:
        """Take in what /metrics of a component says."""
        declared = {family.name: family.labels for group in GROUPS for family in group.families}
        for family in text_string_to_metric_families(text):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            for suffix in SUFFIXES[family.type]:
                labels = self.labels.setdefault(name + suffix, {*declared.get(name, ()), *OF_A_SCRAPE})
                labels |= {"le"} if suffix == "_bucket" else set()
            for sample in family.samples:
                self.labels[sample.name] |= set(sample.labels)


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each series that an expression names, with the labels it is chosen by."""
    plain = RANGE.sub("", GROUPING.sub("", expression))
    at = 0
    while (found := SELECTOR.search(plain, at)) is not None:
        at = found.end()
        name, matchers = found.groups()
        is_call = plain[at:].lstrip().startswith("(") and not matchers
        if is_call or name in KEYWORDS or plain[found.start() - 1 : found.start()].isdigit():
            continue
        yield name, set(MATCHER.findall(matchers or ""))


def mistakes(expression: str, shown: Shown) -> list[str]:
    """Say which names and labels of an expression no component shows."""
    known = {**shown.labels, **OF_PROMETHEUS}
    used = list(selectors(expression))
    found = [f"no figure {name}" for name, _ in used if name not in known]
    found += [
        f"{name} has no label {label}"
        for name, labels in used
        for label in sorted(labels - known.get(name, labels))
    ]
    there = set().union(*(known.get(name, set()) for name, _ in used))
    found += [f"no label {label} to group by" for label in grouped_by(expression) if label not in there]
    return found if used or "vector" in expression else [*found, "names no figure"]


def grouped_by(expression: str) -> list[str]:
    """List the labels that an expression groups or joins by."""
    return [
        label.strip() for part in GROUPING.findall(expression) for label in part.split(",") if label.strip()
    ]


def shown_by(texts: Iterable[str]) -> Shown:
    """Gather what several components show."""
    shown = Shown()
    for text in texts:
        shown.take(text)
    return shown
