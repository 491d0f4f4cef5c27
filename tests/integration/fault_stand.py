"""The three components on real nsqd, Redis and PostgreSQL, each reached over a path that can fall silent."""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from exchange.infra.store_patience import ANSWER_S_MAX
from tests.infra.nsq_daemons import Daemon
from tests.infra.postgres_server import PASSWORD, USER, PostgresServer
from tests.infra.redis_server import RedisServer
from tests.infra.silent_proxy import SilentProxy
from tests.integration.exchange_process import Client, wait_for
from tests.integration.nsq_stand import NAMES, NsqStand

REPORT = os.environ.get("FAULTS_REPORT", "")
HEAL_S_MAX = 120.0
REFUSED = re.compile(r"answered (429|503)")
"""What a component answers that has to be asked again."""
SILENCE_S = ANSWER_S_MAX + 3
"""Longer than the patience with a database, so that the silence is noticed and not only waited out."""


class FaultStand(NsqStand):
    """Engine → nsqd → reporter and clearing; their stores in PostgreSQL, the reporter's cache in Redis."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.nsqd = [Daemon("nsqd", folder / "nsqd")]
        self.postgres = PostgresServer()
        self.redis = RedisServer()
        self._paths = ExitStack()

    def __enter__(self) -> FaultStand:
        try:
            self.nsqd[0].start()
            self._paths.enter_context(self.postgres)
            self.redis.start()
            self._paths.callback(self.redis.kill)
            self.database = self.postgres.new_database().rpartition("/")[2]
            self.to_nsqd = self._path_to(self.nsqd[0].tcp_port)
            self.to_redis = self._path_to(self.redis.path)
            self.to_postgres = self._path_to(self.postgres.port)
            self.to_engine = self._path_to(self.ports["engine"])
            for name in NAMES:
                self.start(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._paths.close()

    def _path_to(self, target: int | Path) -> SilentProxy:
        return self._paths.enter_context(SilentProxy(target))

    def config_of(self, name: str) -> Path:
        store = f"postgresql+psycopg://{USER}:{PASSWORD}@{self.to_postgres.address}/{self.database}"
        own = (
            ""
            if name == "engine"
            else f'store_url = "{store}"\nengine_url = "http://{self.to_engine.address}"\n'
        )
        sections = {each: f"[{each}]\nport = {port}\n" for each, port in self.ports.items()}
        sections[name] += own
        file = self.folder / f"{name}.toml"
        file.write_text(
            f"[exchange]\ndata = {json.dumps(str(self.folder / 'data'))}\n"
            + "".join(sections.values())
            + f'[redis]\nurl = "redis://{self.to_redis.address}/0"\n'
            f'[bus]\nkind = "nsq"\nnsqd = ["{self.to_nsqd.address}"]\nannounce_ms = 500\n'
            "heartbeat_ms = 1000\nmessage_timeout_ms = 1000\nanswer_timeout_ms = 1000\n"
        )
        return file

    def readiness(self, name: str) -> dict[str, Any]:
        """Return what a component says of itself."""
        found: dict[str, Any] = Client(self.url(name)).call("GET", "/readyz")[1]
        return found

    def says(self, name: str, words: str) -> bool:
        """Tell whether a component gives this as a reason or note."""
        found = self.readiness(name)
        return any(words in said for said in (*found["reasons"], *found.get("notes", [])))


class FaultRow:
    """One row of the table in docs/reliability.md: a fault, how often it was made, and what came of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heals: list[float] = []

    def healed(self, seconds: float) -> None:
        """Note that all was as it must be so long after the fault was over: nothing lost, nothing twice."""
        self.heals.append(seconds)

    def report(self) -> None:
        """Print the row; lost and duplicated are 0, for otherwise the test has failed before this."""
        line = f"| {self.name} | {len(self.heals)} | 0 | 0 | {max(self.heals):.1f} |"
        print(line)
        if REPORT:
            with Path(REPORT).open("a") as file:
                file.write(line + "\n")


def end_equal(stand: FaultStand) -> None:
    """Wait until all are equal; connections that have been silent may first have to be noticed by who asks."""

    def is_equal() -> bool:
        try:
            stand.wait_until_equal()
        except (OSError, http.client.HTTPException):
            return False
        except AssertionError as error:
            if not REFUSED.search(str(error)):
                raise
            return False
        return True

    wait_for(is_equal, "all equal", HEAL_S_MAX)


def heal_time(stand: FaultStand) -> float:
    """Return how long it takes, under load, until both consumers hold what the engine holds now."""
    begun, wanted = time.monotonic(), stand.engine_sequence()

    def all_there() -> bool:
        try:
            return all(int(stand.stats(name)["seq"]) >= wanted for name in NAMES[1:])
        except (AssertionError, OSError, http.client.HTTPException):
            return False  # What asks the store may be told to come again.

    wait_for(all_there, "healed consumers", HEAL_S_MAX)
    return time.monotonic() - begun
