"""`make aotinductor RUN=<run>`: the exported program as machine code, ``model.aoti.pt2``.

``torch._inductor.aoti_load_package`` loads it, in C++ ``torch::inductor::AOTIModelPackageLoader``. It reads and gives
what ``model.pt2`` does, with as many threads as the run was trained with, on processors that have this one's
instructions. Unless the variable ``AOTI_RUNTIME_CHECK_INPUTS`` is 1, it looks at no dtype and no shape, and wrong ones
can end the process; where there is an LSTM, a batch without examples does so in any case.
"""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from pipeline import noise
from pipeline.deploying.exported import Exported
from pipeline.deploying.form import Form, command
from pipeline.exporting import archive


def check() -> None:
    """See whether there is a C++ compiler.

    Raises:
        ValueError: there is none.
    """
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise ValueError(f"{error}; install g++, or name another compiler in CXX") from None


def write(exported: Exported, file: Path) -> None:
    """Write a package of machine code, :attr:`Exported.facts` its metadata.

    The bytes are the same each time on one machine: paths of its libraries and of the compiler's cache are inside.
    """
    configs = {"aot_inductor.metadata": exported.facts, "aot_inductor.check_lowerbound": False}
    package = io.BytesIO()
    torch._inductor.aoti_compile_and_package(exported.program, package_path=package, inductor_configs=configs)
    # PyTorch adds the compiler's command to generated sources each time that it uses them; only the library is loaded.
    archive.write(file, package.getvalue(), dropped=(*archive.DROPPED, ".cpp"))


def load(file: Path) -> Callable[..., Tensor]:
    """Load a package; it is machine code, so only one from someone you trust."""
    with file.open("rb") as stream:  # a path would have to end in .pt2
        return torch._inductor.aoti_load_package(stream)


FORM = Form("model.aoti.pt2", check, write, load)

if __name__ == "__main__":
    for name in ("torch.utils.cpp_extension", "torch._inductor.ir"):
        noise.leave_out(logging.getLogger(name))
    command(FORM, __doc__)
