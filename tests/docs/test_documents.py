"""Run the code blocks of README.md and docs/, top to bottom: one namespace and one shell per page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Document, Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parents[2]
PAGES = [page for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))] if page.exists()]
DONE = "--- end of block ---"

pytestmark = pytest.mark.timeout(300)


class Shell:
    """One bash for one page, so that variables and background processes last from block to block."""

    def __init__(self, scratch: Path) -> None:
        """Start bash in the root of the project with the project's commands on the path."""
        binaries = Path(sys.executable).parent
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-euo", "pipefail"],
            cwd=ROOT,
            env=os.environ | {"SCRATCH": str(scratch), "PATH": f"{binaries}:{os.environ['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.script = scratch / ".block.sh"

    def evaluate(self, example: Example) -> None:
        """Run one block and fail with its output if a command in it fails."""
        assert self.process.stdin
        assert self.process.stdout
        self.script.write_text(str(example.parsed))
        try:
            self.process.stdin.write(f"source {self.script} </dev/null\nprintf '\\n%s\\n' '{DONE}'\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pytest.fail(f"{example.path}:{example.line}: the page's shell has ended before this block")
        output = []
        for line in self.process.stdout:
            if line.rstrip() == DONE:
                return
            output.append(line)
        pytest.fail(f"{example.path}:{example.line}: a command in this block failed\n{''.join(output)}")

    def close(self) -> None:
        """End the shell and everything it started."""
        if self.process.stdin:
            self.process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(timeout=10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def parse(page: Path, shell: Shell) -> Document:
    parsers = [
        SkipParser(),
        PythonCodeBlockParser(),
        CodeBlockParser(language="bash", evaluator=shell.evaluate),
    ]
    return Sybil(parsers=parsers).parse(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_code_block_of_the_page_runs(page: Path, shell: Shell) -> None:
    for example in parse(page, shell).examples():
        example.evaluate()


def test_a_failing_bash_block_is_reported_with_its_line(tmp_path: Path, shell: Shell) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n```bash\nname=one\n```\n\n```bash\ntest $name = one\necho seen; false; true\n```\n"
    )
    first, second = parse(page, shell).examples()
    first.evaluate()
    with pytest.raises(pytest.fail.Exception, match=r"page\.md:7: a command in this block failed\nseen"):
        second.evaluate()
