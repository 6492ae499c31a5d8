"""What `make repro` calls: `dvc repro`, with a word on what there is to do and without lines that nobody can act on.

`dvc repro` itself does the same work. The environment may have NO_COLOR.
"""

import logging
import os
import sys
from collections import Counter
from pathlib import Path

from dvc.cli import main as dvc  # type: ignore[import-untyped]
from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]

from pipeline import arguments

#: DVC's messages that are left out, as its source has them, and why. Its warnings that are not here are shown.
LEFT_OUT = {
    "'%s' is empty.": "a stage declares what only some runs have: samples if a network makes images, curves of classes",
    "%s %s": "the whole command, which `dvc repro` shows, and which is as long for each stage",
    "Updating lock file '%s'": "it is said after each stage, and at the end that git should track it",
    "\nTo enable auto staging, run:\n\n\tdvc config core.autostage true": ".dvc/config says no, on purpose",
}


def announce() -> bool:
    """Say what there is to do; whether there is anything."""
    try:
        with Repo() as repo:
            changed, stages = repo.status(), len(repo.index.stages)
    except DvcException:  # which `dvc repro` explains
        return True
    if not changed:
        _say("everything is up to date")
        return False
    counts = Counter(name.partition("@")[0] for name in changed)
    _say(
        f"{len(changed)} of {stages} stages are out of date, and what reads their results: "
        f"data sets to prepare: {counts['preprocess']}, models to train: {counts['train']}"
    )
    if not any(Path("outputs").glob("*/record.json")):
        _say("the first time params.yaml, as it comes with the project, takes 2 to 8 minutes on two cores")
    return True


def quieten() -> None:
    """Let this process's DVC leave out what is listed above and, if NO_COLOR asks for that, colours."""
    for handler in logging.getLogger("dvc").handlers:
        handler.addFilter(lambda record: record.msg not in LEFT_OUT)
        if os.environ.get("NO_COLOR"):
            handler.formatter.log_colors = False  # type: ignore[union-attr]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    arguments.none(__doc__, "make repro")
    if announce():
        quieten()
        sys.exit(dvc(["repro"]))
