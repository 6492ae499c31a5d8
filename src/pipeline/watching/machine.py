"""What a training asks of its machine, an epoch at a time. It only watches."""

import psutil
import torch


class Machine:
    """Measures this process, and the GPU that it trains on, from one sample to the next.

    Args:
        device: where the tensors are.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.has_utilization = device.type == "cuda" and _has_utilization(device)
        self.process = psutil.Process()
        self.process.cpu_percent()  # from here on

    def sample(self) -> dict[str, float]:
        """Usage since the sample before, named after MLflow's system metrics.

        100 % of ``cpu_utilization_percentage`` are one core. Memory is in MB (10⁶ bytes): what the process has now, and
        the most that tensors have taken on the GPU so far. The GPU's utilization is NVML's, of the last second at most;
        not every driver and GPU tells it.
        """
        used = {
            "cpu_utilization_percentage": self.process.cpu_percent(),
            "process_memory_megabytes": self.process.memory_info().rss / 1e6,
        }
        if self.has_utilization:
            used["gpu_utilization_percentage"] = float(torch.cuda.utilization(self.device))
        if self.device.type == "cuda":
            used["gpu_memory_megabytes"] = torch.cuda.max_memory_allocated(self.device) / 1e6
        return used


def _has_utilization(device: torch.device) -> bool:
    try:
        torch.cuda.utilization(device)
    # A library or driver that isn't there, part of a GPU: whatever it is, training goes on without this number.
    except Exception:
        return False
    return True
