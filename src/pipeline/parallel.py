"""`make repro JOBS=2`: DVC runs one stage after the other; here it runs several that don't wait for each other.

Processes of their own each call DVC for one stage at a time (as `dvc repro --single-item` does), which locks what the
stage reads and writes and records it in `dvc.lock`. Parsed, that file is equal to a serial run's. It is only a head
start: whatever is left out of date here, the `dvc repro` behind it finds.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from graphlib import TopologicalSorter
from multiprocessing import get_context
from types import FrameType
from typing import Any

import psutil
from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.logger import setup  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]

#: Stage -> the stages whose outputs it reads.
Graph = Mapping[str, list[str]]


def main(jobs: int) -> None:
    """Bring every stage up to date, ``jobs`` of them at a time.

    Raises:
        ValueError: a stage failed; the stages that ran beside it have ended.
    """
    graph = _graph()
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_prepare)
    running: dict[Future[None], str] = {}
    with pool:
        for name in (order := Order(graph)):
            running[pool.submit(_reproduce, name)] = name
            while len(running) == jobs or (running and not order.is_any_ready()):
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    order.done(running.pop(future))


class Order:
    """Iterates over the stages, each once those before it are :meth:`done`: first what the longest chain waits for."""

    def __init__(self, graph: Graph) -> None:
        self.sorter = TopologicalSorter(graph)
        self.sorter.prepare()
        self.ready: list[str] = []
        #: Stages on the longest way from each to the end.
        self.heights = dict.fromkeys(graph, 1)
        for name in reversed([*TopologicalSorter(graph).static_order()]):
            for needed in graph[name]:
                self.heights[needed] = max(self.heights[needed], self.heights[name] + 1)

    def is_any_ready(self) -> bool:
        self.ready += self.sorter.get_ready()
        return bool(self.ready)

    def done(self, name: str) -> None:
        self.sorter.done(name)

    def __iter__(self) -> Iterator[str]:
        while self.is_any_ready():
            name = max(self.ready, key=self.heights.__getitem__)  # the first of equals
            self.ready.remove(name)
            yield name


def _graph() -> Graph:
    graph = Repo().index.graph
    return {stage.addressing: [needed.addressing for needed in graph.successors(stage)] for stage in graph}


_repo: Any = None


def _prepare() -> None:
    """Begin a process that calls DVC."""
    global _repo
    # Ctrl-C reaches the stage itself. A handler, other than ignoring, isn't inherited by it.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    os.environ["TERM"] = "dumb"  # progress bars of several stages don't fit on one terminal
    setup(logging.INFO)
    _repo = Repo(_wait_for_lock=True)


def _reproduce(name: str) -> None:
    try:
        _repo.reproduce(name, single_item=True)
    except DvcException as error:  # which can't be sent to another process
        raise ValueError(f"{error}: {error.__cause__}" if error.__cause__ else str(error)) from None


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop the stages as Ctrl-C does."""
    for process in psutil.Process().children(recursive=True):
        process.send_signal(signal.SIGINT)
    raise KeyboardInterrupt


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal() or int(sys.argv[1]) < 1:
        sys.exit(f"error: JOBS={' '.join(sys.argv[1:])}: a number of stages from 1 is needed")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        main(int(sys.argv[1]))
    except (ValueError, DvcException, BrokenExecutor) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
