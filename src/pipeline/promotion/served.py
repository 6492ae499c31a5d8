"""A model as MLflow serves it: the TorchScript program, none of the pipeline's code. MLflow stores a copy of this."""

from typing import Any

import mlflow
import numpy as np
import torch
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class Served(PythonModel):
    """Answers a batch of raw inputs as ``model.ts`` does."""

    def load_context(self, context: PythonModelContext) -> None:
        self.program = torch.jit.load(context.artifacts["program"], map_location="cpu")  # type: ignore[no-untyped-call]

    def predict(
        self, context: PythonModelContext, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> Any:
        # MLflow gives tensors as arrays, and the column of texts as a data frame, which it lets no type hint say.
        rows = isinstance(model_input, np.ndarray)
        inputs = torch.from_numpy(np.ascontiguousarray(model_input)) if rows else _texts(model_input["text"])
        with torch.inference_mode():
            return self.program(inputs).numpy()


def _texts(column: Any) -> list[str]:
    # Of a dictionary with a list of texts, as the input example is one, MLflow makes one row.
    return [text for cell in column for text in ([cell] if isinstance(cell, str) else cell)]


mlflow.models.set_model(Served())
