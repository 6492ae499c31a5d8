"""Validate the whole of ``params.yaml`` before any stage runs; a mistake is named and ends in status 1."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, NonNegativeInt

from pipeline.comparison.options import NAMES as COMPARED
from pipeline.comparison.options import Options as Comparison
from pipeline.core import rooms
from pipeline.core.schema import Schema, nearest, parse
from pipeline.core.spec import DataSpec
from pipeline.exporting.options import Options as ExportOptions
from pipeline.promotion.criterion import Criterion
from pipeline.training.options import TrainOptions


class Run(Schema):
    """One entry under ``runs``; the sections that are mappings here belong to the model, task or metrics named."""

    task: str
    dataset: str
    model: dict[str, Any]
    train: dict[str, Any]
    evaluate: dict[str, Any]
    export: dict[str, Any]
    promote: Criterion | None = None


class Params(Schema):
    """The top level of ``params.yaml``."""

    seed: NonNegativeInt
    num_threads: int = Field(gt=0, le=1024)
    datasets: dict[str, Any]
    runs: dict[str, Any]
    comparisons: dict[str, Any]


def check(content: dict[str, Any], rehearse: bool) -> list[str]:
    """Validate the whole of ``params.yaml``.

    Args:
        content: the parsed file.
        rehearse: also try one training step of every run on tensors without numbers, which checks the sections
            that only a model or task understands and takes the seconds of importing PyTorch.

    Returns:
        Warnings: data sets that no run uses.

    Raises:
        ValueError: every problem found, one a line.
    """
    params = parse(Params, content, "params.yaml")
    problems: list[str] = []

    def collect(step: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return step(*arguments)
        except ValueError as error:
            problems.append(str(error))
            return None

    specs = {key: collect(_check_dataset, key, entry) for key, entry in params.datasets.items()}
    runs = {key: collect(_check_run, key, section, params) for key, section in params.runs.items()}
    for key, entry in params.comparisons.items():
        collect(_check_comparison, key, entry, runs)
    if rehearse and not problems:
        from pipeline.rehearsal import rehearse as try_step
        from pipeline.rehearsal import rehearse_comparison

        for key, run in runs.items():
            collect(try_step, f"runs.{key}", run.task, specs[run.dataset], run.model, run.train)
        for key, entry in params.comparisons.items():
            name = entry["classifier"]
            collect(rehearse_comparison, f"comparisons.{key}", name, runs[name].model)
    if problems:
        raise ValueError("\n".join(problems))
    used = {run.dataset for run in runs.values()}
    return [f"datasets.{key}: no run uses it, and it is prepared all the same" for key in specs if key not in used]


def _check_dataset(key: str, entry: Any) -> DataSpec:
    path = f"datasets.{key}"
    _check_name(key, path)
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise ValueError(f"{path}: {entry!r} is not allowed; a mapping with the key 'kind' is needed")
    module = rooms.load("datasets", entry["kind"], f"{path}.kind")
    spec: DataSpec = module.spec(parse(module.Options, entry, path))
    return spec


def _check_run(key: str, section: Any, params: Params) -> Run:
    path = f"runs.{key}"
    _check_name(key, path)
    run = parse(Run, section, path)
    problems = []
    if run.dataset not in params.datasets:
        problems.append(_missing_dataset(run.dataset, path, params.datasets))
    for step in (
        lambda: parse(TrainOptions, run.train, f"{path}.train"),
        lambda: _check_metrics(run, path, key in params.comparisons),
        lambda: parse(ExportOptions, run.export, f"{path}.export"),
    ):
        try:
            step()
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return run


def _check_metrics(run: Run, path: str, is_compared: bool) -> None:
    module, wanted = rooms.load("metrics", run.task, f"{path}.task"), run.promote
    parse(module.Options, run.evaluate, f"{path}.evaluate")
    names = (*module.NAMES, *(COMPARED if is_compared else ()))
    if wanted is None or wanted.metric in names:
        return
    remedy = nearest(wanted.metric, names)
    if wanted.metric in COMPARED and module.MAKES_IMAGES:
        remedy = f"it needs an entry comparisons.{path.rpartition('.')[2]}"
    raise ValueError(f"{path}.promote.metric: {wanted.metric!r} is unknown; {remedy}")


def _check_comparison(key: str, entry: Any, runs: Mapping[str, Run | None]) -> None:
    path = f"comparisons.{key}"
    options = parse(Comparison, entry, path)
    for name, where in ((key, path), (options.classifier, f"{path}.classifier")):
        if name not in runs:
            raise ValueError(f"{where}: {name!r} is not under runs; {nearest(name, runs)}")
    generator, classifier = runs[key], runs[options.classifier]
    if generator is None or classifier is None:  # which has been said already
        return
    if not rooms.load("metrics", generator.task, f"runs.{key}.task").MAKES_IMAGES:
        raise ValueError(f"{path}: {key} ({generator.task}) generates nothing that could be compared; remove the entry")
    if classifier.task != "classification":
        raise ValueError(f"{path}.classifier: {options.classifier} ({classifier.task}) tells no classes apart")
    for name, run in ((key, generator), (options.classifier, classifier)):
        if run.dataset != options.dataset:
            raise ValueError(f"{path}.dataset: {options.dataset!r} is not that of {name}, which is {run.dataset!r}")


def _check_name(key: object, path: str) -> None:
    # Names become file names, stage names and MLflow names.
    if not isinstance(key, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", key):
        raise ValueError(f"{path}: {key!r} is not a name; use small letters, digits, '_' and '-', as in my_run-2")


def _missing_dataset(name: str, path: str, datasets: Mapping[str, Any]) -> str:
    message = f"{path}.dataset: {name!r} is not under datasets; {nearest(name, datasets)}"
    if name not in rooms.names("datasets") or not Path(f"data/{name}.md5").exists():
        return message
    return f"{message}\n  or add it by these lines:\ndatasets:\n  {name}: {{kind: {name}, path: data/{name}.md5}}"


def check_machine(content: Mapping[str, Any]) -> None:
    """Check what the valid ``content`` of ``params.yaml`` needs of this machine, before hours are spent without it.

    Raises:
        ValueError: a data set's path isn't there, or ``PIPELINE_DEVICE`` isn't.
    """
    problems = [
        f"datasets.{key}.path: {entry['path']!r} is not there; correct it, it is relative to {Path.cwd()}"
        for key, entry in content["datasets"].items()
        if not Path(entry["path"]).exists()
    ]
    if problems:
        raise ValueError("\n".join(problems))
    if os.environ.get("PIPELINE_DEVICE"):
        from pipeline.network import devices  # which imports PyTorch for seconds

        devices.prepare(content["num_threads"])


if __name__ == "__main__":
    import sys

    from pipeline import arguments
    from pipeline.core import params

    parser = arguments.parser(__doc__)
    parser.add_argument("--machine", action="store_true", help="also that the data and PIPELINE_DEVICE are there")
    given = parser.parse_args()

    try:
        content = params.read()
        check(content, rehearse=False)
        if given.machine:
            check_machine(content)
    except KeyboardInterrupt:
        sys.exit(130)
    except ValueError as error:
        sys.exit(f"error: {error}")
