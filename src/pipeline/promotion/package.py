"""Pack a run's TorchScript program as an MLflow model that needs no code of the pipeline and unpickles nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import torch
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from pipeline.core import storage
from pipeline.core.versions import FILE as VERSIONS
from pipeline.exporting import torchscript

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

SERVED = Path(__file__).with_name("served.py")
#: What the package needs, in the versions that the program was proved with.
LIBRARIES = ("torch", "numpy")
NUM_EXAMPLES = 2
#: Where a package has the program.
PROGRAM = Path("artifacts/model.ts")
#: The column of raw texts in a request; served.py names it too.
TEXT = "text"


def save(program: Path, data: Path, target: Path) -> None:
    """Write the package of ``program`` (a ``model.ts``) into the folder ``target``.

    The signature is tensor in, tensor out, its first axis the batch; for images height and width are free too, since
    the program resizes. Texts come in a column :data:`TEXT`. The input example is the first test examples, or latents
    where a generator reads those.

    Args:
        program: the TorchScript file.
        data: the prepared data set that it was proved on, ``data/processed/<data set>``.
        target: a folder that doesn't exist yet.

    Raises:
        ValueError: the prepared data are missing or damaged.
    """
    loaded, spec = torchscript.load(program), storage.read_meta(data).spec
    if hasattr(loaded, "latent_size") and not hasattr(loaded, "encode"):
        generator = torch.Generator().manual_seed(0)
        examples = torch.randn(NUM_EXAMPLES, loaded.latent_size, generator=generator).numpy()
        shape: tuple[int, ...] = (-1, loaded.latent_size)
    else:
        examples = storage.examples(storage.read(data, "test")).inputs[:NUM_EXAMPLES]
        shape = (-1, spec.shape[0], -1, -1) if spec.modality == "image" else (-1, *spec.shape)
    of_texts = examples.dtype == object
    with torch.inference_mode():
        answers = loaded(examples.tolist() if of_texts else torch.from_numpy(examples)).numpy()
    column = ColSpec("string", TEXT) if of_texts else TensorSpec(examples.dtype, shape)
    signature = ModelSignature(
        inputs=Schema([column]),
        outputs=Schema([TensorSpec(np.dtype(answers.dtype), (-1, *answers.shape[1:]))]),
    )
    _write(program, signature, {TEXT: examples.tolist()} if of_texts else examples, target)


def rewritten(package: Path, target: Path) -> "PyFuncModel":
    """Write a package anew into the folder ``target``, which doesn't exist yet, and load it.

    Whoever can write to a registry can put code into a package. Only its program, signature and input example are
    read, and what answers is this checkout's code.
    """
    described = Model.load(package)
    _write(package / PROGRAM, described.signature, described.load_input_example(str(package)), target)
    return mlflow.pyfunc.load_model(str(target))


def _write(program: Path, signature: ModelSignature, example: Any, target: Path) -> None:
    locked = dict(line.split("==") for line in VERSIONS.read_text(encoding="utf-8").split())
    mlflow.pyfunc.save_model(
        target,
        python_model=str(SERVED),
        artifacts={"program": str(program)},
        signature=signature,
        input_example=example,
        pip_requirements=[f"mlflow=={mlflow.__version__}", *(f"{name}=={locked[name]}" for name in LIBRARIES)],
    )
