"""Write a program by ``torch.export``: a graph of operators without Python code, the successor of TorchScript."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.export._patches import register_lstm_while_loop_decomposition

from pipeline.core.spec import DataSpec
from pipeline.exporting import archive

#: Arguments, and which of their axes are free.
Example = tuple[tuple[Tensor, ...], tuple[dict[int, Any], ...]]


def write(spec: DataSpec, example: Example | None, program: nn.Module, file: Path) -> None:
    """Trace ``program``, which must be in evaluation mode, and write it to ``file``.

    Any number of examples can be given to it, any height and width of images and any length of texts up to the longest
    that the network reads; if its input isn't the data set's, ``example`` says what is free. It is made for the CPU:
    ``torch.export.passes.move_to_device_pass`` moves it elsewhere.
    """
    arguments, axes = example or _example(spec)
    # An LSTM is unrolled into as many steps as the example has, unless it becomes a loop; images have a fixed number.
    with loops() if spec.modality == "text" else nullcontext(), warnings.catch_warnings():
        # An LSTM keeps a list of its weights beside them, which is of no concern: the weights are in the archive.
        warnings.filterwarnings("ignore", message=r"The tensor attributes? .*_flat_weights", category=UserWarning)
        # The loop checks its counter by a function that PyTorch has deprecated since.
        warnings.filterwarnings("ignore", message="_check_is_size", category=FutureWarning)
        exported = torch.export.export(program, arguments, dynamic_shapes=axes)
    for module in exported.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            _clean(module)
    content = BytesIO()
    torch.export.save(exported, content)
    archive.write(file, content.getvalue())


@contextmanager
def loops() -> Iterator[None]:
    """Let LSTMs become loops."""
    lstm = torch.ops.aten.lstm.input
    with register_lstm_while_loop_decomposition():
        # PyTorch forgets to: an LSTM that the process has exported before would decide what becomes of this one.
        lstm._dispatch_cache.clear()
        try:
            yield
        finally:
            lstm._dispatch_cache.clear()


def _clean(module: torch.fx.GraphModule) -> None:
    """Take out what names our source files by their folder, and the loop's checks of its counter."""
    for node in list(module.graph.nodes):
        node.meta.pop("stack_trace", None)
        if node.target is torch._check_is_size:
            module.graph.erase_node(node)
    module.recompile()


def _example(spec: DataSpec) -> Example:
    """Of a program that reads such data. An axis 0 or 1 long would be taken for fixed."""
    number = Dim("N")
    if spec.modality == "image":
        images = torch.zeros(2, spec.shape[0], 3, 5, dtype=torch.uint8)
        return (images,), ({0: number, 2: Dim("H"), 3: Dim("W")},)
    if spec.modality == "table":
        return (torch.zeros(2, *spec.shape),), ({0: number},)
    (longest,) = spec.shape
    length = {1: Dim("L", max=longest)} if longest > 1 else {}
    tokens = torch.ones(2, min(longest, 3), dtype=torch.int64)
    return (tokens, torch.ones(2, dtype=torch.int64)), ({0: number, **length}, {0: number})


def load(file: Path) -> Callable[[Tensor], Tensor]:
    """Read a program back."""
    # Given a path, it would insist on the suffix .pt2, which a file doesn't have before it takes its place.
    with file.open("rb") as stream:
        return torch.export.load(stream).module()
