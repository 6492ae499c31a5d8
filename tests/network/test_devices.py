import pytest
import torch

from pipeline.network import devices

CPU = torch.device("cpu")


def test_a_seed_decides_what_is_drawn():
    drawn = []
    for number in (1, 1, 2):
        devices.seed(CPU, number)
        drawn.append(torch.nn.functional.dropout(torch.ones(100)))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_the_seed_is_the_one_that_manual_seed_gives():
    devices.seed(CPU, 5)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))


def test_tf32_is_for_a_while_only():
    with pytest.raises(KeyError), devices.tf32(True):
        assert torch.backends.cudnn.allow_tf32 and torch.backends.cuda.matmul.allow_tf32
        raise KeyError
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.delenv("PIPELINE_DEVICE", raising=False)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match=r"process 1 finds no GPU of its own, since there is 1: .*DEVICE=cpu"):
        devices.prepare(torch.get_num_threads())


@pytest.mark.gpu
def test_a_seed_decides_what_is_drawn_on_a_gpu():
    cuda, drawn = torch.device("cuda"), []
    for number in (1, 1, 2):
        devices.seed(cuda, number)
        drawn.append(torch.nn.functional.dropout(torch.ones(100, device=cuda)))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
