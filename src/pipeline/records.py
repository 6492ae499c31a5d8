"""What determined a trained model, and the hash of it all: the model's identity in MLflow and among checkpoints."""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.core.files import md5
from pipeline.core.versions import FILE as VERSIONS

#: They watch a stage and can't change what it computes, so their code is no part of a model's identity.
OBSERVERS = ("pipeline.tracking", "pipeline.watching")


def record(
    run: str, task: str, dataset: str, params: Mapping[str, Any], data: list[Path], **facts: Any
) -> dict[str, Any]:
    """Describe a training by all that determines its result.

    Args:
        run: the run's name.
        task: the task's name.
        dataset: the data set's key.
        params: everything that training reads from ``params.yaml`` with defaults filled in, nested.
        data: files that training reads.
        facts: whatever else is to be recorded; it isn't part of the identity.

    Returns:
        The contents of ``record.json``, whose ``input_key`` is a SHA-256 over name, parameters, data, code, versions.
    """
    inputs = {
        "run": run,
        "task": task,
        "dataset": dataset,
        "params": flatten(params),
        "data": {str(file): md5(file) for file in data},
        "code": {str(file): md5(file) for file in code()},
        "versions": VERSIONS.read_text(encoding="utf-8").split(),
    }
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return {**inputs, "input_key": key, "model_md5": None, **facts}


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"optimizer": {"lr": 0.1}}`` -> ``{"optimizer.lr": 0.1}``; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat


def code() -> list[Path]:
    """Our own source files that this process has imported, relative to the repository, without the observers."""
    root = Path.cwd()
    modules = [module for name, module in sys.modules.items() if not name.startswith(OBSERVERS)]
    files = [Path(file).resolve() for module in modules if (file := getattr(module, "__file__", None))]
    return sorted(
        file.relative_to(root) for file in files if file.is_relative_to(root / "src") or file.parent == root / "stages"
    )
