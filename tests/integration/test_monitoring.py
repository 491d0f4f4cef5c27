"""A real Prometheus scrapes a running exchange: every panel of the dashboard has something to show, alarms come and go.

And the log of that exchange is one JSON object a line, each with its component.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from tests.cli.processes import command
from tests.deploy.test_grafana import FOLDER as GRAFANA
from tests.deploy.test_grafana import expressions
from tests.deploy.test_prometheus import FOLDER as PROMETHEUS
from tests.infra.nsq_daemons import free_ports

PROGRAM = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(
    PROGRAM is None, reason="prometheus is not here; on Debian: apt-get install prometheus"
)
pytestmark = pytest.mark.integration
LIMIT_S = 90
MAY_BE_EMPTY = (
    "nsqd", "exchange_ouch", "exchange_itch_ends", "exchange_redis", "exchange_cache", "exchange_config", "ALERTS",
    "exchange_rejects", "changes(",
)  # fmt: skip
"""What shows nothing where there is no NSQ, OUCH, Redis or alarm, no subscriber left, nothing refused or restarted."""
T = TypeVar("T")


def eventually(look: Callable[[], T], what: str) -> T:
    """Look again and again until the answer is true, and return it."""
    ends_s = time.monotonic() + LIMIT_S
    while not (found := look()):
        assert time.monotonic() < ends_s, what
        time.sleep(0.2)
    return found


@contextmanager
def demo(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Run an exchange with house traders; its log goes to `log` in the folder."""
    addresses = folder / "data" / "addresses.json"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command("demo", "--port-base", "0", "--data", str(folder / "data")),
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        eventually(addresses.exists, "the exchange did not start")
        yield process, json.loads(addresses.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


class Prometheus:
    """A Prometheus of a test's own, on a port of its own, with the rules and jobs of the project."""

    def __init__(self, folder: Path, addresses: dict[str, Any]) -> None:
        folder.mkdir()
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(PROMETHEUS / "rules.yml")]
        for job in config["scrape_configs"]:
            if job["job_name"] in addresses:
                target = addresses[job["job_name"]].removeprefix("http://")
                job["static_configs"] = [{"targets": [target]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        assert PROGRAM is not None
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    PROGRAM,
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask for the present value of an expression; nothing while Prometheus is not there yet."""
        question = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{question}", timeout=30) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return []
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        except OSError:
            return []

    def alarms(self, states: str) -> set[str]:
        """Name the alarms in these states: firing, or pending too."""
        return {each["metric"]["alertname"] for each in self.query(f'ALERTS{{alertstate=~"{states}"}}')}

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(LIMIT_S)


@needs_prometheus
def test_every_panel_has_something_to_show_and_a_dead_exchange_raises_its_alarm(tmp_path: Path) -> None:
    dashboard = json.loads((GRAFANA / "dashboards" / "exchange.json").read_text(encoding="utf-8"))
    wanted = [
        (title, text)
        for title, text in expressions(dashboard)
        if not any(each in text for each in MAY_BE_EMPTY)
    ]
    with (
        demo(tmp_path) as (exchange, addresses),
        Prometheus(tmp_path / "prometheus", addresses) as prometheus,
    ):
        eventually(
            lambda: (
                len(prometheus.query("up == 1")) == 3
                and prometheus.query("rate(exchange_trades_total[1m]) > 0")
            ),
            "Prometheus has not scraped all three, with trades",
        )
        eventually(lambda: prometheus.query("exchange_breaks == 0"), "nothing was compared")
        assert len(wanted) > 60
        for title, text in wanted:
            eventually(lambda text=text: prometheus.query(text), f"{title} shows nothing: {text}")
        assert prometheus.alarms("firing") == set()
        exchange.kill()
        eventually(
            lambda: "ComponentDown" in prometheus.alarms("firing|pending"), "nobody noticed that all are dead"
        )


def test_every_line_of_the_log_says_its_component(tmp_path: Path) -> None:
    with demo(tmp_path):
        pass
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        assert list(line)[:4] == ["ts", "level", "event", "component"], line
    of = {
        name: [line for line in lines if line["component"] == name]
        for name in ("engine", "reporter", "clearing")
    }
    for name, own in of.items():
        assert {"http_listening", "http_stopped", f"{name}_started"} <= {line["event"] for line in own}, name
        assert any(line.get("sequence", 0) > 0 for line in own) or name != "engine"
    assert {line["component"] for line in lines} <= {*of, "launch", "house", "service", "simulation"}
