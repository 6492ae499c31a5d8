"""What is judged: a trained network, and the examples that it has never seen."""

from dataclasses import dataclass
from typing import Any

import torch

from pipeline.core.storage import Examples, Meta
from pipeline.network.batches import Inputs


@dataclass(frozen=True)
class Subject:
    """A trained network and the test split.

    Attributes:
        network: with its weights, in evaluation mode, on ``device``.
        inputs: of the split, on ``device``.
        test: the same examples with their targets; of texts, the texts.
        meta: describes the data.
        device: where to compute.
    """

    network: Any
    inputs: Inputs
    test: Examples
    meta: Meta
    device: torch.device
