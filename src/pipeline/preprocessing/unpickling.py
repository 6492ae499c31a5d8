"""Read arrays from a pickle without running what it says: a pickle may call any function by name."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

# What a pickled array of bytes needs. The first stands in another module since NumPy 2.
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"asks for {module}.{name}, which no array needs") from None


def unpickle(file: Path) -> Any:
    """The content of a pickle that holds only arrays, lists, dicts, texts and numbers.

    Raises:
        ValueError: it asks for anything else, or is damaged.
    """
    with file.open("rb") as stream:
        try:
            return _Arrays(stream, encoding="latin1").load()
        except (pickle.UnpicklingError, EOFError, AttributeError, LookupError, TypeError) as error:
            raise ValueError(str(error) or "the file ends too early") from None
