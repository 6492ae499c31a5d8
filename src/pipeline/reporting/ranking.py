"""The runs of an MLflow store, by task and data set, best first."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.store.entities import PagedList

from pipeline.promotion.registry import CHAMPION
from pipeline.reporting.headline import METRICS
from pipeline.tracking import projection
from pipeline.tracking.runs import KEY

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A trained model.

    Attributes:
        run: its name in ``params.yaml``.
        key: the hash of all that determined it.
        metrics: of the test, as in :data:`METRICS`; NaN where there is none yet.
        num_parameters: numbers that were learned, without buffers such as the averages of batch norm.
        epochs: for how many it was trained.
        seconds: what they took; None where nobody measured, as of a model that DVC restored.
        device: on which it was trained, if anybody knows.
        is_champion: of its registered model.
    """

    run: str
    key: str
    metrics: dict[str, float]
    num_parameters: int
    epochs: int
    seconds: float | None
    device: str | None
    is_champion: bool


def rank(client: MlflowClient, everything: bool) -> dict[str, list[Entry]]:
    """The finished models by ``<task>/<data set>``.

    Args:
        client: of the store.
        everything: else of each name one, that in ``outputs/`` or else the newest, and its champion.
    """
    champions = _champions(client)
    found = {}
    for experiment in _all(partial(client.search_experiments, order_by=["name ASC"])):
        runs = _finished(client, experiment.experiment_id)
        if not everything:
            runs = _chosen(runs, champions)
        metrics = METRICS.get(experiment.name.partition("/")[0], {})
        entries = [_entry(client, run, list(metrics), run.info.run_id in champions) for run in runs]
        if entries:
            found[experiment.name] = sorted(entries, key=partial(_place, metrics))
    return found


def _all(search: Callable[..., PagedList[T]]) -> Iterator[T]:
    """What a search of MLflow finds, page by page."""
    token: str | None = None
    while token != "":
        page = search(page_token=token)
        yield from page
        token = page.token or ""


def _finished(client: MlflowClient, experiment: str) -> list[Run]:
    """The runs of models, newest first; others may be in the store too."""
    condition, order = "attributes.status = 'FINISHED'", ["attributes.start_time DESC"]
    runs = _all(partial(client.search_runs, [experiment], condition, order_by=order))
    return [run for run in runs if KEY in run.data.tags]


def _chosen(runs: list[Run], champions: set[str]) -> list[Run]:
    records = [json.loads((folder / "record.json").read_text(encoding="utf-8")) for folder in projection.outputs()]
    present = {record["input_key"] for record in records}
    chosen: dict[str, str] = {}
    for run in sorted(runs, key=lambda run: run.data.tags[KEY] not in present):  # of equals, the newest comes first
        chosen.setdefault(run.data.tags["pipeline.run"], run.info.run_id)
    return [run for run in runs if run.info.run_id in champions.union(chosen.values())]


def _champions(client: MlflowClient) -> set[str]:
    models = _all(client.search_registered_models)
    versions = [(model.name, model.aliases[CHAMPION]) for model in models if CHAMPION in model.aliases]
    return {str(client.get_model_version(name, version).run_id) for name, version in versions}


def _entry(client: MlflowClient, run: Run, metrics: list[str], is_champion: bool) -> Entry:
    def by_epoch(name: str) -> dict[int, float]:
        history = client.get_metric_history(run.info.run_id, name) if name in run.data.metrics else []
        return {metric.step: metric.value for metric in history}

    epochs, seconds = by_epoch("train/loss"), by_epoch("system/epoch_seconds")
    return Entry(
        run=run.data.tags["pipeline.run"],
        key=run.data.tags[KEY],
        metrics={name: run.data.metrics.get(f"test/{name}", math.nan) for name in metrics},
        num_parameters=int(run.data.params["num_parameters"]),
        epochs=len(epochs),
        seconds=sum(seconds.values()) if epochs and seconds.keys() == epochs.keys() else None,
        device=run.data.tags.get("device"),
        is_champion=is_champion,
    )


def _place(better: Mapping[str, Callable[..., Any]], entry: Entry) -> list[float]:
    signs = {name: -1 if best is max else 1 for name, best in better.items()}
    return [math.inf if math.isnan(value) else signs[name] * value for name, value in entry.metrics.items()]
