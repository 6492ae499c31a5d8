"""Which MLflow run belongs to a model: found by its content, or created, and never two of them."""

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

KEY = "pipeline.input_key"
#: A run's colour in charts. By itself MLflow takes one of 29 by chance, and two of a handful are often alike.
COLOR = "mlflow.runColor"
COLORS = ("#2272b4", "#de7921", "#277c43", "#8a63bf", "#c83243", "#04867d", "#b45091", "#a6630c", "#445461", "#8acaff")


class Runs:
    """The runs of a store.

    Args:
        client: of the store.
        artifacts: where experiments that are created keep their files; None leaves it to the server.
    """

    def __init__(self, client: MlflowClient, artifacts: str | None) -> None:
        self.client, self.artifacts = client, artifacts

    def of(self, record: dict[str, Any], started: int) -> Run:
        """The run of the model that ``record`` tells of.

        Args:
            record: the contents of ``record.json``.
            started: milliseconds since 1970, for a run that has to be created.
        """
        experiment, key = self.experiment(record), record["input_key"]
        if not (found := self._find(experiment, key)):
            name = f"{record['run']} · {record['dataset']} · {key[:7]}"
            tags = {KEY: key, COLOR: self._free_color(experiment)}
            self.client.create_run(experiment, start_time=started, tags=tags, run_name=name)
            found = self._find(experiment, key)
        # MLflow sends a creation again if the answer is lost, and copies of the project know nothing of each other.
        for twin in found[1:]:
            self._remove(twin, found[0])
        return found[0]

    def experiment(self, record: dict[str, Any]) -> str:
        """The id of the MLflow experiment of a task and data set, which is created, or restored if it was deleted."""
        name = f"{record['task']}/{record['dataset']}"
        if (found := self.client.get_experiment_by_name(name)) is None:
            return self.client.create_experiment(name, artifact_location=self.artifacts)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _find(self, experiment: str, key: str) -> list[Run]:
        condition, order = f"tags.`{KEY}` = '{key}'", ["attributes.start_time ASC"]
        return list(self.client.search_runs([experiment], condition, order_by=order))

    def _remove(self, twin: Run, run: Run) -> None:
        try:
            self.client.delete_run(twin.info.run_id)
        except MlflowException as error:
            if error.error_code != "PERMISSION_DENIED":
                raise
            # On a team's server only who owns the experiment may delete. Nobody finds it by its key any more.
            self.client.set_tag(twin.info.run_id, KEY, f"twin of {run.info.run_id}")
            self.client.update_run(twin.info.run_id, status="KILLED", name=f"twin of {run.info.run_name}")

    def _free_color(self, experiment: str) -> str:
        latest = self.client.search_runs([experiment], max_results=len(COLORS) - 1)
        taken = {run.data.tags.get(COLOR) for run in latest}
        return next(color for color in COLORS if color not in taken)
