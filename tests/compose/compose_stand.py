"""The environment of compose.yaml in real containers: started, asked, killed from outside, and taken down again.

Compose 1.29.2 ends with 0 even where a service it started for another died at once, so nothing here believes its exit
code: every container is asked itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.compose.docker_daemon import DockerDaemon, compose_command
from tests.compose.look_alikes import make, run
from tests.integration.comparison import NAMES, Comparison
from tests.integration.exchange_process import Client, free_port_base, wait_for

ROOT = Path(__file__).parents[2]
PROJECT = "exchange-test"
SERVICES = (
    "redis", "nsqlookupd", "postgres", "nsqd", "nsqadmin", "engine", "clearing", "reporter", "traders",
)  # fmt: skip
WITHOUT_HEALTH = {"traders"}
"""Services that serve nothing and have no health check: they run, or they do not."""
UNUSED_KEPT = "72h"
"""What earlier builds left is kept so long: the next build begins there."""
UP_S = 600
HEAL_S = 180
STOP_S = 120
LOG_LINES = 40
IMAGE_NAME = "stock-exchange:local"


class Container(NamedTuple):
    """What docker says of one container. health: empty where it has no health check."""

    id: str
    running: bool
    health: str
    restarts: int
    pid: int
    exit_code: int
    started_at: str


def say(text: str) -> None:
    """Tell whoever watches what is being done."""
    print(f"compose-test: {text}", flush=True)


def _events(told: Path) -> list[tuple[float, str, str]]:
    """Read what docker has told so far."""
    lines = [json.loads(line) for line in told.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [
        (each["timeNano"] / 1e9, each["Actor"]["Attributes"]["com.docker.compose.service"], each["Action"])
        for each in lines
    ]


class ComposeStand(Comparison):
    """`with ComposeStand(daemon) as stand`: everything is up. Ports are free ones of this machine."""

    def __init__(self, daemon: DockerDaemon) -> None:
        self.daemon = daemon
        base = free_port_base()
        self.ports = {name: base + number for number, name in enumerate(NAMES, 1)}
        self.admin_port = base + 4
        self.environment: dict[str, str] = {}
        self.up_since = 0.0
        self.resting: set[str] = set()
        self.events: list[tuple[float, str, str]] = []
        """(seconds, service, what happened) of the last `up`; what: start, or health_status: healthy"""
        self._keys: dict[str, Any] = {}

    # --- life ---------------------------------------------------------------------------------------

    def __enter__(self) -> ComposeStand:
        self.daemon.start()
        self.environment = self.daemon.environment | {
            **{f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()},
            "NSQADMIN_PORT": str(self.admin_port),
        }
        try:
            if self.daemon.is_own:
                for tag in make(ROOT, self.environment, say):
                    say(f"{tag} is ready")
            self.down()
            say(f"building {IMAGE_NAME}")
            self.compose("build", "--quiet", "engine")
            self.up()
        except BaseException:
            say(self.report())
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        say("taking everything down")
        try:
            self.down()
            if self.daemon.is_own:
                self.docker("image", "prune", "--force", "--filter", f"until={UNUSED_KEPT}")
        finally:
            self.daemon.stop()

    def up(self, *services: str) -> None:
        """Bring services up, by default all, and wait until each runs and is healthy."""
        say("compose up")
        self.up_since = time.time()
        with self._watched() as told:
            self.compose("up", "--detach", "--no-build", *services)
            wait_for(lambda: not self.unwell(), "a healthy environment", UP_S)
            wait_for(
                lambda: {service for _, service, _ in _events(told)} >= {*(services or SERVICES)},
                "news of all",
            )
            self.events = _events(told)

    def down(self) -> None:
        """Take everything down, volumes too."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "40")

    def compose(self, *arguments: str) -> str:
        """Run docker-compose on the file of the project; return what it prints."""
        file = str(ROOT / "compose.yaml")
        return run(
            [*compose_command(), "--project-name", PROJECT, "--file", file, *arguments], self.environment
        )

    def docker(self, *arguments: str) -> str:
        return run(["docker", *arguments], self.environment)

    # --- what is there ------------------------------------------------------------------------------

    def containers(self) -> dict[str, Container]:
        """Return every container of the environment by the name of its service."""
        ids = self.docker(
            "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"
        ).split()
        found = {}
        for each in json.loads(self.docker("inspect", *ids)) if ids else ():
            state = each["State"]
            found[each["Config"]["Labels"]["com.docker.compose.service"]] = Container(
                id=each["Id"],
                running=state["Running"] and not state["Restarting"],
                health=state.get("Health", {}).get("Status", ""),
                restarts=each["RestartCount"],
                pid=state["Pid"],
                exit_code=state["ExitCode"],
                started_at=state["StartedAt"],
            )
        return found

    def unwell(self) -> list[str]:
        """Name the services that do not run, or are not healthy."""
        seen = self.containers()
        return [name for name in SERVICES if name not in self.resting and self._is_unwell(name, seen)]

    def _is_unwell(self, name: str, seen: dict[str, Container]) -> bool:
        found = seen.get(name)
        return not found or not found.running or (name not in WITHOUT_HEALTH and found.health != "healthy")

    @contextmanager
    def _watched(self) -> Iterator[Path]:
        """Write down what docker tells of starts and health; asked later, it knows only its last 256 events."""
        with tempfile.NamedTemporaryFile("w") as told:
            watcher = subprocess.Popen(
                [
                    "docker", "events", "--since", f"{self.up_since:.3f}", "--format", "{{json .}}",
                    "--filter", f"label=com.docker.compose.project={PROJECT}", "--filter", "type=container",
                    "--filter", "event=start", "--filter", "event=health_status",
                ],
                env=self.environment, stdout=told,
            )  # fmt: skip
            try:
                yield Path(told.name)
            finally:
                watcher.terminate()
                watcher.wait()

    def report(self) -> str:
        """Lay out how every service is, and the last lines that those said which are not well."""
        try:
            seen, unwell = self.containers(), self.unwell()
        except (AssertionError, subprocess.SubprocessError) as error:
            return f"nothing can be said of the containers: {error}"
        lines = [f"{name}: {container}" for name, container in seen.items()]
        for name in {*unwell, *NAMES}:
            if name in seen:
                lines += [f"--- the last lines of {name}", self.log_of(name)]
        return "\n".join(lines)

    def log_of(self, name: str) -> str:
        done = subprocess.run(
            ["docker", "logs", "--tail", str(LOG_LINES), self.containers()[name].id],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    # --- what is done to it -------------------------------------------------------------------------

    def stop(self, name: str) -> None:
        """Stop a service as an operator does; it is not missed until it is started again."""
        self.resting.add(name)
        self.compose("stop", name)

    def start(self, name: str) -> None:
        """Start a service that was stopped."""
        self.compose("start", name)
        self.resting.discard(name)

    def kill_nine(self, name: str) -> None:
        """End the first process of a service's container as a crash would; docker does not know who did it."""
        os.kill(self.containers()[name].pid, signal.SIGKILL)

    def wait_until_healed(self, name: str, before: Container) -> None:
        """Wait until a service runs in a new process, and every service is well."""
        wait_for(lambda: self.containers()[name].restarts > before.restarts, f"a restart of {name}", HEAL_S)
        wait_for(lambda: not self.unwell(), f"a healthy environment after {name} was killed", HEAL_S)

    # --- speaking to it -----------------------------------------------------------------------------

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def keys(self) -> dict[str, Any]:
        """Read the keys by the one command that the README names."""
        if not self._keys:
            self._keys = json.loads(self.compose("exec", "-T", "engine", "cat", "/data/keys.json"))
        return self._keys

    def client(self, name: str, who: str = "operator") -> Client:
        keys = self.keys()
        return Client(self.url(name), keys[who] if who in keys else keys["participants"][who]["key"])
