"""Builds the terminal into the package before a wheel or sdist is made, where npm is there and it was not built yet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "src/exchange/reporter/static/index.html"
STEPS = (["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], ["npm", "run", "--silent", "build"])
REQUIRED = "EXCHANGE_REQUIRE_TERMINAL"
"""Set to 1, a package without the terminal is not built: for releases."""


class TerminalHook(BuildHookInterface[Any]):
    """Without npm, or where the build fails, the package has the plain page only, which needs no build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the terminal unless it is there. An editable install leaves that to `make setup`."""
        root = Path(self.root)
        if version == "editable" or (root / BUILT).is_file():
            return
        problem = _build(root / "web")
        if not problem:
            return
        message = f"the terminal is not in this package ({problem}); the reporter will serve its plain page"
        if os.environ.get(REQUIRED) == "1":
            raise SystemExit(f"{message}, and {REQUIRED}=1 forbids that")
        print(message, file=sys.stderr)


def _build(web: Path) -> str:
    """Run npm; return why there is no terminal, empty where there is one."""
    if not (web / "package.json").is_file():
        return "there is no folder web/"
    if shutil.which("npm") is None:
        return "npm is not installed"
    for step in STEPS:
        if subprocess.run(step, cwd=web, stdout=sys.stderr).returncode:
            return f"`{' '.join(step)}` failed"
    return ""
