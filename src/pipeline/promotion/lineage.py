"""`make lineage OF=…`: from a registered model to its commit, parameters and data, and from each of these to models."""

import json
import re
import sys
from collections.abc import Iterator

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from ruamel.yaml import YAML

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


class Lineage:
    """Walks through an MLflow store."""

    def __init__(self, store: Store) -> None:
        self.client = store.client

    def find(self, text: str) -> list[Run]:
        """The runs that ``text`` is about.

        Args:
            text: ``NAME@ALIAS`` or ``NAME/VERSION`` of a registered model, or one of :data:`SEARCHES`, or the md5 of a
                TorchScript program.

        Raises:
            ValueError: there is nothing of that kind.
        """
        if not re.fullmatch(r"[\w.@/-]+", text):
            raise ValueError(f"{text!r} can't be the name or hash of anything here")
        try:
            if found := re.fullmatch(r"([^@]+)@([^@]+)", text):
                return [self._run_of(self.client.get_model_version_by_alias(*found.groups()))]
            if found := re.fullmatch(r"([^/]+)/(\d+)", text):
                return [self._run_of(self.client.get_model_version(*found.groups()))]
        except MlflowException as error:
            raise ValueError(f"{text}: {error.message}") from None
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        runs = {
            run.info.run_id: run
            for search in SEARCHES
            for run in self.client.search_runs(experiments, search.format(text))
        }
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
            "data": {data.tags[0].value: data.dataset.digest for data in inputs},
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


def main(text: str) -> None:
    """Print, as YAML, one document for each run that ``text`` is about."""
    lineage = Lineage(Store())
    yaml = YAML()
    yaml.explicit_start = True
    for run in lineage.find(text):
        yaml.dump(json.loads(json.dumps(lineage.describe(run))), sys.stdout)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit("usage: make lineage OF=<model>@<alias>, <model>/<version>, a run's name, or a commit, key or md5")
    try:
        main(sys.argv[1])
    except ValueError as error:
        sys.exit(f"error: {error}")
