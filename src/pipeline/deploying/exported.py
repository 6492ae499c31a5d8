"""An exported run, as other forms of its program are made of it and proved by it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from pipeline.core import rooms, storage
from pipeline.core.files import md5
from pipeline.exporting.programs import Programs
from pipeline.exporting.proof import prove
from pipeline.network import building
from pipeline.trained import read_record


@dataclass(frozen=True)
class Exported:
    """A run's program by torch.export, and its answers to the test split.

    Attributes:
        folder: ``outputs/<run>``.
        program: what ``model.pt2`` holds.
        facts: text that goes into every form: ``run``, ``model_md5`` of the weights and, of a classifier, ``classes``,
            a JSON list with the name of each column of the answer.
        calls: the program's arguments, (n, ...) each, batch by batch, the first with one example alone.
        answers: what the program gives for them, one behind the other: (N, ...).
        tolerance: ``export.tolerance``, how far another form's answers may be off.
    """

    folder: Path
    program: ExportedProgram
    facts: dict[str, str]
    calls: list[tuple[Tensor, ...]]
    answers: Tensor
    tolerance: float

    def prove(self, name: str, form: Callable[..., Tensor]) -> dict[str, float]:
        """Show that another form gives the same answers, as :func:`pipeline.exporting.proof.prove` does."""
        return prove(name, form, self.calls, self.answers, self.tolerance)


def read(run: str) -> Exported:
    """Read what the stages made of ``run``, and let its program answer the test split on the CPU.

    Raises:
        ValueError: the run isn't trained and exported, its files don't belong together, or its data are missing.
    """
    folder = Path("outputs") / run
    record = read_record(folder)
    exported = _read_export(folder, record["model_md5"])
    torch.set_num_threads(record["params"]["num_threads"])
    made, tensors = programs(folder), storage.read(Path("data/processed") / record["dataset"], "test")
    calls = _first_alone([call.pt2 for call in made.calls(tensors, exported["options"]["batch_size"])])
    program = torch.export.load(folder / "model.pt2")
    answer = program.module()
    with torch.inference_mode():
        answers = torch.cat([answer(*call) for call in calls])
    facts = {"run": run, "model_md5": record["model_md5"]}
    if hasattr(made.ts, "classes"):
        facts["classes"] = json.dumps(made.ts.classes, ensure_ascii=False)
    return Exported(folder, program, facts, calls, answers, exported["options"]["tolerance"])


def programs(folder: Path) -> Programs:
    """The programs of the run in ``folder`` before the stage export wrote them, with the trained weights.

    Raises:
        ValueError: weights or prepared data are missing or damaged.
    """
    record = read_record(folder)
    meta = storage.read_meta(Path("data/processed") / record["dataset"])
    model = {key.removeprefix("model."): value for key, value in record["params"].items() if key.startswith("model.")}
    network, _ = building.build(model, meta.spec, f"runs.{folder.name}.model")
    building.load_weights(network, folder / "model.safetensors")
    made: Programs = rooms.load("programs", record["task"], f"runs.{folder.name}.task").programs(network, meta)
    return made


def _read_export(folder: Path, model_md5: str) -> dict[str, Any]:
    """``export.json``, which must tell of the weights and the program that are there."""
    file, program, remedy = folder / "export.json", folder / "model.pt2", f"run `dvc repro export@{folder.name}`"
    try:
        exported: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found = md5(program)
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ValueError(f"{file}: {error}; {remedy}") from None
    if (model_md5, found) != (exported["model_md5"], exported["pt2"]["md5"]):
        raise ValueError(f"{file} tells of other files than {program} and the weights beside it; {remedy}")
    return exported


def _first_alone(calls: list[tuple[Tensor, ...]]) -> list[tuple[Tensor, ...]]:
    """The same examples, but the first in a batch of its own, as the number of examples at a time is free."""
    alone, others = (tuple(argument[part] for argument in calls[0]) for part in (slice(1), slice(1, None)))
    return [alone, *([others] if len(others[0]) else []), *calls[1:]]
