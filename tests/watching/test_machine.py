import time

import pytest
import torch

from pipeline.watching.machine import Machine


def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def test_usage_is_that_of_this_process_since_the_sample_before():
    machine = Machine(torch.device("cpu"))
    work(0.3)
    busy = machine.sample()
    ballast = torch.ones(50_000_000)
    idle = machine.sample()

    assert busy.keys() == {"cpu_utilization_percentage", "process_memory_megabytes"}
    assert busy["cpu_utilization_percentage"] > 0
    assert idle["process_memory_megabytes"] - busy["process_memory_megabytes"] == pytest.approx(
        ballast.nbytes / 1e6, rel=0.2
    )


@pytest.mark.gpu
def test_a_gpu_adds_its_utilization_and_the_most_memory_that_tensors_took():
    machine = Machine(torch.device("cuda"))
    torch.ones(25_000_000, device="cuda").sum().item()
    used = machine.sample()

    assert used["gpu_memory_megabytes"] >= 100
    assert 0 <= used["gpu_utilization_percentage"] <= 100


def test_a_gpu_that_does_not_tell_its_utilization_goes_without(monkeypatch):
    def refuse(device):
        raise ModuleNotFoundError("pynvml does not seem to be installed")

    monkeypatch.setattr(torch.cuda, "utilization", refuse)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 5_000_000)

    assert Machine(torch.device("cuda")).sample().keys() == {
        "cpu_utilization_percentage", "process_memory_megabytes", "gpu_memory_megabytes",
    }  # fmt: skip
