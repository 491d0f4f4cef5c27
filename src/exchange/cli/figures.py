"""What a component shows at /metrics, for people: values, rates between two readings, percentiles of what passed."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

ANSWER_S = 2.0
"""A component that takes longer counts as away."""
ANSWER_BYTES_MAX = 8 << 20

Labels = dict[str, str]


class Figures:
    """One reading of one component. problem: why there is none; at_s: when, by a clock that never goes back."""

    def __init__(self, url: str, text: str = "", problem: str = "", at_s: float = 0.0) -> None:
        from prometheus_client.parser import text_string_to_metric_families

        self.url = url
        self.problem = problem
        self.at_s = at_s
        self._samples: dict[str, list[tuple[Labels, float]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def value(self, name: str, **labels: str) -> float | None:
        """Return a figure, summed over all its labels but the given ones; None where it is not shown."""
        found = [value for _, value in self._chosen(name, labels)]
        return sum(found) if found else None

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return a figure by the values of a label."""
        values: dict[str, float] = {}
        for labels, value in self._chosen(name, {}):
            values[labels.get(label, "")] = values.get(labels.get(label, ""), 0.0) + value
        return values

    def label(self, name: str, label: str) -> str:
        """Return the value of a label of a figure, empty where there is none."""
        return next((labels[label] for labels, _ in self._chosen(name, {}) if label in labels), "")

    def _chosen(self, name: str, wanted: Labels) -> list[tuple[Labels, float]]:
        return [
            (labels, value)
            for labels, value in self._samples.get(name, ())
            if all(labels.get(label) == each for label, each in wanted.items())
        ]


def read_figures(url: str) -> Figures:
    """Read /metrics of a component; where that fails the reading is empty and says why."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=ANSWER_S) as answer:
            return Figures(url, answer.read(ANSWER_BYTES_MAX).decode(), at_s=time.monotonic())
    except urllib.error.HTTPError as error:
        return Figures(url, problem=f"{url}/metrics answered {error.code}; is this an exchange?")
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        return Figures(url, problem=f"cannot be reached at {url}: {getattr(why, 'strerror', None) or why}")


def read_readiness(url: str) -> tuple[list[str], list[str]]:
    """Return why a component is not ready, and what it does without; raise `OSError` where it cannot be asked."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=ANSWER_S) as answer:
            content = answer.read(ANSWER_BYTES_MAX)
    except urllib.error.HTTPError as error:
        if error.code != 503:
            return [f"{url}/readyz answered {error.code}; is this an exchange?"], []
        content = error.read(ANSWER_BYTES_MAX)
    try:
        body: Any = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("ready"), bool):
        return [f"{url}/readyz does not answer as an exchange does"], []
    return [str(each) for each in body.get("reasons", ())], [str(each) for each in body.get("notes", ())]


def rate(before: Figures, after: Figures, name: str, **labels: str) -> float | None:
    """Return how much a count grew a second; what began anew meanwhile counts from 0."""
    then, now = before.value(name, **labels), after.value(name, **labels)
    passed_s = after.at_s - before.at_s
    if now is None or passed_s <= 0 or before.problem:
        return None
    then = then or 0.0
    return (now - then if now >= then else now) / passed_s


def rates(before: Figures, after: Figures, name: str, label: str) -> dict[str, float]:
    """Return how much a count grew a second by the values of a label; what did not grow is left out."""
    passed_s = after.at_s - before.at_s
    if passed_s <= 0 or before.problem:
        return {}
    then = before.by(name, label)
    grown = {key: now - then.get(key, 0.0) for key, now in after.by(name, label).items()}
    return {key: value / passed_s for key, value in grown.items() if value > 0}


def percentile_ms(before: Figures, after: Figures, name: str, percent: int) -> float | None:
    """Return within how many milliseconds this share of what passed between two readings was done; None without any."""
    then = before.by(f"{name}_bucket", "le")
    counts = [
        (float(edge), count - then.get(edge, 0.0)) for edge, count in after.by(f"{name}_bucket", "le").items()
    ]
    counts.sort()
    if not counts or counts[-1][1] <= 0 or before.problem:
        return None
    wanted = counts[-1][1] * percent / 100
    low_s, seen = 0.0, 0.0
    for edge_s, count in counts:
        if count >= wanted:
            if edge_s == float("inf"):
                return low_s * 1_000
            return (low_s + (edge_s - low_s) * (wanted - seen) / (count - seen)) * 1_000
        low_s, seen = edge_s, count
    return None
