"""What `make repro` calls: `dvc repro`, with a word on what there is to do and without lines that nobody can act on.

`dvc repro` itself does the same work. The environment may have NO_COLOR.
"""

import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import colorama  # type: ignore[import-untyped]  # by which DVC has its colours
from dvc.cli import main as dvc  # type: ignore[import-untyped]
from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]

from pipeline import arguments, noise


def announce() -> bool:
    """Say what there is to do, if there is anything; whether there is."""
    try:
        with Repo() as repo:
            changed, stages = repo.status(), len(repo.index.stages)
    except DvcException:  # which `dvc repro` explains
        return True
    if not changed:
        return False
    counts = Counter(name.partition("@")[0] for name in changed)
    others = "" if len(changed) == stages else "; what reads their results may follow"
    _say(
        f"{len(changed)} of {stages} stages are out of date (data sets to prepare: {counts['preprocess']}, "
        f"models to train: {counts['train']}){others}"
    )
    if not any(Path("outputs").glob("*/record.json")) and _is_committed("params.yaml"):  # other data may take hours
        _say("the first time params.yaml, as it comes with the project, takes 2 to 8 minutes on two cores")
    return True


def _is_committed(file: str) -> bool:
    command = ["git", "diff", "--quiet", "HEAD", "--", file]
    return not subprocess.run(command, capture_output=True, check=False).returncode


def quieten() -> None:
    """Let this process's DVC leave out what is noise here and, if NO_COLOR asks for that, colours."""
    is_plain = bool(os.environ.get("NO_COLOR"))
    for handler in logging.getLogger("dvc").handlers:
        noise.leave_out(handler)
        if is_plain:
            handler.formatter.log_colors = False  # type: ignore[union-attr]
    for name in vars(colorama.Fore) if is_plain else ():
        setattr(colorama.Fore, name, "")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    arguments.none(__doc__, "make repro")
    try:
        quieten()
        if announce():
            sys.exit(dvc(["repro"]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"error: {error}")
    _say("everything is up to date")
