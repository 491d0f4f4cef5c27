"""`exchange backup` and `exchange restore`: a whole copy of a data folder, and a data folder from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exchange.cli.options import Where
from exchange.cli.output import print_facts, show

if TYPE_CHECKING:
    from exchange.engine.backup import Manifest

DEFAULT = Where()


def backup(target: Path, *, where: Where = DEFAULT) -> None:
    """Copy the data folder, with the exchange running or not, and check the copy: `exchange backup ../monday`.

    Parameters
    ----------
    target
        Folder to make; it must be empty or not there yet.
    """
    from exchange.engine.backup import backup as make_backup

    manifest = make_backup(where.folder(), target)
    _show(manifest, where, f"copied {where.folder()} to {target}")


def restore(source: Path, *, where: Where = DEFAULT) -> None:
    """Make a data folder from a backup; nothing is overwritten: `exchange restore ../monday --data data`.

    Parameters
    ----------
    source
        Folder that `exchange backup` made.
    """
    from exchange.engine.backup import restore as make_folder

    manifest = make_folder(source, where.folder())
    _show(manifest, where, f"made {where.folder()} from {source}")


def _show(manifest: Manifest, where: Where, done: str) -> None:
    import msgspec

    def people(_: object) -> None:
        size = sum(file.size_bytes for file in manifest.files)
        print(done)
        print_facts(
            [
                ("files", f"{len(manifest.files)}, {size / 2**20:.1f} MiB"),
                ("last command", manifest.last_sequence),
                ("last event", manifest.last_event),
                ("epoch", manifest.epoch),
            ]
        )

    show(msgspec.to_builtins(manifest), where.json, people)
