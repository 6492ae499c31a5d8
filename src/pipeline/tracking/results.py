"""What stages leave in ``outputs/<run>`` of a model, and whether they tell of these weights or of those before."""

import json
from pathlib import Path
from typing import Any

#: What each stage leaves; the first that is named tells of which model it is.
EVALUATED = ("evaluation.json", "metrics.json", "plots")
EXPORTED = ("export.json", "model.ts", "model.pt2")
COMPARED = ("comparison.json", "comparison_metrics.json", "comparison")


def told(folder: Path, names: tuple[str, ...], model_md5: str) -> dict[str, Any] | None:
    """What a stage told of this model; None if it hasn't yet, or told of the one before.

    Args:
        folder: ``outputs/<run>``.
        names: of what the stage leaves there, first the file that tells of which model it is.
        model_md5: of the weights.

    Raises:
        ValueError: that file is damaged.
    """
    if not all((folder / name).exists() for name in names):
        return None
    content: dict[str, Any] = json.loads((folder / names[0]).read_text(encoding="utf-8"))
    # Commits from before `model_md5` was written can't say.
    return content if content.get("model_md5") == model_md5 else None
