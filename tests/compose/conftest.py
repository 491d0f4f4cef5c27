"""The environment that all tests here share, in the order in which they stand; who fails shows what was logged."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.compose.compose_stand import ROOT, ComposeStand, say
from tests.compose.docker_daemon import DockerDaemon
from tests.compose.look_alikes import missing_parts

STAND = pytest.StashKey[ComposeStand]()


@pytest.fixture(scope="session")
def stand(request: pytest.FixtureRequest) -> Iterator[ComposeStand]:
    daemon = DockerDaemon()
    if reason := daemon.missing():
        say(f"skipped: {reason}")
        pytest.skip(reason)
    if not daemon.is_there() and (reason := missing_parts(ROOT)):
        say(reason)
        # Continuous integration installs docker; what else is missing there is a mistake, not a reason to skip.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with ComposeStand(daemon) as made:
        request.config.stash[STAND] = made
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call" and report.failed and STAND in item.config.stash:
        report.sections.append(("the containers", item.config.stash[STAND].report()))
    return report
