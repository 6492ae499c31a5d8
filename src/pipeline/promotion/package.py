"""Pack a run's TorchScript program as an MLflow model that needs no code of the pipeline and unpickles nothing."""

from pathlib import Path

import mlflow
import numpy as np
import torch
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from pipeline.core import storage
from pipeline.core.versions import FILE as VERSIONS
from pipeline.exporting import torchscript

SERVED = Path(__file__).with_name("served.py")
#: What the package needs, in the versions that the program was proved with.
LIBRARIES = ("torch", "numpy")
NUM_EXAMPLES = 2


def save(program: Path, data: Path, target: Path) -> None:
    """Write the package of ``program`` (a ``model.ts``) into the folder ``target``.

    The signature is tensor in, tensor out, its first axis the batch; for images height and width are free too, since
    the program resizes. The input example is the first test images or rows.

    Args:
        program: the TorchScript file.
        data: the prepared data set that it was proved on, ``data/processed/<data set>``.
        target: a folder that doesn't exist yet.

    Raises:
        ValueError: the prepared data are missing or damaged.
    """
    spec = storage.read_meta(data).spec
    example = storage.read(data, "test")[0][:NUM_EXAMPLES]
    with torch.inference_mode():
        answers = torchscript.load(program)(example).numpy()
    shape = (-1, spec.shape[0], -1, -1) if spec.modality == "image" else (-1, *spec.shape)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(example.numpy().dtype, shape)]),
        outputs=Schema([TensorSpec(np.dtype(answers.dtype), (-1, *answers.shape[1:]))]),
    )
    locked = dict(line.split("==") for line in VERSIONS.read_text(encoding="utf-8").split())
    mlflow.pyfunc.save_model(
        target,
        python_model=str(SERVED),
        artifacts={"program": str(program)},
        signature=signature,
        input_example=example.numpy(),
        pip_requirements=[f"mlflow=={mlflow.__version__}", *(f"{name}=={locked[name]}" for name in LIBRARIES)],
    )
