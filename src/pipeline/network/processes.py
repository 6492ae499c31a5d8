"""Several processes that train one network together, as torchrun starts them; without it this one is alone."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel


@contextmanager
def joined() -> Iterator[None]:
    """Be one of the processes that torchrun has started, which exchange tensors by gloo on CPUs, by NCCL on GPUs.

    Raises:
        ConnectionError: another one of them has ended.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        yield
    except RuntimeError as error:
        # Gloo has no type of its own for it.
        if isinstance(error, distributed.DistError) or "by peer" in str(error):
            raise ConnectionError(f"process {rank()} of the training has lost another one of them") from error
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _follow(parent: int) -> None:
    """End when torchrun is killed: in a session of its own this process would go on without it."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def size() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0; only 0 writes files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def share(number: int) -> tuple[int, int, float]:
    """Which of ``number`` examples this process has: the first, the one after the last, and their weight in a mean.

    Of fewer examples than processes each has all, as a mean over none would be NaN; the weights add up to 1. Batch norm
    then counts copies in the bias correction of its running variance, and nowhere else.
    """
    if number < size():
        return 0, number, 1 / size()
    begin, end = number * rank() // size(), number * (rank() + 1) // size()
    return begin, end, (end - begin) / number


def added(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The sums over all processes of tensors of any shape but one dtype; each process gets the same bits."""
    if size() == 1:
        return values
    together = torch.cat([value.flatten() for value in values.values()])
    distributed.all_reduce(together)
    parts = torch.split(together, [value.numel() for value in values.values()])
    return {name: part.view_as(value) for (name, value), part in zip(values.items(), parts, strict=True)}


def from_first(content: bytes | None) -> bytes | None:
    """What process 0 has; the other ones' ``content`` doesn't count."""
    if size() == 1:
        return content
    length = torch.tensor([-1 if content is None else len(content)])
    distributed.broadcast(length, 0)
    if length < 0:
        return None
    data = torch.empty(int(length), dtype=torch.uint8)
    if rank() == 0 and content:
        data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    distributed.broadcast(data, 0)
    return data.numpy().tobytes()


def together(network: nn.Module) -> nn.Module:
    """``network`` for training: its gradients become the means over all processes, batch norm sees the whole batch.

    A process's loss therefore counts by its :func:`share` times :func:`size`. Call what is returned to train, and
    ``network`` otherwise; they share their tensors.
    """
    if size() == 1:
        return network
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            # Its name, tensors and options stay what they are.
            module.__class__ = type("BatchNorm", (_WholeBatchNorm, type(module)), {})
    device = next(network.parameters()).device
    # Of a kernel of one pixel every layout is the same, but strides may differ.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    # Buffers are equal anyway, and to write them between the two looks of a discriminator would break its gradient.
    return DistributedDataParallel(
        network, device_ids=[device.index] if device.type == "cuda" else None, forward_sync_buffers=False
    )


def exchanging(network: nn.Module, is_last: bool) -> AbstractContextManager[None]:
    """The context of one of several backward passes whose gradients add up: only the last exchanges them."""
    if is_last or not isinstance(network, DistributedDataParallel):
        return nullcontext()
    return network.no_sync()


class _WholeBatchNorm(_BatchNorm):
    """Batch normalisation by the mean and variance over the parts of all processes.

    ``nn.SyncBatchNorm`` does it on GPUs alone; with one form for every device, tests without GPUs speak for them too.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        axes = [0, *range(2, x.dim())]
        shape = (1, -1, *(1,) * (x.dim() - 2))  # (1, C, 1, 1)
        exact = x.float()
        number = exact.new_tensor([x.numel() / x.shape[1]])
        sums = _Sum.apply(torch.cat([exact.sum(axes), number]))
        mean, total = sums[:-1] / sums[-1], sums[-1]  # (C,), a scalar
        centred = exact - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(axes)) / total  # (C,)
        if self.running_mean is not None and self.running_var is not None:
            assert self.momentum is not None and self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked += 1
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * total / (total - 1), self.momentum)
        normal = centred * (variance + self.eps).rsqrt().view(shape)
        return (normal * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)


class _Sum(torch.autograd.Function):
    """The sum over all processes; the gradient of each process's value is the sum of all gradients of the sum."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.contiguous().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Sum.forward(ctx, gradients[0])
