"""Which order books are driven, how each is built and started, and what each does not do that this exchange does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / ".venv" / "peers"
"""Where the peers and their drivers are built; `make clean` removes it."""
RUST = BUILD / "rust" / "release" / "peers"
CLASSES, CLASSPATH = BUILD / "java" / "classes", BUILD / "java" / "classpath"
PEERS_PYTHON = BUILD / "python" / "bin" / "python"
CLASSPATH_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
HEAP = ("-Xms2g", "-Xmx4g")
WHOLE, TENTH = 1_000_000, 100_000
BARE = "a book alone"
"""What most are: no event records, hash or snapshot, no accounts, ticks, client order ids or holdings."""


class Engine(NamedTuple):
    """An order book and its driver. records: timed records by stream; kept: the last passes of a process that count."""

    name: str
    language: str
    needs: str
    command: tuple[str, ...]
    records: dict[str, int]
    passes: int
    kept: int
    lacks: str

    @property
    def is_own(self) -> bool:
        """Whether it is this exchange."""
        return self.name.startswith("stock-exchange")


ENGINES = (
    Engine(
        "stock-exchange, native, from Python", "Rust", "python",
        (sys.executable, "-m", "benchmarks.peers.own_books", "native", "{name}"),
        {"A": WHOLE, "B": WHOLE}, 5, 3, "",
    ),
    Engine(
        "stock-exchange, native, from Rust", "Rust", "cargo", (str(RUST), "exchange-native", "{file}"),
        {"A": WHOLE, "B": WHOLE}, 5, 3, "",
    ),
    Engine(
        "exchange-core 0.5.3, Direct order book", "Java", "maven", ("java", "peers.ExchangeCore", "{file}"),
        {"A": WHOLE, "B": WHOLE}, 6, 3, f"{BARE}: its risk engine and journal are not driven",
    ),
    Engine(
        "parity-match 0.7.0", "Java", "maven", ("java", "peers.ParityMatch", "{file}"),
        {"A": WHOLE, "B": WHOLE}, 6, 3, f"{BARE}, limit orders only",
    ),
    Engine(
        "lobster 0.7.0", "Rust", "cargo", (str(RUST), "lobster", "{file}"),
        {"A": WHOLE, "B": WHOLE}, 5, 3, BARE,
    ),
    Engine(
        "orderbook-rs 0.15.3", "Rust", "cargo", (str(RUST), "orderbook-rs", "{file}"),
        {"A": WHOLE, "B": WHOLE}, 3, 2, "no event records, hash or holdings; locks for many threads",
    ),
    Engine(
        "stock-exchange, Python", "Python", "python",
        (sys.executable, "-m", "benchmarks.peers.own_books", "python", "{name}"),
        {"A": TENTH, "B": TENTH}, 2, 1, "",
    ),
    Engine(
        "lightmatchingengine 2019.1.4", "Python", "peers-python",
        (str(PEERS_PYTHON), str(HERE / "python_books.py"), "lightmatchingengine", "{file}"),
        {"A": TENTH, "B": TENTH}, 2, 1, f"{BARE}; numbers orders itself and forgets none",
    ),
    Engine(
        "order-matching 0.12.0", "Python", "peers-python",
        (str(PEERS_PYTHON), str(HERE / "python_books.py"), "order-matching", "{file}"),
        {"A": 50}, 1, 1, f"{BARE} of one symbol; prices as floats",
    ),
)  # fmt: skip


def build() -> dict[str, str]:
    """Build all drivers; return by need why it cannot be had, empty where it can."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return {"python": "", "cargo": _build_rust(), "maven": _build_java(), "peers-python": _build_python()}


def command_of(engine: Engine, name: str, file: Path, passes: int) -> list[str]:
    """Return the command that drives an engine over a stream."""
    command = [part.format(name=name, file=file) for part in engine.command]
    if command[0] == "java":
        classpath = f"{CLASSES}:{CLASSPATH.read_text()}"
        command[1:1] = [*HEAP, "-cp", classpath]
    return [*command, str(engine.records[name]), str(passes)]


def _build_rust() -> str:
    if not shutil.which("cargo"):
        return "no cargo; install Rust"
    manifest = HERE / "rust" / "Cargo.toml"
    return _failed(
        "cargo", "build", "--release", "--quiet", "--locked", "--manifest-path", str(manifest),
        "--target-dir", str(BUILD / "rust"),
    )  # fmt: skip


def _build_java() -> str:
    if not (shutil.which("mvn") and shutil.which("javac")):
        return "no mvn or no javac; install Maven and a JDK of 17 or newer"
    CLASSES.mkdir(parents=True, exist_ok=True)
    failed = _failed(
        "mvn",
        "-q",
        "-B",
        "-f",
        str(HERE / "java" / "pom.xml"),
        CLASSPATH_GOAL,
        f"-Dmdep.outputFile={CLASSPATH}",
    )
    if failed:
        return failed
    sources = [str(path) for path in sorted((HERE / "java" / "peers").glob("*.java"))]
    return _failed("javac", "-cp", CLASSPATH.read_text(), "-d", str(CLASSES), *sources)


def _build_python() -> str:
    if not PEERS_PYTHON.exists():
        failed = _failed(sys.executable, "-m", "venv", str(BUILD / "python"))
        if failed:
            return failed
    requirements = str(HERE / "requirements.txt")
    return _failed(
        str(PEERS_PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements
    )


def _failed(*command: str) -> str:
    """Run a step of a build; return its last words where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else f"{command[0]} failed: {words[-1] if words else done.returncode}"
