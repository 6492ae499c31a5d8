"""Where tensors live, and settings that make the same computation give the same bytes."""

import os

import torch

from pipeline.core.schema import nearest


def prepare(num_threads: int) -> torch.device:
    """Choose the device (CUDA, then MPS, then CPU) and make PyTorch deterministic on it.

    The device belongs to the machine, not to the experiment, so it isn't a parameter; ``PIPELINE_DEVICE`` overrides it
    (one of several GPUs is chosen by ``CUDA_VISIBLE_DEVICES``).

    Raises:
        ValueError: ``PIPELINE_DEVICE`` names a device that isn't there.
    """
    # Sums are split over threads, so their number changes the last bits.
    torch.set_num_threads(num_threads)
    # cuBLAS is deterministic only with a fixed workspace, set before its first use.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The same as use_deterministic_algorithms(True), which imports the compiler for it: 1.6 s.
    torch.set_deterministic_debug_mode("error")
    # On top of that PyTorch would fill every new tensor with NaN, a tenth of the time of a small network.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    # Convolutions in TF32 by default would make float32 another thing on CUDA than on the CPU that runs the export.
    torch.backends.cudnn.allow_tf32 = False
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available.insert(0, "cuda")
    wanted = os.environ.get("PIPELINE_DEVICE") or available[0]
    if wanted not in available:
        raise ValueError(f"PIPELINE_DEVICE={wanted} is not available here; {nearest(wanted, available)}")
    return torch.device(wanted)
