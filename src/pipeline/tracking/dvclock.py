"""Which stages, with which parameters, data and code, led to a model: its part of ``dvc.lock``."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LOCK = Path("dvc.lock")


def part_of(run: str, record_md5: str) -> str | None:
    """The part of ``dvc.lock`` that is about one run, from its data to its export, as YAML.

    None if DVC hasn't recorded the training whose ``record.json`` has the md5 ``record_md5``.
    """
    try:
        stages = (YAML(typ="safe").load(LOCK) or {}).get("stages", {})
    except FileNotFoundError:
        return None
    record, train = (f"outputs/{run}/record.json", record_md5), f"train@{run}"
    if record not in _files(stages.get(train, {}), "outs"):
        return None
    users = [name for name in (f"evaluate@{run}", f"export@{run}") if record in _files(stages.get(name, {}), "deps")]
    wanted = [train, *users]
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = stages[name]
            read = {path for path, _ in _files(stages[name], "deps")}
            wanted += [maker for maker, stage in stages.items() if any(_makes(stage, path) for path in read)]
    text = io.StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.dump({"schema": "2.0", "stages": {name: found[name] for name in stages if name in found}}, text)
    return text.getvalue()


def _files(stage: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    return {(entry["path"], entry["md5"]) for entry in stage.get(kind, [])}


def _makes(stage: dict[str, Any], path: str) -> bool:
    return any(path == out or path.startswith(f"{out}/") for out, _ in _files(stage, "outs"))
