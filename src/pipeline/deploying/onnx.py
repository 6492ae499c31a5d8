"""`make onnx RUN=<run>`: the exported program as ``model.onnx``, which needs no PyTorch.

It reads what ``model.pt2`` reads, by the same names, and gives ``output``; its free axes are called N, C, H, W and L.
Where it resizes images, a pixel may be rounded to the next grey level, so that probabilities agree less closely than
for images of the network's own size. ONNX Runtime ends the process if an LSTM is given no example at all.
"""

import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from pipeline.deploying.exported import Exported
from pipeline.deploying.form import Form, command
from pipeline.exporting import pt2

#: What PyTorch's exporter and the proof import.
LIBRARIES = ("onnx", "onnxscript", "onnxruntime")
#: Number of axes -> a name for each.
AXES = {1: "N", 2: "NL", 4: "NCHW"}


def check() -> None:
    """See whether the libraries are there.

    Raises:
        ValueError: some aren't.
    """
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise ValueError(f"{', '.join(missing)} must be installed: run `make extras`")


def write(exported: Exported, file: Path) -> None:
    """Write an ONNX model, :attr:`Exported.facts` its metadata. The bytes are the same each time."""
    import onnx

    program = exported.program
    inputs = [node for node in program.graph.nodes if node.name in program.graph_signature.user_inputs]
    axes = {node.name: _free_axes(node.meta["val"]) for node in inputs}
    # Left to itself the exporter unrolls an LSTM that reads texts, whose length would be fixed.
    with pt2.loops(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="_check_is_size", category=FutureWarning)
        warnings.filterwarnings("ignore", message="# The axis name: N ", category=UserWarning)  # of a second input
        made = torch.onnx.export(program, dynamic_shapes=axes, output_names=["output"], verbose=False)
    assert made is not None
    model = made.model_proto
    onnx.helper.set_model_props(model, exported.facts)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))


def _free_axes(example: Tensor) -> dict[int, str]:
    names = AXES[example.dim()]
    sizes: Iterable[object] = example.shape  # its type knows no free ones
    return {axis: names[axis] for axis, size in enumerate(sizes) if isinstance(size, torch.SymInt)}


def load(file: Path) -> Callable[..., Tensor]:
    """Open a model in ONNX Runtime, with as many threads as PyTorch has here."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [argument.name for argument in session.get_inputs()]

    def answer(*arguments: Tensor) -> Tensor:
        (output,) = session.run(None, {name: given.numpy() for name, given in zip(names, arguments, strict=True)})
        return torch.from_numpy(output)

    return answer


FORM = Form("model.onnx", check, write, load)

if __name__ == "__main__":
    command(FORM, __doc__)
