"""A user at a terminal, and the environment in ``.venv`` that `make` takes for installed."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from project import LINEAR, Workspace, copy_project

ACTIVATE = "source .venv/bin/activate"
#: Seconds until a server answers: importing MLflow and loading a model on a busy machine.
PATIENCE = 180
#: What `make` looks at, in the order in which it is made.
STAMPS = ("python", "runtime", "extras", "dev")


@dataclass(frozen=True)
class Done:
    """A line that was typed: its exit status, and all that it printed."""

    status: int
    said: str


class User:
    """A workspace whose commands are lines for a shell.

    Args:
        workspace: where they run.
        environment: variables besides the workspace's.
    """

    #: What is typed before all but ``make``.
    first = ACTIVATE

    def __init__(self, workspace: Workspace, **environment: str) -> None:
        self.workspace = workspace
        self.environment = {**workspace.environment, **environment}

    @property
    def root(self) -> Path:
        """That of the workspace."""
        return self.workspace.root

    def types(self, line: str, **environment: str) -> Done:
        """Run a line to its end."""
        done = subprocess.run(
            self._shell(line),
            check=False,
            cwd=self.root,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Done(done.returncode, done.stdout)

    @contextmanager
    def serving(self, line: str) -> Iterator["Serving"]:
        """Run a line that serves until Ctrl-C."""
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(
                self._shell(line),
                cwd=self.root,
                env=self.environment,
                start_new_session=True,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            try:
                yield Serving(process, said)
            finally:
                with suppress(ProcessLookupError):  # it ended by itself
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _shell(self, line: str) -> list[str]:
        first = "" if re.match("make |source ", line) else f"{self.first}\n"
        return ["bash", "-eo", "pipefail", "-c", first + line]


class Serving:
    """A line that serves."""

    def __init__(self, process: "subprocess.Popen[bytes]", said: TextIO) -> None:
        self.process, self._said = process, said

    def answers(self, user: User, line: str) -> Done:
        """What the line of another terminal prints once it gets an answer."""
        deadline = time.monotonic() + PATIENCE
        while (done := user.types(line)).status and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.3)
        return done

    def said(self) -> str:
        """What it has printed."""
        self._said.seek(0)
        return self._said.read()


def new_user(root: Path) -> User:
    """A user of a copy of the project, with MLflow, whose ``.venv`` has what runs the tests."""
    workspace = copy_project(root, LINEAR)
    folder = root / ".venv"
    make_venv(folder, root / "src", sysconfig.get_path("purelib"))
    for program in Path(sysconfig.get_path("scripts")).iterdir():
        link = folder / "bin" / program.name
        # An installer would change the environment of the tests.
        if not link.exists() and not program.name.startswith(("pip", "uv")):
            link.symlink_to(program)
    stamp(folder)
    return User(workspace, PIPELINE_TRACKING="on")


def make_venv(folder: Path, *paths: Path | str) -> None:
    """Make an environment that imports from ``paths``, as pip lets the project be imported."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    packages.joinpath("tests.pth").write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")


def stamp(folder: Path) -> None:
    """Let `make` take an environment for installed."""
    folder.mkdir(exist_ok=True)
    for name in STAMPS:
        (folder / f"{name}.stamp").touch()
