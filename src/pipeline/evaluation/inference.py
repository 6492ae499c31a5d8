"""Run a trained network over a whole split."""

import numpy as np
import torch
from torch import nn

from pipeline.core.storage import Meta
from pipeline.network.batches import Inputs
from pipeline.network.inputs import reading


@torch.inference_mode()
def outputs(network: nn.Module, inputs: Inputs, meta: Meta, batch_size: int, device: torch.device) -> np.ndarray:
    """What ``network`` returns for stored ``inputs`` of N examples on ``device``: float32 (N, num_outputs)."""
    network = nn.Sequential(reading(meta), network).to(device).to(memory_format=torch.channels_last).eval()
    batches = inputs.batches(batch_size)
    found = torch.cat([network(inputs.take(batch)).float() for batch in batches])
    answers = torch.empty_like(found)
    answers[torch.cat([batch.index for batch in batches])] = found
    return answers.cpu().numpy()
