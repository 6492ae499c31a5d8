"""`make promote`: register every finished model of the workspace, and make the best its name's champion.

It is no stage, since DVC may skip or restore those. Doing it twice adds nothing. The environment may
have MLFLOW_TRACKING_URI, where the registry is.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import arguments, checking
from pipeline.core import params, schema
from pipeline.core.files import md5
from pipeline.promotion.criterion import Criterion
from pipeline.tracking import projection
from pipeline.tracking.projection import Projection
from pipeline.tracking.publishing import describe, open_store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from pipeline.promotion.registry import Registry
    from pipeline.tracking.store import Store


def main() -> None:
    """Register and decide for each run of ``params.yaml``; the exit status is 1 if some couldn't be registered."""
    content = params.read()
    checking.check(content, rehearse=False)
    try:
        store = open_store()
    except Exception as error:
        sys.exit(f"error: {describe(error)}")
    failed = False
    for run in content["runs"]:
        try:
            sys.stdout.write(f"{run}: {promote(store, run, content)}\n")
        # One that can't be registered must not keep the others from it.
        except Exception as error:
            failed = True
            sys.stderr.write(f"error: {run}: {describe(error)}\n")
    sys.exit(failed)


def promote(store: "Store", run: str, content: dict[str, Any]) -> str:
    """Register the model in ``outputs/<run>``, decide whether it becomes champion, and say what was decided and why.

    Raises:
        ValueError: the run isn't trained, evaluated, exported and, where it is to be, compared.
    """
    # Here and not above: they import MLflow, which must be told its settings before.
    from pipeline.promotion import package
    from pipeline.promotion.registry import Registry

    registry, folder = Registry(store), Path("outputs") / run
    with store.lock():
        wanted = _complete(
            folder, {"train", "evaluate", "export"} | ({"compare"} if run in content["comparisons"] else set())
        )
        found, program = store.publish(wanted), wanted.tags["export.ts.md5"]
        version = registry.version_of(run, program)
    if version is None:
        # Without the lock, for which stages would have to wait.
        with tempfile.TemporaryDirectory() as parent:
            copy, target = Path(parent) / "model.ts", Path(parent) / "model"
            shutil.copyfile(folder / "model.ts", copy)
            if md5(copy) != program:
                raise ValueError(f"{folder / 'model.ts'} isn't what export.json tells of; run `dvc repro export@{run}`")
            package.save(copy, Path("data/processed") / wanted.record["dataset"], target)
            address = registry.upload(found, target, program)
        with store.lock():
            version = registry.version_of(run, program) or registry.add(wanted, found, address, program)
    with store.lock():
        return decide(registry, registry.judge(version, wanted), content["runs"][run].get("promote"))


def _complete(folder: Path, stages: set[str]) -> Projection:
    wanted = projection.from_outputs(folder)
    if wanted is None or not stages <= wanted.done:
        missing = stages - (wanted.done if wanted else set())
        targets = " ".join(f"{stage}@{folder.name}" for stage in sorted(missing))
        raise ValueError(f"{folder} isn't complete; run `dvc repro {targets}`")
    return wanted


def decide(registry: "Registry", version: "ModelVersion", section: dict[str, Any] | None) -> str:
    """Make ``version`` champion if the subtree ``promote`` of its run allows it; say what was decided and why."""
    from pipeline.promotion.registry import DEMOTED, METRICS

    champion = registry.champion(version.name)
    if champion is not None and champion.version == version.version:
        return f"version {version.version} is champion already"
    if section is None:
        objection = f"params.yaml has no runs.{version.name}.promote"
    elif demoted := version.tags.get(DEMOTED):
        objection = f"it was demoted on {demoted}; delete its tag {DEMOTED} to allow it again"
    elif champion is not None and not _comparable(champion, version, section["metric"]):
        objection = (
            f"the champion, version {champion.version}, was judged on other test data or compared otherwise, and "
            f"nothing says which is better; `make demote RUN={version.name}` first if the new way replaces the old"
        )
    else:
        criterion = schema.parse(Criterion, section, f"runs.{version.name}.promote")
        value = json.loads(version.tags[METRICS])[criterion.metric]
        best = json.loads(champion.tags[METRICS])[criterion.metric] if champion else None
        failing = criterion.objection(value, best)
        if failing is None:
            before = f"version {champion.version} had {best:g}" if champion else "the first champion"
            reason = f"{criterion.metric} {value:g}, {before}"
            registry.crown(version, reason)
            return f"version {version.version} is champion: {reason}"
        objection = failing
    registry.refuse(version, objection)
    return f"version {version.version} stays candidate: {objection}"


def _comparable(champion: "ModelVersion", version: "ModelVersion", metric: str) -> bool:
    from pipeline.promotion.registry import METRICS, TEST_DATA

    same = champion.tags.get(TEST_DATA) == version.tags[TEST_DATA]
    return same and metric in json.loads(champion.tags[METRICS])


if __name__ == "__main__":
    arguments.none(__doc__, "make promote")
    try:
        main()
    except ValueError as error:
        sys.exit(f"error: {error}")
