"""Run a trained network over a whole split."""

import numpy as np
import torch
from torch import nn

from pipeline.evaluation.subject import Subject
from pipeline.network.inputs import reading


@torch.inference_mode()
def outputs(subject: Subject, batch_size: int) -> np.ndarray:
    """What the network returns for the N examples: float32 (N, num_outputs)."""
    network = nn.Sequential(reading(subject.meta).to(subject.device), subject.network)
    batches = list(subject.inputs.batches(batch_size))
    found = torch.cat([network(subject.inputs.take(batch)).float() for batch in batches])
    answers = torch.empty_like(found)
    answers[torch.cat([batch.index for batch in batches])] = found
    return answers.cpu().numpy()
