"""Waiting for and ending what `dvc queue start` leaves running in the background."""

import re
import shutil
import time

import psutil
from project import Workspace


def wait(workspace: Workspace, seconds: float) -> list[str]:
    """Wait until no experiment is queued or running; the status of each, in DVC's words.

    Raises:
        AssertionError: some are still at it after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        text = workspace.run("dvc", "queue", "status").stdout
        found = re.findall(r"\b(Queued|Running|Success|Failed)\s*$", text, flags=re.MULTILINE)
        if not {"Queued", "Running"} & set(found):
            return found
        assert time.monotonic() < deadline, text
        time.sleep(3)


def end(workspace: Workspace) -> None:
    """End every process that works in the workspace: queue workers, stages and publishers.

    Raises:
        AssertionError: one can't be ended.
    """
    workspace.run("dvc", "queue", "stop", "--kill", check=False)
    shutil.rmtree(workspace.root / ".pipeline", ignore_errors=True)  # a publisher ends when its lock is gone
    _, alive = psutil.wait_procs(processes(workspace), timeout=10)
    for process in alive:
        process.kill()
    _, alive = psutil.wait_procs(alive, timeout=10)
    assert not alive, alive


def processes(workspace: Workspace) -> list[psutil.Process]:
    """Those whose current folder is the workspace or below it."""
    found = []
    for process in psutil.process_iter(["cwd"]):
        folder = (process.info["cwd"] or "").removesuffix(" (deleted)")
        if f"{folder}/".startswith(f"{workspace.root}/"):
            found.append(process)
    return found
