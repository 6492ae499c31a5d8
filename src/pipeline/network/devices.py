"""Where tensors live, and settings that make the same computation give the same bytes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pipeline.core.schema import nearest


def has_room(device: torch.device, num_bytes: int) -> bool:
    """Whether data of so many bytes may stay in the device's memory: on a GPU, in half of what is free."""
    return device.type != "cuda" or num_bytes <= torch.cuda.mem_get_info(device)[0] // 2


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let a GPU round the factors of float32 products to TF32 (10 bits), which is several times as fast."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def seed(device: torch.device, number: int) -> None:
    """Seed what draws random numbers on the CPU and on ``device``.

    ``torch.manual_seed`` seeds every kind of device that there might be, which takes 0.2 ms: much of a small step.
    """
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.default_generators[torch.cuda.current_device()].manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)


def prepare(num_threads: int) -> torch.device:
    """Choose the device (CUDA, then MPS, then CPU) and make PyTorch deterministic on it.

    The device belongs to the machine, not to the experiment, so it isn't a parameter; ``PIPELINE_DEVICE`` overrides it
    (one of several GPUs is chosen by ``CUDA_VISIBLE_DEVICES``). Of several processes each has a GPU of its own.

    Raises:
        ValueError: ``PIPELINE_DEVICE`` names a device that isn't there, or there are more processes than GPUs.
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
    if wanted == "cuda":
        number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()  # torchrun's
        if number >= count:
            raise ValueError(
                f"process {number} finds no GPU of its own, since there is {count}: start as many processes as "
                "GPUs (torchrun's --nproc-per-node), or set PIPELINE_DEVICE=cpu"
            )
        torch.cuda.set_device(number)
        return torch.device("cuda", number)
    return torch.device(wanted)
