"""`make track REV=<revision>`: give every model of a git revision its complete run in MLflow, without training.

The revision is checked out into a folder of its own, to which DVC links the outputs from this repository's cache. So
nothing changes in the workspace.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML

from pipeline import arguments
from pipeline.tracking import spool
from pipeline.tracking.commands import call


def publish(revision: str) -> list[str]:
    """Give the models of ``revision`` their runs; the names of those that are not in DVC's cache.

    Raises:
        ValueError: git knows no such revision, or some models can't be published.
    """
    with worktree(revision) as folder:
        call("dvc", "cache", "dir", "--local", call("dvc", "cache", "dir").strip(), folder=folder)
        # Without --allow-missing one lost output would keep all others away.
        call("dvc", "checkout", "--quiet", "--allow-missing", "--force", folder=folder)
        records = {path.parent.name for path in folder.glob("outputs/*/record.json")}
        lost = sorted(_runs(folder) - records)
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.tracking.track"],
            cwd=folder,
            env={**os.environ, "DVC_ROOT": str(spool.root())},
            check=False,
        )
    if done.returncode:
        raise ValueError(f"not every model of {revision} could be published")
    return lost


@contextmanager
def worktree(revision: str) -> Iterator[Path]:
    """A temporary folder with the files of ``revision`` as git has them.

    Raises:
        ValueError: git knows no such revision.
    """
    commit = call("git", "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "revision"
        call("git", "worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            call("git", "worktree", "remove", "--force", str(folder))


def _runs(folder: Path) -> set[str]:
    """The runs of the revision in ``folder`` that had been trained; ``dvc.lock`` keeps those that are gone, too."""
    load = YAML(typ="safe").load
    lock = folder / "dvc.lock"
    stages = load(lock)["stages"] if lock.exists() else {}
    # A run may have the name of another stage, such as check.
    trained = {stage.removeprefix("train@") for stage in stages if stage.startswith("train@")}
    return trained & load(folder / "params.yaml")["runs"].keys()


if __name__ == "__main__":
    revision = arguments.one("REV", __doc__, "make track REV=<commit>")
    try:
        if lost := publish(revision):
            sys.exit(f"error: {', '.join(lost)}: not in DVC's cache; `dvc fetch --all-commits` may bring them there")
    except ValueError as error:
        sys.exit(f"error: {error}")
