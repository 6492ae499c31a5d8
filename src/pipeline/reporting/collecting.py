"""What DVC plots of the models in the workspace, as ``dvc.yaml`` declares it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.repo import Repo  # type: ignore[import-untyped]

from pipeline.tracking import projection
from pipeline.tracking.results import COMPARED, EVALUATED, told


@dataclass
class Plot:
    """What several runs have in the same place.

    Attributes:
        options: how ``dvc.yaml`` has it drawn.
        contents: run -> the rows of a table, or the bytes of a picture.
    """

    options: dict[str, Any]
    contents: dict[str, Any] = field(default_factory=dict)


#: Path within ``outputs/<run>`` -> plot.
Plots = dict[str, Plot]


def collect() -> dict[str, Plots]:
    """The plots of all runs, by ``<task>/<data set>``; in the order of ``params.yaml``.

    Those of a model that has been trained anew since it was evaluated or compared are left out.

    Raises:
        ValueError: there are none, or a file is damaged.
    """
    groups = {}
    outdated = set()  # run and folder of plots
    for folder in projection.outputs():
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        groups[folder.name] = f"{record['task']}/{record['dataset']}"
        for names in (EVALUATED, COMPARED):
            if not told(folder, names, record["model_md5"]):
                outdated.add((folder.name, names[-1]))
    # As `dvc plots show` does it, which warns of all that no stage has made yet.
    shown = Repo().plots.show(onerror=_remember).get("workspace", {})
    definitions, sources = (shown.get(part, {}).get("data", {}) for part in ("definitions", "sources"))
    found: dict[str, Plots] = {}
    for path, options in definitions.get("", {}).get("data", {}).items():
        content, problem = (sources[path].get(name) for name in ("data", "problem"))
        if problem and Path(path).is_file():
            raise ValueError(f"{path} can't be read: {problem}; bring it back by `dvc checkout --force {path}`")
        match path.split("/", 2):
            case ["outputs", run, place] if (run, place.partition("/")[0]) in outdated:
                continue
            case ["outputs", run, place] if content and run in groups:
                found.setdefault(groups[run], {}).setdefault(place, Plot(options)).contents[run] = content
    if not found:
        raise ValueError("outputs/ has nothing to plot: train by `make repro`, or bring models by `dvc checkout`")
    return found


def _remember(result: dict[str, Any], error: Exception, **_: Any) -> None:
    result["problem"] = error
