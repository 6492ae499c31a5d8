"""A sweep in MLflow: one parent run, which the runs of its models are children of."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.sweeping import space
from pipeline.sweeping.experiments import Experiment
from pipeline.tracking import revision
from pipeline.tracking.git import Commit
from pipeline.tracking.runs import KEY
from pipeline.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"
SWEEP = "pipeline.sweep_key"
#: On a child: what it is compared by, and what it tried.
VALUE, TRIED = "sweep.value", "sweep.tried"


@dataclass(frozen=True)
class Sweep:
    """What a parent run tells.

    Attributes:
        name: of the sweep.
        run: the run that is varied.
        task, dataset: of that run.
        metric: such as ``val_accuracy``.
        better: ``min`` or ``max``.
        space: what was asked to be tried.
        command: that calls the sweep again.
        state: of the files.
    """

    name: str
    run: str
    task: str
    dataset: str
    metric: str
    better: Callable[..., Any]
    space: str
    command: str
    state: Commit

    @property
    def key(self) -> str:
        """The parent's identity: results of other files are another sweep's."""
        parts = [self.name, self.run, self.metric, self.state.sha, self.state.diff]
        return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def record(store: Store, sweep: Sweep, succeeded: list[Experiment], failed: list[Experiment]) -> None:
    """Make the runs of the experiments children of the sweep's parent run, which is found or created.

    A model that two sweeps have tried belongs to the one recorded last.

    Raises:
        ValueError: a model that has no complete run can't be given one.
    """
    children = [_child(store, experiment) for experiment in succeeded]
    with store.lock():
        parent = _parent(store, sweep, [child.info.start_time for child in children])
        for child, experiment in zip(children, succeeded, strict=True):
            tags = {
                PARENT: parent.info.run_id,
                VALUE: repr(experiment.value),
                TRIED: space.as_text(experiment.values),
                "sweep.experiment": experiment.name,
            }
            for name, value in tags.items():
                store.client.set_tag(child.info.run_id, name, value)
        _summarize(store, sweep, parent, failed)


def _child(store: Store, experiment: Experiment) -> "Run":
    assert experiment.record is not None
    key = experiment.record["input_key"]
    found = _search(store, KEY, key)
    if not found or found[0].info.status != "FINISHED":
        # DVC restored it without running a stage, or a worker couldn't reach this store.
        revision.publish(experiment.rev)
        found = _search(store, KEY, key)
    if not found:
        raise ValueError(f"the model of {experiment.name} is not in DVC's cache: `dvc exp remove {experiment.name}`")
    return found[0]


def _parent(store: Store, sweep: Sweep, started: list[int]) -> "Run":
    if found := _search(store, SWEEP, sweep.key):
        return found[0]
    experiment = store.runs.experiment({"task": sweep.task, "dataset": sweep.dataset})
    return store.client.create_run(
        experiment, start_time=min(started, default=None), tags={SWEEP: sweep.key}, run_name=f"sweep · {sweep.name}"
    )


def _summarize(store: Store, sweep: Sweep, parent: "Run", failed: list[Experiment]) -> None:
    children = _search(store, PARENT, parent.info.run_id)
    told = parent.data.tags.get("sweep.space", "")
    tags = {
        "pipeline.sweep": sweep.name,
        "sweep.space": told if sweep.space in told.splitlines() else f"{told}\n{sweep.space}".strip(),
        "sweep.command": sweep.command,
        "sweep.metric": f"{sweep.metric} ({sweep.better.__name__})",
        "sweep.failed": ", ".join(experiment.name for experiment in failed) or "none",
        "mlflow.source.git.commit": sweep.state.sha,
        "git.dirty": "true" if sweep.state.diff else "false",
    }
    run_id = parent.info.run_id
    if children:
        best = sweep.better(children, key=lambda child: float(child.data.tags[VALUE]))
        value = float(best.data.tags[VALUE])
        tags |= {
            "sweep.best": best.data.tags[TRIED],
            "sweep.best_run_id": best.info.run_id,
            "mlflow.note.content": _note(sweep, best, value, len(children)),
        }
        name = f"best/{sweep.metric.replace('_', '/', 1)}"
        if parent.data.metrics.get(name) != value:
            store.client.log_metric(run_id, name, value, step=len(children))
    for name, text in tags.items():
        store.client.set_tag(run_id, name, text)
    store.client.set_terminated(run_id, "FAILED" if failed else "FINISHED")


def _note(sweep: Sweep, best: "Run", value: float, num_children: int) -> str:
    return (
        f"**{sweep.name}**: {num_children} trainings of {sweep.run}, judged by {sweep.metric} (validation set).\n\n"
        f"Best: {value:.6g} with `{best.data.tags[TRIED]}` (run `{best.info.run_id}`).\n\nCall it again:\n\n"
        f"```\n{sweep.command}\n```"
    )


def _search(store: Store, tag: str, value: str) -> list[Any]:
    experiments = [experiment.experiment_id for experiment in store.client.search_experiments()]
    query, token = f"tags.`{tag}` = '{value}'", None
    found: list[Any] = []
    while True:
        page = store.client.search_runs(experiments, query, order_by=["start_time"], page_token=token)
        found += page
        token = page.token
        if not token:
            return found
