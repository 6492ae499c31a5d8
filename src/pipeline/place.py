"""Whether the folder of the project is one in which anything can work: DVC's own words have no remedy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Where the stages, DVC and MLflow write.
WRITTEN = (".", ".dvc/tmp", ".dvc/cache", ".pipeline", "data", "outputs", "mlruns")
#: Bytes; with less, the smallest model can't be trained, and DVC tears the file that it is writing.
LEAST_ROOM = 20 << 20


def check() -> None:
    """Check git, permissions and room.

    Raises:
        ValueError: there is no git repository, a folder can't be written, or the disk is full; the message says what
            helps.
    """
    here = Path.cwd()
    if not any((folder / ".git").exists() for folder in (here, *here.parents)) and not _without_git():
        raise ValueError(f"{here} is not a git repository, which DVC needs: clone it, or run `git init` in it")
    for name in WRITTEN:
        if Path(name).exists() and not os.access(name, os.W_OK):
            remedy = f'`sudo chown -R "$USER" {here}`, or work in a clone of your own'
            raise ValueError(f"{here / name} can't be written by you: {remedy}")
    if (room := shutil.disk_usage(here).free) < LEAST_ROOM:
        raise ValueError(
            f"{here} has {room >> 20} MiB of free disk left, and {LEAST_ROOM >> 20} are the least: delete something, "
            "or let `dvc gc --workspace` delete what other parameters and commits have made; what is finished is kept"
        )


def _without_git() -> bool:
    command = [sys.executable, "-m", "dvc", "config", "core.no_scm"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().lower() == "true"
