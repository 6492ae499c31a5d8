"""A model as MLflow serves it: the TorchScript program, none of the pipeline's code. MLflow stores a copy of this."""

import warnings
from typing import Any

import mlflow
import numpy as np
import torch
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class Served(PythonModel):
    """Answers a batch of raw inputs as ``model.ts`` does: uint8 (N, C, H, W), float32 (N, F), or a column of N texts.

    Raises:
        MlflowException: examples are empty, or an input or the answer isn't finite.
    """

    def load_context(self, context: PythonModelContext) -> None:
        with warnings.catch_warnings():  # exporting/pt2.py writes what torch.jit tells everyone to use
            warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
            self.program = torch.jit.load(context.artifacts["program"], map_location="cpu")  # type: ignore[no-untyped-call]

    def predict(
        self, context: PythonModelContext, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> Any:
        # MLflow gives tensors as arrays, and the column of texts as a data frame, which it lets no type hint say.
        rows = isinstance(model_input, np.ndarray)
        inputs = _tensor(model_input) if rows else _texts(model_input["text"])
        with torch.inference_mode():
            answers = self.program(inputs).numpy()
        if not np.isfinite(answers).all():  # JSON has no such numbers
            raise _refused("the answer isn't a finite number: some input is far out of range")
        return answers


def _tensor(array: np.ndarray) -> torch.Tensor:
    if 0 in array.shape[1:]:
        raise _refused(f"examples of shape {array.shape[1:]} are empty")
    if not np.isfinite(array).all():
        raise _refused("an input is infinite or not a number")
    return torch.from_numpy(np.ascontiguousarray(array))


def _texts(column: Any) -> list[str]:
    # Of a dictionary with a list of texts, as the input example is one, MLflow makes one row.
    return [text for cell in column for text in ([cell] if isinstance(cell, str) else cell)]


def _refused(reason: str) -> MlflowException:
    """What MLflow's server answers with status 400; of other errors it sends the traceback."""
    return MlflowException.invalid_parameter_value(reason)


mlflow.models.set_model(Served())
