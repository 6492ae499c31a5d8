"""Registered models: one name a run, one version an exported program, and who is champion, with the history of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from pipeline.tracking import projection
from pipeline.tracking.projection import Projection
from pipeline.tracking.runs import KEY
from pipeline.tracking.store import Store

CANDIDATE, CHAMPION = "candidate", "champion"
#: Tags of a version: what it was made of,
PROGRAM, MODEL = "pipeline.program_md5", "pipeline.model_md5"
#: how it was judged (JSON: metrics; the md5s of the test data and, of a comparison, its options),
METRICS, TEST_DATA = "pipeline.metrics", "pipeline.test_data"
#: and what was decided, when and why.
DECISION, REASON, SINCE, UNTIL, DEMOTED = (
    f"pipeline.{name}" for name in ("decision", "reason", "champion_since", "champion_until", "demoted")
)


class Registry:
    """The model registry beside a tracking store. Who changes it holds ``store.lock()``."""

    def __init__(self, store: Store) -> None:
        self.client = store.client

    def version_of(self, name: str, program_md5: str) -> ModelVersion | None:
        """The version of a registered model whose TorchScript has this md5; None if it isn't registered."""
        return next((v for v in self.versions(name) if v.tags.get(PROGRAM) == program_md5), None)

    def upload(self, run: Run, package: Path, program_md5: str) -> str:
        """Put an MLflow model among the artifacts of its run; gives its address.

        Its place is determined by its contents: an attempt that was cut short leaves nothing to trip over, and no other
        version's files are replaced.
        """
        place = _place(program_md5)
        self.client.log_artifacts(run.info.run_id, str(package), place)
        return f"{run.info.artifact_uri}/{place}"

    def download(self, version: ModelVersion, target: Path) -> Path:
        """Get the MLflow model of a version, into the folder ``target``; gives its own folder."""
        assert version.run_id, "every version of ours is registered with its run"
        return Path(self.client.download_artifacts(version.run_id, _place(version.tags[PROGRAM]), str(target)))

    def add(self, wanted: Projection, run: Run, address: str, program_md5: str) -> ModelVersion:
        """Register what lies at ``address`` as the next version of its run's name."""
        name, record = wanted.record["run"], wanted.record
        if self._model(name) is None:
            self.client.create_registered_model(name)
        return self.client.create_model_version(
            name,
            address,
            run.info.run_id,
            tags={PROGRAM: program_md5, MODEL: record["model_md5"], KEY: record["input_key"]},
            description=projection.note(wanted),
        )

    def judge(self, version: ModelVersion, wanted: Projection) -> ModelVersion:
        """Make ``version`` the candidate and record its latest test metrics; gives it as it is then."""
        # Distances in the features of another classifier, or between fewer images, are other distances.
        by = [f"{name}={value}" for name, value in wanted.tags.items() if name.startswith("compare.")]
        judged = {METRICS: json.dumps(wanted.test), TEST_DATA: json.dumps(sorted([*wanted.data.values(), *by]))}
        self._tag(version, judged)
        self.client.set_registered_model_alias(version.name, CANDIDATE, version.version)
        return self.client.get_model_version(version.name, version.version)

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
        model = self._model(name)
        version = model.aliases.get(CHAMPION) if model else None
        return self.client.get_model_version(name, version) if version else None

    def champions(self) -> list[str]:
        """The names of the registered models that have a champion."""
        return sorted(model.name for model in self.client.search_registered_models() if CHAMPION in model.aliases)

    def crown(self, version: ModelVersion, reason: str) -> None:
        """Make ``version`` its model's champion in place of the present one."""
        now, before = _now(), self.champion(version.name)
        if before is not None:
            self._tag(before, {UNTIL: now, DECISION: CANDIDATE, REASON: f"version {version.version} surpassed it"})
        self._give_title(version, now, reason)

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
        former = [v for v in self.versions(name) if v.tags.get(UNTIL) and DEMOTED not in v.tags]
        former = [v for v in former if v.version != champion.version]
        now, successor = _now(), max(former, key=lambda v: v.tags[UNTIL], default=None)
        if successor is None:
            # First, because a team's server may permit no deletion: then nothing has changed.
            self.client.delete_registered_model_alias(name, CHAMPION)
        self._tag(champion, {UNTIL: now, DEMOTED: now, DECISION: CANDIDATE, REASON: "demoted by hand"})
        if successor is not None:
            self._give_title(successor, now, f"champion again: version {champion.version} was demoted")
        return champion, successor

    def _give_title(self, version: ModelVersion, since: str, reason: str) -> None:
        self.client.set_registered_model_alias(version.name, CHAMPION, version.version)
        self._tag(version, {SINCE: since, DECISION: CHAMPION, REASON: reason})
        if version.tags.get(UNTIL):  # of an earlier time as champion; a deletion may not be permitted
            self._tag(version, {UNTIL: ""})

    def _model(self, name: str) -> RegisteredModel | None:
        try:
            return self.client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def _tag(self, version: ModelVersion, tags: dict[str, str]) -> None:
        for key, value in tags.items():
            if version.tags.get(key) != value:
                self.client.set_model_version_tag(version.name, version.version, key, value)


def _place(program_md5: str) -> str:
    return f"models/{program_md5}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
