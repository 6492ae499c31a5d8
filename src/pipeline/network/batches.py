"""The inputs of a split on the device, and which of them go through the network together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol

import torch
from torch import Tensor

from pipeline.core.tokenizer import PADDING
from pipeline.network import devices, order, processes

#: A bucket holds texts of which none has less than so many tenths of the tokens of the longest.
TENTHS = 9
#: The most tokens of a batch that is only measured: attention takes memory by the square of a text's length.
MEASURED_TOKENS = 1 << 15


@dataclass(frozen=True)
class Batch:
    """Some examples of a split.

    Attributes:
        index: their positions, int64 (n,), on the device.
        width: tokens of the longest text among them; 0 where there are no tokens.
        place: the same as ``index`` on the CPU, where the inputs stay there.
    """

    index: Tensor
    width: int = 0
    place: Tensor | None = None

    def part(self, first: int, last: int) -> "Batch":
        """Those from position ``first`` to the one before ``last``, as wide as the whole."""
        if last - first == len(self.index):
            return self
        return Batch(self.index[first:last], self.width, None if self.place is None else self.place[first:last])


class Inputs(Protocol):
    """The inputs of a split; :func:`of` makes them."""

    def __len__(self) -> int: ...

    def num_batches(self, batch_size: int) -> int:
        """How many batches shuffled examples make."""

    def batches(self, batch_size: int, generator: torch.Generator | None = None, skipped: int = 0) -> Iterator[Batch]:
        """Every example once, in batches of at most ``batch_size``, shuffled if there is a (CPU) ``generator``.

        Nothing is read ahead for the first ``skipped`` batches, which the caller won't take.
        """

    def take(self, batch: Batch) -> Tensor:
        """What the network reads of a batch: (n, *shape), without waiting for the device."""

    def take_each(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        """The same, (n, *shape) each, of several batches, in one go if that is possible."""


def of(tensors: dict[str, Tensor], device: torch.device) -> "Inputs":
    """The inputs among the ``tensors`` of a prepared split, brought to ``device``.

    They are ``inputs`` (N, *shape), or of texts ``tokens``, int32 (T,), and ``offsets``, int64 (N + 1,).
    """
    if "inputs" in tensors:
        inputs = tensors["inputs"]
        # Several processes read from the one memory map, instead of a copy each.
        is_shared = processes.size() > 1 and device.type != "cpu"
        is_resident = not is_shared and devices.has_room(device, inputs.nbytes)
        return Rows(inputs.to(device)) if is_resident else Streamed(inputs, device)
    return Texts(tensors["tokens"], tensors["offsets"], device)


class Rows:
    """Examples of one shape: (N, *shape)."""

    def __init__(self, values: Tensor) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def num_batches(self, batch_size: int) -> int:
        """The last batch may be smaller than the others."""
        return -(-len(self) // batch_size)

    def batches(self, batch_size: int, generator: torch.Generator | None = None, skipped: int = 0) -> Iterator[Batch]:
        """See :class:`Inputs`."""
        for some in order.positions(self.values, batch_size, generator, skipped * batch_size):
            # One transfer for several batches, for which nothing waits.
            yield from map(Batch, torch.split(some.to(self.values.device, non_blocking=True), batch_size))

    def take(self, batch: Batch) -> Tensor:
        """See :class:`Inputs`."""
        return self.values.index_select(0, batch.index)

    def take_each(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        """See :class:`Inputs`."""
        return torch.split(self.take(_joined(batches)), [len(batch.index) for batch in batches])


class Streamed(Rows):
    """Examples (N, *shape), more than the GPU's memory holds: each batch is brought there when its turn comes.

    Nothing waits for the device: the CPU is steps ahead of a GPU, so the next batches are gathered and sent while it
    computes. They pass through page-locked memory, from which a GPU copies beside its other work.
    """

    def __init__(self, values: Tensor, device: torch.device) -> None:
        super().__init__(values)
        self.device = device
        is_gpu = device.type == "cuda"
        self.copying = torch.cuda.Stream(device) if is_gpu else None  # type: ignore[no-untyped-call]

    def batches(self, batch_size: int, generator: torch.Generator | None = None, skipped: int = 0) -> Iterator[Batch]:
        """See :class:`Inputs`."""
        for some in order.positions(self.values, batch_size, generator, skipped * batch_size):
            on_device = some.to(self.device, non_blocking=True)
            yield from map(Batch, torch.split(on_device, batch_size), repeat(0), torch.split(some, batch_size))

    def take(self, batch: Batch) -> Tensor:
        """See :class:`Inputs`."""
        assert batch.place is not None
        if self.copying is None:
            return self.values.index_select(0, batch.place).to(self.device)
        # PyTorch gives page-locked memory away again only when the copy from it has ended.
        shape = (len(batch.place), *self.values.shape[1:])
        locked = torch.empty(shape, dtype=self.values.dtype, pin_memory=True)
        torch.index_select(self.values, 0, batch.place, out=locked)
        with torch.cuda.stream(self.copying):
            taken = locked.to(self.device, non_blocking=True)
        computing = torch.cuda.current_stream(self.device)
        computing.wait_stream(self.copying)
        taken.record_stream(computing)
        return taken


class Texts:
    """Sequences of token ids, one behind the other, batched by length so that little of a batch is padding.

    Texts of about the same length form a bucket: lengths from nine tenths of its longest up, so no batch wastes more
    than a tenth of its tokens. A bucket is cut into the fewest batches, of as equal a size as can be, after its
    examples are shuffled; then the batches of all buckets are shuffled.

    Args:
        tokens: int32 (T,) ids of all texts.
        offsets: int64 (N + 1,) where each text begins and ends.
        device: where batches are put together.
    """

    def __init__(self, tokens: Tensor, offsets: Tensor, device: torch.device) -> None:
        self.lengths = offsets.diff()  # (N,), on the CPU: the width of a batch must be known there
        self.buckets = _buckets(self.lengths)
        self.tokens, self.offsets = tokens.to(device), offsets.to(device)

    def __len__(self) -> int:
        return len(self.lengths)

    def num_batches(self, batch_size: int) -> int:
        """The same for every shuffling."""
        return sum(-(-len(bucket) // batch_size) for bucket in self.buckets)

    def batches(self, batch_size: int, generator: torch.Generator | None = None, skipped: int = 0) -> Iterator[Batch]:
        """See :class:`Inputs`; without a ``generator`` a batch is also limited to ``MEASURED_TOKENS``."""
        chunks: list[Tensor] = []
        for bucket in self.buckets:
            size = batch_size
            if generator is None:
                size = min(batch_size, max(1, MEASURED_TOKENS // int(self.lengths[bucket].max())))
            else:
                bucket = bucket[torch.randperm(len(bucket), generator=generator)]
            chunks.extend(torch.tensor_split(bucket, -(-len(bucket) // size)))
        if generator is not None:
            chunks = [chunks[number] for number in torch.randperm(len(chunks), generator=generator).tolist()]
        widths = [int(self.lengths[chunk].max()) for chunk in chunks]
        # One transfer for all of them.
        on_device = torch.split(torch.cat(chunks).to(self.tokens.device), [len(chunk) for chunk in chunks])
        return (Batch(index, width) for index, width in zip(on_device, widths, strict=True))

    def take(self, batch: Batch) -> Tensor:
        """Token ids, int64 (n, width), padding behind each text."""
        first = self.offsets[batch.index, None]  # (n, 1)
        last = self.offsets[batch.index + 1, None]
        positions = first + torch.arange(batch.width, device=self.tokens.device)  # (n, width)
        tokens = self.tokens[positions.clamp(max=len(self.tokens) - 1)].long()
        return tokens.where(positions < last, PADDING)

    def take_each(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        """See :class:`Inputs`."""
        return [self.take(batch) for batch in batches]


def _joined(batches: Sequence[Batch]) -> Batch:
    """All examples of ``batches`` without tokens."""
    places = [batch.place for batch in batches if batch.place is not None]
    return Batch(torch.cat([batch.index for batch in batches]), place=torch.cat(places) if places else None)


def _buckets(lengths: Tensor) -> list[Tensor]:
    """Positions of texts of about the same length, the longest first."""
    by_length = lengths.argsort(stable=True)
    ascending = lengths[by_length]
    buckets, end = [], len(lengths)
    while end:
        shortest = -(-int(ascending[end - 1]) * TENTHS // 10)
        start = int(torch.searchsorted(ascending, shortest))
        buckets.append(by_length[start:end])
        end = start
    return buckets
