"""Write a program by ``torch.export``: a graph of operators without Python code, the successor of TorchScript."""

import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from pipeline.core.spec import DataSpec
from pipeline.exporting import archive


def write(program: nn.Module, spec: DataSpec, file: Path) -> None:
    """Trace ``program``, which must be in evaluation mode, and write it to ``file``.

    Any number of examples can be given to it, and any height and width of images. It is made for the CPU:
    ``torch.export.passes.move_to_device_pass`` moves it elsewhere.
    """
    # torch.export takes an axis that is 0 or 1 long in the example for fixed.
    shape = (2, spec.shape[0], 3, 5) if spec.modality == "image" else (2, *spec.shape)
    example = torch.zeros(shape, dtype=torch.uint8 if spec.modality == "image" else torch.float32)
    axes = {0: Dim("N"), 2: Dim("H"), 3: Dim("W")} if spec.modality == "image" else {0: Dim("N")}
    with warnings.catch_warnings():
        # An LSTM keeps a list of its weights beside them, which is of no concern: the weights are in the archive.
        warnings.filterwarnings("ignore", message=r"The tensor attributes? .*_flat_weights", category=UserWarning)
        exported = torch.export.export(program, (example,), dynamic_shapes=(axes,))
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names our source files by their folder
    content = BytesIO()
    torch.export.save(exported, content)
    archive.write(file, content.getvalue())


def load(file: Path) -> Callable[[Tensor], Tensor]:
    """Read a program back."""
    # Given a path, it would insist on the suffix .pt2, which a file doesn't have before it takes its place.
    with file.open("rb") as stream:
        return torch.export.load(stream).module()
