"""Explains one order in a process of its own, with bounds on its time and memory: the engine never waits for it.

It writes the explanation as JSON on its standard output. Anything else is an exit code, and a line on the other one.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
from pathlib import Path

import msgspec

from exchange.domain.units import sequence_of
from exchange.engine.explain.explanation import explain
from exchange.engine.explain.past import HistoryGone, past_of
from exchange.engine.explain.witness import Unheard, hear
from exchange.engine.replay import RulesChanged, choose_matcher
from exchange.infra.errors import InfraError
from exchange.wire.rest.explain import Explanation

FAILED, GONE, UNHEARD, TOO_LARGE = 1, 3, 4, 5
"""Exit codes: it could not be done; history is not kept so far back; no event names the order; no memory left."""
MEMORY_BYTES_MAX = 4 << 30
CPU_S_MAX = 60
NICENESS = 10


def explain_order(folder: Path, order_id: int, matcher: str = "auto") -> Explanation:
    """Return why an order fared as it did. folder: `DATA/engine`.

    Raise `HistoryGone`, `RulesChanged` or `Unheard` where that cannot be told any more, other `InfraError` where the
    journal cannot be read or does not repeat itself.
    """
    kind = choose_matcher("python" if matcher == "python" else "auto")
    past = past_of(folder, sequence_of(order_id), kind)
    return explain(hear(past, order_id), past.matcher)


def bound_this_process() -> None:
    """Give way to others, and end rather than take too much; never to be called in another process than this one."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))


def main(arguments: list[str]) -> int:
    """Explain what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m exchange.engine.explain.worker", description=__doc__)
    parser.add_argument("folder", type=Path, help="DATA/engine")
    parser.add_argument("order_id", type=int)
    parser.add_argument("--matcher", default="auto")
    options = parser.parse_args(arguments)
    try:
        explanation = explain_order(options.folder, options.order_id, options.matcher)
    except (HistoryGone, RulesChanged) as error:
        return _say(str(error), GONE)
    except Unheard as error:
        return _say(str(error), UNHEARD)
    except MemoryError:
        return _say(f"the replay needs more than {MEMORY_BYTES_MAX >> 30} GiB", TOO_LARGE)
    except (InfraError, OSError) as error:
        return _say(str(error), FAILED)
    sys.stdout.buffer.write(msgspec.json.encode(explanation))
    return 0


def _say(message: str, code: int) -> int:
    sys.stderr.write(message)
    return code


if __name__ == "__main__":
    # A signal to the whole group (Ctrl-C, systemd) is for the engine, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bound_this_process()
    sys.exit(main(sys.argv[1:]))
