"""A user at a terminal, in a copy of the project that has its environment in ``.venv``."""

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

from project import LINEAR, copy_project

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
    """A workspace whose commands are lines for a shell."""

    def __init__(self, root: Path) -> None:
        self.workspace = copy_project(root, LINEAR)
        self.root = root
        _environment(root)
        self.environment = self.workspace.environment
        del self.environment["PIPELINE_TRACKING"]

    def types(self, line: str) -> Done:
        """Run a line to its end; what isn't ``make`` in the activated environment."""
        done = subprocess.run(
            self._shell(line),
            check=False,
            cwd=self.root,
            env=self.environment,
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
        needs = "" if re.match("make |source ", line) else f"{ACTIVATE}\n"
        return ["bash", "-eo", "pipefail", "-c", needs + line]


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


def _environment(root: Path) -> None:
    """Make ``.venv`` of what runs the tests, so that `make setup` finds nothing to install."""
    folder = root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [packages] = (folder / "lib").glob("python*/site-packages")
    packages.joinpath("tests.pth").write_text(f"{root / 'src'}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    for program in Path(sysconfig.get_path("scripts")).iterdir():
        link = folder / "bin" / program.name
        # An installer would change the environment of the tests.
        if not link.exists() and not program.name.startswith(("pip", "uv")):
            link.symlink_to(program)
    for stamp in STAMPS:
        (folder / f"{stamp}.stamp").touch()
