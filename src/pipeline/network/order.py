"""In which order examples are read, from a file that may be larger than the memory."""

import ctypes
import mmap
from collections.abc import Iterator

import torch
from torch import Tensor

#: A block is so many bytes of consecutive examples: enough to be read at once.
BLOCK = 1 << 18
#: A window is blocks whose examples are shuffled with each other: of so many bytes and examples at most.
WINDOW, WINDOW_ROWS = 1 << 30, 1 << 17
#: Bytes that Linux reads for a single request, unless a device is set to more.
READ_AHEAD = 1 << 17

_madvise = ctypes.CDLL(None).madvise
_madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def positions(
    values: Tensor, batch_size: int, generator: torch.Generator | None = None, skipped: int = 0
) -> Iterator[Tensor]:
    """All positions of ``values`` (N, ...), some batches at a time: int64 (n,) on the CPU, the last of any length.

    In order, or shuffled by a (CPU) ``generator``: what fits one window as a whole; of more, the blocks are shuffled,
    and then the examples of each window of them. So a file is read in large pieces, and the order takes no more memory
    with more examples (WebDataset and MosaicML's StreamingDataset do so with their shards). While one window is in use,
    the system reads the next; but none whose examples are all among the first ``skipped``, which nobody takes.
    """
    rest = torch.empty(0, dtype=torch.int64)
    for some in _blocks(values, generator, skipped):
        rest = torch.cat([rest, some])
        end = len(rest) // batch_size * batch_size
        if end:
            yield rest[:end]
        rest = rest[end:]
    if len(rest):
        yield rest


def _blocks(values: Tensor, generator: torch.Generator | None, skipped: int) -> Iterator[Tensor]:
    num_rows, num_blocks = sizes(values)
    starts = torch.arange(0, len(values), num_rows)
    if generator is not None and len(starts) > num_blocks:
        starts = starts[torch.randperm(len(starts), generator=generator)]
        # Else the system reads megabytes around an example that isn't there, and drops for them what will be needed.
        for address, length in _span(values):
            _madvise(address, length, mmap.MADV_RANDOM)
    windows = torch.split(starts, num_blocks)
    ends = range(num_blocks * num_rows, (len(windows) + 1) * num_blocks * num_rows, num_blocks * num_rows)
    ahead = [window if end > skipped else window[:0] for window, end in zip(windows, ends, strict=True)]
    for start in ahead[0].tolist():
        read_ahead(values[start : start + num_rows])
    for window, following in zip(windows, [*ahead[1:], starts[:0]], strict=True):
        rows = (window[:, None] + torch.arange(num_rows)).flatten()
        rows = rows[rows < len(values)]
        if generator is not None:
            rows = rows[torch.randperm(len(rows), generator=generator)]
        # By blocks only while there is something to read meanwhile: each costs a small network's step noticeably.
        for number, some in enumerate(torch.split(rows, num_rows if len(following) else len(rows))):
            for start in following[number : number + 1].tolist():
                read_ahead(values[start : start + num_rows])
            yield some


def sizes(values: Tensor) -> tuple[int, int]:
    """Examples in a block of ``values`` (N, ...), and blocks in a window."""
    row = max(1, values[:1].nbytes)
    num_rows = min(max(1, BLOCK // row), WINDOW_ROWS)
    return num_rows, max(1, min(WINDOW // (num_rows * row), WINDOW_ROWS // num_rows))


def read_ahead(values: Tensor) -> None:
    """Let the system bring contiguous ``values`` (N, ...) from their file into its cache, without waiting for that."""
    for begin, length in _span(values):
        for start in range(0, length, READ_AHEAD):
            _madvise(begin + start, min(READ_AHEAD, length - start), mmap.MADV_WILLNEED)


def _span(values: Tensor) -> Iterator[tuple[int, int]]:
    """The address and length of the pages that ``values`` are on, if they are on the CPU."""
    if values.device.type == "cpu":
        begin = values.data_ptr() // mmap.PAGESIZE * mmap.PAGESIZE
        yield begin, values.data_ptr() + values.nbytes - begin
