"""Bring what a run should hold into MLflow, and nothing that is there already."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from operator import attrgetter
from pathlib import Path
from shlex import quote
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_IMAGES
from PIL import Image

from pipeline.core.files import md5
from pipeline.tracking import projection, spool
from pipeline.tracking.errors import UnusableError
from pipeline.tracking.projection import Projection
from pipeline.tracking.relocation import relocate
from pipeline.tracking.runs import Runs

#: Why the run isn't FINISHED: the stage that failed and its last lines.
FAILED_STAGE, ERROR = "pipeline.failed_stage", "pipeline.error"
#: What each artifact's contents were, so that only what changed is uploaded again.
ARTIFACTS = "pipeline.artifacts"
#: Limits of MLflow's server: metrics, params and tags in a call, characters of a param and of a tag.
MAX_METRICS, MAX_PARAMS, MAX_PARAM, MAX_TAG = 1000, 100, 6000, 8000
#: MLflow's codes when another project that writes to the store has just created the same experiment or data set, and
#: how often publishing is tried then.
CONFLICTS, NUM_TRIES = ("RESOURCE_ALREADY_EXISTS", "BAD_REQUEST"), 3

#: (run id, metric) -> the steps that are in the store.
Steps = dict[tuple[str, str], set[int]]
T = TypeVar("T")


class Store:
    """An MLflow tracking store."""

    def __init__(self) -> None:
        uri = spool.address()
        self.database = Path(uri.removeprefix(spool.SQLITE)) if uri.startswith(spool.SQLITE) else None
        # Processes that create the same database at once break it for good.
        with self.lock(), _explaining(self.database):
            if self.database:
                _prepare(self.database)
            self.inode = self._inode()
            self.client = MlflowClient(uri)
            self.client.search_experiments(max_results=1)  # the first call creates the tables
        # A server knows best; for a database MLflow takes a folder below the current one, which DVC may delete.
        self.runs = Runs(self.client, None if spool.is_server() else _artifacts())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held by whoever writes, so that nobody else looks for what is missing at the same time.

        Raises:
            TimeoutError: another process has been writing for a minute.
        """
        with spool.locked(f"store-{spool.store()}", patience=60) as held:
            if held is None:
                raise TimeoutError("another process has been writing to the store for a minute")
            yield

    def is_gone(self) -> bool:
        """Whether the database was deleted or replaced since it was opened."""
        return self._inode() != self.inode

    def _inode(self) -> int:
        return self.database.stat().st_ino if self.database and self.database.exists() else 0

    def publish(self, wanted: Projection, steps: Steps | None = None) -> Run:
        """Add to the model's run what it lacks; the run is found by its input key, or created.

        The caller holds :meth:`lock`. ``steps`` remembers which steps the store has, from one call to the next.
        Returns the run as it was before.
        """
        steps = {} if steps is None else steps
        for _ in range(NUM_TRIES - 1):
            try:
                return self._add(wanted, steps)
            except MlflowException as error:
                if error.error_code not in CONFLICTS:
                    raise
        return self._add(wanted, steps)

    def publish_journal(self, journal: Path, steps: Steps | None = None) -> None:
        """Publish what a stage has told so far, and delete its journal when no more will come; like :meth:`publish`."""
        wanted = projection.from_journal(journal)
        if wanted is not None:
            self.publish(wanted, steps)
        if wanted is None or wanted.final:
            spool.delete(journal)

    def publish_outputs(self, folder: Path) -> None:
        """Publish the model that lies in ``outputs/<run>``, unless it isn't complete or a stage works on it.

        Raises:
            ValueError: the weights aren't those that the record tells of.
        """
        with self.lock():  # before the files are read, which a stage may replace while this waits
            wanted = projection.from_outputs(folder)
            if wanted and not any(map(spool.running, spool.models().get(wanted.record["input_key"], []))):
                self.publish(wanted)

    def _add(self, wanted: Projection, steps: Steps) -> Run:
        run = self.runs.of(wanted.record, wanted.started)
        self._params(run, wanted)
        self._tags(run, wanted)
        self._inputs(run, wanted)
        self._metrics(run, wanted, steps)
        self._test(run, wanted)
        self._artifacts(run, wanted)
        self._status(run, wanted)
        return run

    def _params(self, run: Run, wanted: Projection) -> None:
        missing = {k: v for k, v in projection.params(wanted.record).items() if k not in run.data.params}
        for batch in _batches([Param(k, v[:MAX_PARAM]) for k, v in missing.items()], MAX_PARAMS):
            self.client.log_batch(run.info.run_id, params=batch)

    def _tags(self, run: Run, wanted: Projection) -> None:
        # What was recorded at the time of training stands, and people edit descriptions in the UI.
        fallback = {**wanted.fallback, "mlflow.note.content": projection.note(wanted)}
        absent = {name: value for name, value in fallback.items() if name not in run.data.tags}
        self._set_tags(run, {**absent, **wanted.tags, **projection.tags(wanted.record)})

    def _set_tags(self, run: Run, tags: dict[str, str]) -> None:
        changed = {k: v[:MAX_TAG] for k, v in tags.items() if run.data.tags.get(k) != v[:MAX_TAG]}
        for batch in _batches([RunTag(k, v) for k, v in changed.items()], MAX_PARAMS):
            self.client.log_batch(run.info.run_id, tags=batch)

    def _inputs(self, run: Run, wanted: Projection) -> None:
        record = wanted.record
        present = {entry.dataset.digest for entry in run.inputs.dataset_inputs} if run.inputs else set()
        inputs = []
        for file, digest in {**record["data"], **wanted.data}.items():
            split = Path(file).stem
            if split in record["counts"] and digest not in present:
                source, profile = json.dumps({"uri": file}), json.dumps({"num_examples": record["counts"][split]})
                data = Dataset(record["dataset"], digest, "local", source, profile=profile)
                inputs.append(DatasetInput(data, [InputTag("mlflow.data.context", split)]))
        if inputs:
            self.client.log_inputs(run.info.run_id, inputs)

    def _metrics(self, run: Run, wanted: Projection, steps: Steps) -> None:
        for name in {name for name, _ in wanted.metrics}:
            place = (run.info.run_id, name)
            if place not in steps:
                history = self.client.get_metric_history(*place) if name in run.data.metrics else []
                steps[place] = {metric.step for metric in history}
        missing = [
            Metric(name, value, at, step)
            for (name, step), (value, at) in wanted.metrics.items()
            if step not in steps[run.info.run_id, name]
        ]
        for batch in _batches(missing, MAX_METRICS):
            self.client.log_batch(run.info.run_id, metrics=batch)
            for metric in batch:
                steps[run.info.run_id, metric.key].add(metric.step)

    def _test(self, run: Run, wanted: Projection) -> None:
        if not wanted.test:
            return
        values = {f"test/{name}": float(value) for name, value in wanted.test.items()}
        # Of these metrics alone: evaluate and compare tell of theirs at different times.
        names = values.keys() & run.data.metrics.keys()
        histories = [self.client.get_metric_history(run.info.run_id, name) for name in names]
        last = max((metric.step for history in histories for metric in history), default=-1)
        shown = {
            metric.key: metric.value for history in histories for metric in sorted(history, key=attrgetter("step"))
        }
        changed = {name: value for name, value in values.items() if shown.get(name) != value}
        metrics = [Metric(name, value, wanted.ended, last + 1) for name, value in changed.items()]
        if metrics:
            self.client.log_batch(run.info.run_id, metrics=metrics)

    def _artifacts(self, run: Run, wanted: Projection) -> None:
        present = json.loads(run.data.tags.get(ARTIFACTS, "{}"))
        digests = {path.name: _digest(path) for path in wanted.artifacts}
        for name, text in wanted.texts.items():
            digests[name] = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            if present.get(name) != digests[name]:
                self.client.log_text(run.info.run_id, text, name)
        for path in wanted.artifacts:
            if present.get(path.name) == digests[path.name]:
                continue
            if path.is_dir():
                self.client.log_artifacts(run.info.run_id, str(path), path.name)
                if path.name == spool.SAMPLES:
                    self._images(run, path)
            else:
                self.client.log_artifact(run.info.run_id, str(path))
        if digests:
            self._set_tags(run, {ARTIFACTS: json.dumps(dict(sorted({**present, **digests}.items())))})

    def _images(self, run: Run, folder: Path) -> None:
        """Log the pictures in ``folder``, each at its epoch, as MLflow shows images: with a slider over epochs."""
        shown = [artifact.path for artifact in self.client.list_artifacts(run.info.run_id, "images")]
        for file in sorted(folder.iterdir()):
            step = int(file.stem.rpartition("_")[2])
            beginning = f"images/{folder.name}+step+{step}+"
            if not any(path.startswith(beginning) and "+compressed" in path for path in shown):  # which comes last
                self.client.log_image(run.info.run_id, Image.open(file), key=folder.name, step=step)
        self._set_tags(run, {MLFLOW_LOGGED_IMAGES: "True"})

    def _status(self, run: Run, wanted: Projection) -> None:
        failed, run_id = run.data.tags.get(FAILED_STAGE), run.info.run_id
        if wanted.status in ("FAILED", "KILLED"):
            self._set_tags(run, {FAILED_STAGE: wanted.stage, ERROR: wanted.error})
        elif wanted.status is None or (wanted.status == "FINISHED" and failed and failed not in wanted.done):
            return
        else:
            for name in (FAILED_STAGE, ERROR):
                if name in run.data.tags:
                    self.client.delete_tag(run_id, name)
        if run.info.status == wanted.status:
            return
        if wanted.status == "RUNNING":
            self.client.update_run(run_id, status="RUNNING")
        else:
            self.client.set_terminated(run_id, wanted.status, wanted.ended)


def _artifacts() -> str:
    return (spool.root() / "mlruns" / "artifacts").as_uri()


@contextmanager
def _explaining(database: Path | None) -> Iterator[None]:
    """Give the errors that stay until the user does something their remedy."""
    try:
        yield
    except (sqlite3.DatabaseError, MlflowException) as error:
        if database and "out-of-date database schema" in str(error):
            older = f"an older one: copy it, then `mlflow db upgrade {quote(f'{spool.SQLITE}{database}')}`"
            newer = f"a newer one: {_anew(database)}"
            raise UnusableError(f"{database} is of another version of MLflow; {older}; {newer}") from None
        if database and any(words in str(error) for words in ("file is not a database", "disk image is malformed")):
            raise UnusableError(f"{database} is damaged: {_anew(database)}") from None
        raise


def _anew(database: Path) -> str:
    """What helps who can do without the database."""
    aside = next(place for number in count(1) if not (place := database.parent / f"old-{number}").exists())
    # What SQLite keeps beside a database goes with it: a new one would take it for its own.
    move = f"mkdir {quote(str(aside))} && mv {quote(str(database))}* {quote(str(aside))}"
    return f"`{move}`, then `make track` records the models here anew"


def _prepare(database: Path) -> None:
    database.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(database)
    # Readers and one writer don't wait for each other; the database remembers it.
    connection.execute("PRAGMA journal_mode=WAL")
    if database == spool.database():  # which moves with the repository; another may serve several
        relocate(connection, _artifacts())
    connection.close()


def _digest(path: Path) -> str:
    """The md5 of a file, or of a folder's file names and their md5s."""
    if path.is_file():
        return md5(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listing = "".join(f"{file.relative_to(path)} {md5(file)}\n" for file in files)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
