"""Which stages, with which parameters, data and code, led to a model: its part of ``dvc.lock``."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.core import params

LOCK = Path("dvc.lock")
#: Stage -> its entry in ``dvc.lock``.
Stages = dict[str, Any]


def part_of(run: str, record_md5: str) -> Stages | None:
    """The stages of one run, from its data to its export and comparison.

    None if DVC hasn't recorded the training whose ``record.json`` has the md5 ``record_md5``.
    """
    try:
        stages: Stages = (YAML(typ="safe").load(LOCK) or {}).get("stages", {})
    except FileNotFoundError:
        return None
    record, train = (f"outputs/{run}/record.json", record_md5), f"train@{run}"
    if record not in _files(stages.get(train, {}), "outs"):
        return None
    names = [f"{stage}@{run}" for stage in ("evaluate", "export", "compare")]
    users = [name for name in names if record in _files(stages.get(name, {}), "deps")]
    wanted, found = [train, *users], set[str]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            read = {path for path, _ in _files(stages[name], "deps")}
            wanted += [maker for maker, stage in stages.items() if any(_makes(stage, path) for path in read)]
    return {name: stage for name, stage in stages.items() if name in found}


def as_text(stages: Stages) -> str:
    """A ``dvc.lock`` of these stages alone."""
    text, yaml = io.StringIO(), YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.dump({"schema": "2.0", "stages": stages}, text)
    return text.getvalue()


def has_params_of(stages: Stages, content: dict[str, Any]) -> bool:
    """Whether all that these stages read of ``params.yaml`` is as in ``content``; ``check``, which reads all, aside."""
    recorded = [stage.get("params", {}).get(str(params.FILE), {}) for name, stage in stages.items() if name != "check"]
    try:
        return all(params.at(content, key) == value for part in recorded for key, value in part.items())
    except ValueError:  # a key that isn't there any more
        return False


def _files(stage: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    return {(entry["path"], entry["md5"]) for entry in stage.get(kind, [])}


def _makes(stage: dict[str, Any], path: str) -> bool:
    return any(path == out or path.startswith(f"{out}/") for out, _ in _files(stage, "outs"))
