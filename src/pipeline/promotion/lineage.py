"""From a registered model to its commit, parameters and data, and from each of these to models."""

import re
from collections.abc import Iterator

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from pipeline.promotion.registry import PROGRAM
from pipeline.tracking.store import Store

#: What a text may be that isn't a registered model: a run's name, or the beginning of its input key or commit; the md5
#: of weights, or of data that it read.
SEARCHES = (
    "tags.`pipeline.run` = '{0}'",
    "tags.`pipeline.input_key` LIKE '{0}%'",
    "tags.`mlflow.source.git.commit` LIKE '{0}%'",
    "tags.`pipeline.model_md5` = '{0}'",
    "datasets.digest = '{0}'",
)
#: And the value of a parameter, such as ``train.optimizer.lr=0.05``.
PARAMETER = "params.`{0}` = '{1}'"


class Lineage:
    """Walks through an MLflow store."""

    def __init__(self, store: Store) -> None:
        self.client = store.client

    def find(self, text: str) -> list[Run]:
        """The runs that ``text`` is about.

        Args:
            text: ``NAME@ALIAS`` or ``NAME/VERSION`` of a registered model, or one of :data:`SEARCHES`, the md5 of a
                TorchScript program, or ``NAME=VALUE`` of a parameter.

        Raises:
            ValueError: there is nothing of that kind.
        """
        if not re.fullmatch(r"[\w.@/=-]+", text):
            raise ValueError(f"{text!r} can't be the name or hash of anything here")
        try:
            if parts := re.fullmatch(r"([^@]+)@([^@]+)", text):
                return [self._run_of(self.client.get_model_version_by_alias(*parts.groups()))]
            if parts := re.fullmatch(r"([^/]+)/(\d+)", text):
                return [self._run_of(self.client.get_model_version(*parts.groups()))]
        except MlflowException as error:
            raise ValueError(f"{text}: {error.message}") from None
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        name, equals, value = text.partition("=")
        searches = [PARAMETER.format(name, value)] if equals else [search.format(text) for search in SEARCHES]
        found = [run for search in searches for run in self.client.search_runs(experiments, search)]
        runs = {run.info.run_id: run for run in found}
        programs = self.client.search_model_versions(f"tags.`{PROGRAM}` = '{text}'")
        runs |= {run.info.run_id: run for run in map(self._run_of, programs)}
        if not runs:
            raise ValueError(f"nothing is called {text!r}, and no commit, key or md5 begins so")
        return list(runs.values())

    def describe(self, run: Run) -> dict[str, object]:
        """All that led to a run, and what it led to."""
        tags, inputs = run.data.tags, run.inputs.dataset_inputs if run.inputs else []
        return {
            "run": run.info.run_name,
            "id": run.info.run_id,
            "status": run.info.status,
            "input_key": tags.get("pipeline.input_key"),
            "commit": tags.get("mlflow.source.git.commit", "unknown"),
            "changed_since_commit": tags.get("git.dirty") == "true",
            "data": sorted(f"{data.tags[0].value} {data.dataset.digest}" for data in inputs),
            "params": dict(sorted(run.data.params.items())),
            "test": {name: value for name, value in run.data.metrics.items() if name.startswith("test/")},
            "registered": list(self._registered(run)),
        }

    def _run_of(self, version: ModelVersion) -> Run:
        assert version.run_id, "every version of ours is registered with its run"
        return self.client.get_run(version.run_id)

    def _registered(self, run: Run) -> Iterator[str]:
        for version in self.client.search_model_versions(f"run_id = '{run.info.run_id}'"):
            complete: ModelVersion = self.client.get_model_version(version.name, version.version)
            yield " ".join([f"{version.name}/{version.version}", *(f"@{alias}" for alias in complete.aliases)])
