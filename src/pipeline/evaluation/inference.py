"""Run a trained network over a whole split."""

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.network.inputs import Standardize


@torch.inference_mode()
def outputs(network: nn.Module, inputs: Tensor, meta: Meta, batch_size: int, device: torch.device) -> np.ndarray:
    """What ``network`` returns for stored ``inputs`` (N, *shape): float32 (N, num_outputs) on the CPU."""
    network = nn.Sequential(Standardize(meta), network).to(device).to(memory_format=torch.channels_last).eval()
    batches = [network(batch.to(device)).float().cpu() for batch in torch.split(inputs, batch_size)]
    return torch.cat(batches).numpy()
