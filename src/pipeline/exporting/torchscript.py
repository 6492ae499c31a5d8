"""Write a program as TorchScript: one file that C++, mobile and Python read, with none of our code."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.exporting import archive

#: What a program offers besides ``forward``.
KEPT = ("classes", "shape", "features", "encode", "decode", "sample", "latent_size")


@contextmanager
def _deprecation_ignored() -> Iterator[None]:
    """Every function of ``torch.jit`` says that ``torch.export`` replaces it; pt2.py writes that form as well."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
        yield


def write(program: nn.Module, file: Path) -> None:
    """Compile ``program``, which must be in evaluation mode, and write it to ``file``.

    It is compiled from source, not traced: a trace would fix an LSTM's batch size. Freezing makes weights constants
    and folds batch normalisation into convolutions; the archive then has one code file, whose text doesn't depend on
    the order of Python's sets. The file's bytes are the same in every process that compiles nothing before it, as
    TorchScript numbers the classes of a process.
    """
    content = BytesIO()
    with _deprecation_ignored():
        scripted = torch.jit.script(program)
        frozen = torch.jit.freeze(scripted, [name for name in KEPT if hasattr(program, name)])
        torch.jit.save(frozen, content)
    archive.write(file, content.getvalue())


def load(file: Path | BytesIO) -> Callable[..., Tensor]:
    """Read a program back, onto the CPU; from memory, where others should see that the file is read."""
    with _deprecation_ignored():
        return torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
