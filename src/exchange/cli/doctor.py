"""`exchange doctor`: looks at what an exchange needs, and says of each thing whether it is well and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exchange.cli.configuration import check_rules
from exchange.cli.doctor_components import Running, look_at_component, look_at_running
from exchange.cli.doctor_machine import (
    look_at_clock,
    look_at_disk,
    look_at_folder,
    look_at_keys,
    look_at_limits,
    look_at_matcher,
    look_at_time_keeping,
    look_at_versions,
)
from exchange.cli.doctor_servers import look_at_nsq, look_at_redis, look_at_stores, newest_shared_version
from exchange.cli.failures import REFUSED, CliError
from exchange.cli.figures import read_figures
from exchange.cli.findings import Finding, print_findings
from exchange.cli.options import Options
from exchange.cli.output import print_json
from exchange.cli.top import NAMES

if TYPE_CHECKING:
    from exchange.infra.config import Config

DEFAULT = Options()


def doctor(*, options: Options = DEFAULT) -> int:
    """Look at everything an exchange needs, and say what to do where it is not well: `exchange doctor`.

    Configuration, data folder, keys, disk, clock, limits, versions; Redis, NSQ and stores, where they are configured;
    the components, their versions and with which configuration they run. Ends with 1 where something is bad, so that a
    script can ask.
    """
    from exchange.infra.log import configure_log

    configure_log("critical")  # What is wrong is told as a finding, and once.
    findings = [finding for look in _looks(options) for finding in look()]
    if options.json:
        print_json([finding._asdict() for finding in findings])
    else:
        print_findings(findings)
    return REFUSED if any(finding.verdict == "bad" for finding in findings) else 0


def _looks(options: Options) -> Iterator[Callable[[], Iterable[Finding]]]:
    yield look_at_versions
    try:
        config = options.load()
        check_rules(config, options.config)
    except CliError as error:
        text = str(error)
        yield lambda: [
            Finding("configuration", "bad", text, "correct it; `exchange config check` looks again")
        ]
        return
    yield lambda: [Finding("configuration", "ok", _source_of(options))]
    yield partial(look_at_matcher, config.engine.matcher)
    yield partial(look_at_folder, config.data_folder)
    yield partial(look_at_keys, config.key_file_for())
    yield partial(look_at_disk, config.data_folder)
    yield look_at_clock
    yield look_at_time_keeping
    yield look_at_limits
    yield partial(look_at_redis, config)
    yield partial(look_at_nsq, config)
    yield partial(look_at_stores, config)
    yield partial(_look_at_components, config, options)


def _look_at_components(config: Config, options: Options) -> Iterator[Finding]:
    running: list[Running] = []
    for name in NAMES:
        url = options.address(name)
        figures = read_figures(url)
        yield look_at_component(name, config, figures)
        if not figures.problem:
            running.append(Running(name, figures, options))
    yield from look_at_running(config, running, newest_shared_version(config))


def _source_of(options: Options) -> str:
    file = options.config or os.environ.get("EXCHANGE_CONFIG") or "exchange.toml"
    return f"{file} is right" if Path(file).is_file() else "no file, everything has its default"
