"""What ``train`` left behind, checked to belong together."""

import json
from pathlib import Path
from typing import Any

from pipeline.core.files import md5


def read_record(folder: Path) -> dict[str, Any]:
    """Read ``record.json`` of a trained run, whose weights are to be those beside it.

    Raises:
        ValueError: the record is missing or damaged, or the weights are others than it names.
    """
    file, remedy = folder / "record.json", f"run `dvc repro train@{folder.name}`"
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found = md5(folder / "model.safetensors")
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ValueError(f"{file}: {error}; {remedy}") from None
    if found != record["model_md5"]:
        raise ValueError(f"{folder / 'model.safetensors'}: its md5 is {found}, not that in {file.name}; {remedy}")
    return record
