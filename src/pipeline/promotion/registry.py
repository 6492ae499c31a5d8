"""Registered models: one name a run, one version an exported program, and who is champion, with the history of it."""

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from pipeline.core.files import md5
from pipeline.tracking import projection
from pipeline.tracking.projection import Projection
from pipeline.tracking.store import Store

CANDIDATE, CHAMPION = "candidate", "champion"
#: Tags of a version: what it was made of,
PROGRAM, MODEL, KEY = "pipeline.program_md5", "pipeline.model_md5", "pipeline.input_key"
#: how it was judged (JSON: metrics, and the md5s of the test data),
METRICS, TEST_DATA = "pipeline.metrics", "pipeline.test_data"
#: and what was decided, when and why.
DECISION, REASON, SINCE, UNTIL, DEMOTED = (
    f"pipeline.{name}" for name in ("decision", "reason", "champion_since", "champion_until", "demoted")
)


class Registry:
    """The model registry beside a tracking store. The caller of each method holds ``store.lock()``."""

    def __init__(self, store: Store) -> None:
        self.store, self.client = store, store.client

    def register(self, wanted: Projection, folder: Path, save: Callable[[Path], None]) -> ModelVersion:
        """The version of the program in ``folder``, found or made, as ``candidate`` and with its latest test metrics.

        Args:
            wanted: the model's run, complete.
            folder: ``outputs/<run>``.
            save: writes the MLflow model into a folder.
        """
        name, digest = wanted.record["run"], md5(folder / "model.ts")
        run = self.store.publish(wanted)
        version = next((v for v in self.versions(name) if v.tags.get(PROGRAM) == digest), None)
        if version is None:
            # A place that its contents determine: an attempt that was cut short leaves nothing that another trips over.
            place = f"models/{digest}"
            with tempfile.TemporaryDirectory() as parent:
                save(Path(parent) / "model")
                self.client.log_artifacts(run.info.run_id, str(Path(parent) / "model"), place)
            identity = {PROGRAM: digest, MODEL: wanted.record["model_md5"], KEY: wanted.record["input_key"]}
            self._name(name)
            version = self.client.create_model_version(
                name,
                f"{run.info.artifact_uri}/{place}",
                run.info.run_id,
                tags=identity,
                description=projection.note(wanted),
            )
        judged = {METRICS: json.dumps(wanted.test), TEST_DATA: json.dumps(sorted(wanted.data.values()))}
        self._tag(version, judged)
        self.client.set_registered_model_alias(name, CANDIDATE, version.version)
        return self.client.get_model_version(name, version.version)

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a registered model, oldest first; none if there is no such model."""
        found: list[ModelVersion] = []
        token: str | None = None
        while token != "":
            page = self.client.search_model_versions(f"name = '{name}'", page_token=token)
            found, token = [*found, *page], page.token or ""
        return sorted(found, key=lambda version: int(version.version))

    def champion(self, name: str) -> ModelVersion | None:
        """The present champion; None if there is none."""
        try:
            return self.client.get_model_version_by_alias(name, CHAMPION)
        except MlflowException:  # it has one error for "no such model" and "no such alias"
            return None

    def crown(self, version: ModelVersion, reason: str) -> None:
        """Make ``version`` its model's champion in place of the present one."""
        if (before := self.champion(version.name)) is not None:
            self._tag(before, {UNTIL: _now(), DECISION: CANDIDATE, REASON: f"version {version.version} surpassed it"})
        self.client.set_registered_model_alias(version.name, CHAMPION, version.version)
        self._tag(version, {SINCE: _now(), DECISION: CHAMPION, REASON: reason})

    def refuse(self, version: ModelVersion, reason: str) -> None:
        """Record why ``version`` did not become champion."""
        self._tag(version, {DECISION: CANDIDATE, REASON: reason})

    def demote(self, name: str) -> tuple[ModelVersion, ModelVersion | None]:
        """Take the champion's title away and give it back to the one before, if there is one that wasn't demoted too.

        Returns:
            The demoted version, and the champion now.

        Raises:
            ValueError: there is no champion.
        """
        champion = self.champion(name)
        if champion is None:
            names = ", ".join(sorted(model.name for model in self.client.search_registered_models())) or "none"
            raise ValueError(f"{name!r} has no champion to demote; registered models: {names}")
        former = [v for v in self.versions(name) if UNTIL in v.tags and DEMOTED not in v.tags]
        now, successor = _now(), max(former, key=lambda v: v.tags[UNTIL], default=None)
        self._tag(champion, {UNTIL: now, DEMOTED: now, DECISION: CANDIDATE, REASON: "demoted by hand"})
        if successor is None:
            self.client.delete_registered_model_alias(name, CHAMPION)
        else:
            self.client.set_registered_model_alias(name, CHAMPION, successor.version)
            reason = f"champion again: version {champion.version} was demoted"
            self._tag(successor, {SINCE: now, DECISION: CHAMPION, REASON: reason})
            self.client.delete_model_version_tag(name, successor.version, UNTIL)
        return champion, successor

    def _name(self, name: str) -> None:
        try:
            self.client.get_registered_model(name)
        except MlflowException:
            self.client.create_registered_model(name)

    def _tag(self, version: ModelVersion, tags: dict[str, str]) -> None:
        for key, value in tags.items():
            if version.tags.get(key) != value:
                self.client.set_model_version_tag(version.name, version.version, key, value)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
