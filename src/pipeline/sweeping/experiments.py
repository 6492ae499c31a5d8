"""DVC experiments of a sweep: queued, waited for, and read. What is finished already is not run again.

An experiment is named ``<sweep>-<hash>`` after the state of the files and the values it tries, so that the same is
found again, whoever's queue worker ran it.
"""

import csv
import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.sweeping import space
from pipeline.sweeping.space import Values
from pipeline.tracking import git
from pipeline.tracking.commands import call

#: Seconds between two looks at DVC's queue, of which each costs a second of a processor.
INTERVAL = 3.0
PENDING = ("Queued", "Running")


@dataclass(frozen=True)
class Experiment:
    """What became of an experiment.

    Attributes:
        name: in DVC.
        values: what it tried.
        rev: its commit; empty if it failed.
        record: the contents of its ``record.json``.
        value: the metric at the epoch whose weights were kept.
        error: why it failed.
    """

    name: str
    values: Values
    rev: str = ""
    record: dict[str, Any] | None = None
    value: float | None = None
    error: str = ""


class Experiments:
    """The experiments of one sweep over ``runs.<run>``, ``jobs`` at a time, judged by the validation metric."""

    def __init__(self, sweep: str, run: str, metric: str, jobs: int) -> None:
        self.sweep, self.run, self.metric, self.jobs = sweep, run, metric, jobs
        self.state = _state()
        self.cache = Path(call("dvc", "cache", "dir").strip())

    def name(self, values: Values) -> str:
        """The name that belongs to these values at this state of the files."""
        state = [self.state.sha, self.state.diff, self.run, sorted(values.items())]
        return f"{self.sweep}-{hashlib.sha256(json.dumps(state).encode(errors='surrogateescape')).hexdigest()[:7]}"

    def results(self, trials: list[Values]) -> Iterator[Experiment]:
        """Run what isn't finished and give each experiment once it is.

        Raises:
            ValueError: files were changed after the sweep began, or DVC refuses an experiment.
        """
        waiting = {self.name(values): values for values in trials}
        finished = _finished()
        for name in [name for name in waiting if name in finished]:
            yield self._read(name, waiting.pop(name), finished[name])
        if waiting:
            self._queue(waiting)
        while waiting:
            tasks, has_workers = _tasks()
            finished = _finished()
            for name in list(waiting):
                task, status = tasks.get(name, ("", "Removed"))
                if name in finished:
                    yield self._read(name, waiting.pop(name), finished[name])
                elif status not in PENDING:
                    error = _last_words(task) if task else "it was removed from DVC's queue"
                    yield Experiment(name, waiting.pop(name), error=error)
            if waiting and not has_workers:
                call("dvc", "queue", "start", "--jobs", str(self.jobs))
            if waiting:
                time.sleep(INTERVAL)

    def _queue(self, trials: dict[str, Values]) -> None:
        tasks, _ = _tasks()
        for name, values in trials.items():
            task, status = tasks.get(name, ("", ""))
            if status in PENDING:
                continue
            if task:  # it failed before, or its results were removed: the queue would go on to say so
                call("dvc", "queue", "remove", task)
            if _state() != self.state:
                raise ValueError("files have changed since the sweep began: call it again for those there are now")
            pairs = [f"++{space.key(key, self.run)}={space.literal(value)}" for key, value in values.items()]
            settings = [word for pair in pairs for word in ("--set-param", pair)]
            call("dvc", "exp", "run", "--queue", "--name", name, *settings, f"train@{self.run}")
        call("dvc", "queue", "start", "--jobs", str(self.jobs))

    def _read(self, name: str, values: Values, rev: str) -> Experiment:
        stages = YAML(typ="safe").load(call("git", "show", f"{rev}:dvc.lock"))["stages"]
        md5s = {Path(out["path"]).name: out["md5"] for out in stages[f"train@{self.run}"]["outs"]}
        try:
            record = json.loads(self._cached(md5s["record.json"]).read_text(encoding="utf-8"))
            with self._cached(md5s["history.csv"]).open(encoding="utf-8", newline="") as stream:
                rows = {int(row["epoch"]): row for row in csv.DictReader(stream)}
        except FileNotFoundError as error:
            remedy = f"`dvc exp remove {name}` makes the sweep run it again"
            return Experiment(name, values, error=f"{error.filename} is not in DVC's cache; {remedy}")
        return Experiment(name, values, rev, record, float(rows[record["kept_epoch"]][self.metric]))

    def _cached(self, md5: str) -> Path:
        return self.cache / "files" / "md5" / md5[:2] / md5[2:]


def _state() -> git.Commit:
    state = git.commit()
    if state is None:
        raise ValueError("a sweep needs a git repository with a commit, since its experiments are commits")
    return state


def _finished() -> dict[str, str]:
    """Name of every experiment that has succeeded -> its commit."""
    listed = call("git", "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps/").splitlines()
    found = (line.split(" ", 1) for line in listed)
    # refs/exps/<two digits>/<38 digits>/<name>; others are DVC's stashes and branches.
    return {ref.split("/")[4]: rev for rev, ref in found if re.fullmatch(r"refs/exps/\w{2}/\w{38}/[^/]+", ref)}


def _tasks() -> tuple[dict[str, tuple[str, str]], bool]:
    """Experiment -> its task in DVC's queue and how that is, and whether there are workers."""
    text = call("dvc", "queue", "status")
    rows = re.findall(r"^(\w{7})\s+(\S+)\s.*\b(Queued|Running|Success|Failed)\s*$", text, flags=re.MULTILINE)
    return {name: (task, status) for task, name, status in rows}, "0 active, 0 idle" not in text


def _last_words(task: str) -> str:
    lines = [line.strip() for line in call("dvc", "queue", "logs", task).splitlines() if line.strip()]
    # DVC's own last line only says that the stage's command failed.
    of_the_stage = [line for line in lines if not line.startswith("ERROR: failed to reproduce")]
    return (of_the_stage or lines or ["no message"])[-1].removeprefix("error: ")
