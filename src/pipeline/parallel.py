"""`make repro JOBS=2`: DVC runs one stage after the other; here it runs several that don't wait for each other.

Processes of their own each call DVC for one stage at a time (as `dvc repro --single-item` does), which locks what the
stage reads and writes and records it in `dvc.lock`. Parsed, that file is equal to a serial run's. It is only a head
start: whatever is left out of date here, the `dvc repro` behind it finds.
"""

import os
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from graphlib import TopologicalSorter
from multiprocessing import get_context
from types import FrameType
from typing import Any

import psutil
from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]

from pipeline import arguments, reproducing

#: Stage -> the stages whose outputs it reads.
Graph = Mapping[str, list[str]]


def main(jobs: int) -> None:
    """Bring every stage up to date, ``jobs`` of them at a time.

    Raises:
        ValueError: stages failed; those that ran beside the first of them have ended.
    """
    order = Order(_graph())
    running: dict[Future[str | None], str] = {}
    problems: list[str] = []
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_prepare) as pool:
        while (order.ready and not problems) or running:
            while order.ready and not problems and len(running) < jobs:
                name = order.take()
                running[pool.submit(_reproduce, name)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                if problem := future.result():
                    problems.append(problem)
                else:
                    order.done(name)
    if problems:
        raise ValueError("; ".join(problems))


class Order:
    """Which stages may run: each once those that it reads are done, and first what the longest chain waits for.

    Attributes:
        ready: those that wait for nothing any more.
    """

    def __init__(self, graph: Graph) -> None:
        #: Stages on the longest way from each to the end.
        self.heights = dict.fromkeys(graph, 1)
        for name in reversed([*TopologicalSorter(graph).static_order()]):
            for needed in graph[name]:
                self.heights[needed] = max(self.heights[needed], self.heights[name] + 1)
        self.sorter = TopologicalSorter(graph)
        self.sorter.prepare()
        self.ready = [*self.sorter.get_ready()]

    def take(self) -> str:
        """The stage to run next."""
        name = max(self.ready, key=self.heights.__getitem__)  # the first of equals
        self.ready.remove(name)
        return name

    def done(self, name: str) -> None:
        """What waited for ``name`` may be ready now."""
        self.sorter.done(name)
        self.ready += self.sorter.get_ready()


def _graph() -> Graph:
    graph = Repo().index.graph
    return {stage.addressing: [needed.addressing for needed in graph.successors(stage)] for stage in graph}


_repo: Any = None


def _prepare() -> None:
    """Begin a process that calls DVC."""
    global _repo
    signal.signal(signal.SIGINT, _idle)
    os.environ["TERM"] = "dumb"  # progress bars of several stages don't fit on one terminal
    reproducing.quieten()
    _repo = Repo(_wait_for_lock=True)


def _idle(number: int, frame: FrameType | None) -> None:
    """Between two stages Ctrl-C is the affair of the process that gives them out."""


def _reproduce(name: str) -> str | None:
    """Run a stage if it is out of date; returns what went wrong: not every exception can be sent to another process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _repo.reproduce(name, single_item=True)
    except DvcException as error:
        return f"{error}: {error.__cause__}" if error.__cause__ else str(error)
    except KeyboardInterrupt:
        return f"{name} was interrupted"
    finally:
        signal.signal(signal.SIGINT, _idle)
    return None


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop the stages as Ctrl-C does, which reaches whatever shares the terminal's session with them."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == os.getsid(0):  # what publishes to MLflow has to tell of the end
                process.send_signal(signal.SIGINT)
    raise KeyboardInterrupt


if __name__ == "__main__":
    jobs = arguments.one("JOBS", __doc__, "make repro JOBS=<stages at a time>")
    if not jobs.isdecimal() or int(jobs) < 1:
        sys.exit(f"error: JOBS={jobs}: a number of stages from 1 is needed")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        reproducing.quieten()
        if reproducing.announce():
            main(int(jobs))
    except (ValueError, DvcException, BrokenExecutor) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
