"""An exported program, found by what the user calls it, and what it says of itself: no parameters or data are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from pipeline.core.schema import nearest
from pipeline.exporting import torchscript

OUTPUTS, FILE = Path("outputs"), "model.ts"


@dataclass(frozen=True)
class Program:
    """A TorchScript program that tells classes apart or predicts a number.

    Attributes:
        call: raw examples -> (N, num_classes) or (N,), float32.
        modality: of its examples.
        shape: of one example, (C, height, width) or (F,); empty for texts.
        classes: the name of each column of the answer; empty where it is a number.
    """

    call: Callable[..., Tensor]
    modality: Literal["image", "table", "text"]
    shape: tuple[int, ...]
    classes: tuple[str, ...]

    def answers(self, examples: Sequence[Any]) -> np.ndarray:
        """Probabilities (N, num_classes) or values (N,) for N examples, uint8 images, float32 rows or texts."""
        with torch.inference_mode():
            return self.call(examples if self.modality == "text" else torch.from_numpy(np.stack(examples))).numpy()


def find(name: str) -> Path:
    """The file that ``name`` means: the file itself, a folder that it is in, or a run in ``outputs``.

    Raises:
        ValueError: there is none; the message says which runs are exported.
    """
    for file in (Path(name), Path(name) / FILE, OUTPUTS / name / FILE):
        if file.is_file():
            return file
    exported = sorted(file.parent.name for file in OUTPUTS.glob(f"*/{FILE}"))
    raise ValueError(f"{name!r} is no {FILE}, no folder with one and no exported run; {nearest(name, exported)}")


def load(file: Path) -> Program:
    """Read a program, which runs on the CPU.

    Raises:
        ValueError: the file is damaged, makes images or doesn't say what it reads.
    """
    remedy = "export it anew, by `dvc repro export@<run>`"
    try:
        program: Any = torchscript.load(file)
    except RuntimeError as error:  # of C++, with a trace of it
        problem = str(error).splitlines()[0].partition(". ")[0]
        raise ValueError(f"{file}: not a TorchScript program ({problem}); {remedy}") from None
    if hasattr(program, "latent_size"):
        raise ValueError(f"{file} makes images, and no label or number of an input; README.md, Use a model, says how")
    classes = tuple(getattr(program, "classes", ()))
    if str(program.forward.schema.arguments[1].type) == "List[str]":
        return Program(program, "text", (), classes)
    if not hasattr(program, "shape"):
        raise ValueError(f"{file} doesn't say what it reads; {remedy}")
    shape = tuple(program.shape)
    return Program(program, "image" if len(shape) == 3 else "table", shape, classes)
