"""What a stage tells of itself: plain lines in a file, which a process beside the stage brings into MLflow.

Nothing here waits for MLflow, imports it, or fails because of it. ``PIPELINE_TRACKING=off`` turns it all off.
"""

import json
import os
import platform
import re
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from pipeline.tracking import git, spool

#: Seconds that a stage waits at its end for what is still unpublished.
PATIENCE = 30
#: The last lines of an error that are recorded.
NUM_ERROR_LINES = 10
#: Tag -> the variable of the environment that has it.
VARIABLES = {name: name for name in ("DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV")} | {"mlflow.user": "USER"}


@contextmanager
def stage(name: str, record: dict[str, Any]) -> Iterator["Stage"]:
    """Record one execution of the stage ``name`` (``train``, ``evaluate``, ``export``, ``compare``) of a model.

    Args:
        name: the stage.
        record: the contents of ``record.json``; what is added to it inside the block is recorded at the end.

    Whatever the block raises goes on after it has been recorded.
    """
    log = Stage(name, record)
    try:
        yield log
    except BaseException as error:
        log.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED", _last_lines(error))
        raise
    log.end("FINISHED")
    log.wait()


class Stage:
    """One execution of a stage; make it by :func:`stage`."""

    def __init__(self, name: str, record: dict[str, Any]) -> None:
        self.name, self.record = name, record
        self.file = spool.new(record["input_key"], name)
        self.paths: list[Path] = []
        self.stream: TextIO | None = None
        self.publisher: subprocess.Popen[bytes] | None = None
        if os.environ.get("PIPELINE_TRACKING") == "off":
            return
        try:
            self._start()
        except OSError as error:
            self._give_up(error)

    def epoch(self, step: int, row: Mapping[str, float]) -> None:
        """Record one row of ``history.csv``; ``train_loss`` will be ``train/loss`` in MLflow."""
        self._metrics(step, {name.replace("_", "/", 1): value for name, value in row.items()})

    def system(self, values: Mapping[str, float], step: int) -> None:
        """Record what depends on the machine and so belongs into MLflow alone, as ``system/<name>``."""
        self._metrics(step, {f"system/{name}": value for name, value in values.items()})

    def sample(self, name: str, content: bytes) -> None:
        """Record a picture of what the network makes while it learns, ``epoch_<number>.png``, at once."""
        if self.stream is None:
            return
        try:
            spool.add(content, self.file, Path(spool.SAMPLES) / name)
        except OSError as error:
            self._give_up(error)

    def tags(self, tags: Mapping[str, Any]) -> None:
        """Record facts of this execution, such as the device."""
        self._write("tags", tags={name: as_text(value) for name, value in tags.items()})

    def evaluation(self, metrics: Mapping[str, float], evaluation: Mapping[str, Any]) -> None:
        """Record the contents of ``metrics.json`` and ``evaluation.json``."""
        self._write("evaluation", metrics=metrics, evaluation=evaluation)

    def comparison(self, metrics: Mapping[str, float], comparison: Mapping[str, Any]) -> None:
        """Record the contents of ``comparison_metrics.json`` and ``comparison.json``."""
        self._write("comparison", metrics=metrics, comparison=comparison)

    def export(self, export: Mapping[str, Any]) -> None:
        """Record the contents of ``export.json``."""
        self._write("export", export=export)

    def artifacts(self, paths: Iterable[Path]) -> None:
        """Record files and folders, as they are when the stage ends, under their path within ``outputs/<run>``."""
        self.paths.extend(paths)

    def end(self, status: str, error: str = "") -> None:
        """Record how the stage ended; after that the publisher does the rest alone."""
        folder = Path("outputs") / self.record["run"]
        if self.stream is not None:
            try:
                for path in self.paths:
                    name = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
                    spool.keep(path, self.file, name)
            except OSError as problem:
                self._give_up(problem)
        self._write("end", status=status, error=error, record=self.record)
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def wait(self) -> None:
        """Wait a bounded time until MLflow has everything, and say so if something stays unpublished."""
        deadline = time.monotonic() + PATIENCE
        problem = ""
        while self.publisher is not None and self.file.exists() and not problem:
            with suppress(FileNotFoundError):  # none, or it has just been published
                problem = spool.problem(self.file).read_text(encoding="utf-8")
                break
            if self.publisher.returncode:
                problem = "the publishing process has died"
            elif time.monotonic() > deadline:
                problem = f"MLflow took more than {PATIENCE} s"
            else:
                time.sleep(0.02)
        if problem:
            _warn(f"{problem}. Everything is kept in {spool.FOLDER}; publish it with `make track`")

    def _start(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # It gets its name when it is locked: a journal without a lock is taken for a dead stage's.
        beside = self.file.with_suffix(".new")
        stream = beside.open("a", encoding="utf-8", buffering=1)  # a line is in the file once it is written
        try:
            spool.lock(stream)
            tags = self._facts() if self.name == "train" else {}
            stream.write(_line("start", stage=self.name, record=self.record, tags=tags))
        except OSError:  # such as a full disk
            spool.delete(beside)
            raise
        self.stream = stream
        beside.rename(self.file)
        # In a session of its own, Ctrl-C and the end of the terminal don't reach it: it must tell of the stage's end.
        self.publisher = subprocess.Popen(
            [sys.executable, "-m", "pipeline.tracking.publisher", self.file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # It outlives the stage, unless it dies before.
        threading.Thread(target=self.publisher.wait, daemon=True).start()

    def _facts(self) -> dict[str, str]:
        tags = {tag: value for tag, name in VARIABLES.items() if (value := os.environ.get(name))}
        tags["version.python"] = platform.python_version()
        if commit := git.commit():
            tags |= {"mlflow.source.git.commit": commit.sha, "git.dirty": as_text(bool(commit.diff))}
            if commit.diff:
                spool.files(self.file).mkdir()
                patch = spool.files(self.file) / "changes.patch"
                patch.write_text(commit.diff, encoding="utf-8", errors="surrogateescape", newline="\n")
        return tags

    def _metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._write("metrics", step=step, values={name: float(value) for name, value in values.items()})

    def _write(self, kind: str, **entry: Any) -> None:
        if self.stream is None:
            return
        try:
            self.stream.write(_line(kind, **entry))
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.stream = None
        _warn(f"this {self.name} can't be recorded: {error}. Its outputs are complete; publish them with `make track`")


def _line(kind: str, **entry: Any) -> str:
    return json.dumps({"kind": kind, "at": spool.now(), **entry}, ensure_ascii=False, default=str) + "\n"


def as_text(value: Any) -> str:
    """A value as it is written in YAML and JSON: ``true``, ``null``, ``[1, 2]``; strings without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def without_password(text: str) -> str:
    """``text`` with the user and password of every address in it struck out."""
    # Those of the server may have spaces in them.
    login = os.environ.get("MLFLOW_TRACKING_URI", "").partition("://")[2].rpartition("@")[0]
    text = text.replace(f"{login}@", "***@") if login else text
    return re.sub(r"://\S*@", "://***@", text)


def _last_lines(error: BaseException) -> str:
    lines = "".join(traceback.format_exception(error)).strip().splitlines()
    return without_password("\n".join(lines[-NUM_ERROR_LINES:]))


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")
