import ctypes
import mmap
import os
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.network import order


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(order, "BLOCK", 64)  # bytes: 8 rows of one int64
    monkeypatch.setattr(order, "WINDOW", 5 * 64)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def rows(num):
    return torch.arange(num)[:, None]


@given(st.integers(1, 200), st.integers(1, 60), st.none() | st.integers(0, 99))
def test_every_example_once_in_whole_batches(num, batch_size, seed):
    found = list(order.positions(rows(num), batch_size, None if seed is None else generator(seed)))
    assert sorted(torch.cat(found).tolist()) == list(range(num))
    assert all(len(some) % batch_size == 0 for some in found[:-1]) and len(found[-1]) > 0
    if seed is None:
        assert torch.cat(found).tolist() == list(range(num))


def test_what_fits_a_window_is_shuffled_as_a_whole():
    found = torch.cat(list(order.positions(rows(40), 7, generator(3))))
    assert torch.equal(found, torch.randperm(40, generator=generator(3)))


def test_of_more_each_window_has_other_blocks_in_another_order():
    found = torch.cat(list(order.positions(rows(400), 7, generator(3))))
    windows = [set((window // 8).tolist()) for window in found.split(40)]
    assert [len(blocks) for blocks in windows] == [5] * 10
    assert set.union(*windows) == set(range(50))
    assert windows[0] != set(range(5))
    assert sorted(found[:40].tolist()) != found[:40].tolist()
    assert not torch.equal(found, torch.cat(list(order.positions(rows(400), 7, generator(4)))))


def test_a_window_is_limited_by_bytes_and_by_examples(monkeypatch):
    monkeypatch.setattr(order, "WINDOW_ROWS", 70)
    found = {size: order.sizes(torch.zeros(3, size, dtype=torch.uint8)) for size in (0, 1, 4, 16, 64, 100, 1000)}
    assert found == {0: (64, 1), 1: (64, 1), 4: (16, 4), 16: (4, 5), 64: (1, 5), 100: (1, 3), 1000: (1, 1)}


def test_a_window_is_read_ahead_of_its_use(monkeypatch):
    asked = []
    monkeypatch.setattr(order, "read_ahead", lambda values: asked.extend((values[:, 0] // 8).unique().tolist()))
    taken = order.positions(rows(400), 8, generator(0))
    for window in range(10):
        found = next(taken)
        while len(found) < 40:
            found = torch.cat([found, next(taken)])
        assert set(asked[5 * window : 5 * window + 5]) == set((found // 8).tolist())
        assert len(asked) == min(50, 5 * (window + 2))


def test_nothing_is_read_ahead_for_what_nobody_takes(monkeypatch):
    asked = []
    monkeypatch.setattr(order, "read_ahead", lambda values: asked.extend((values[:, 0] // 8).unique().tolist()))
    whole = torch.cat(list(order.positions(rows(400), 8, generator(0))))
    asked.clear()
    assert torch.equal(torch.cat(list(order.positions(rows(400), 8, generator(0), skipped=100))), whole)
    assert set(asked) == set((whole[80:] // 8).tolist())  # from the window of 40 in which the hundredth is


def test_what_is_read_ahead_comes_into_memory(tmp_path):
    size = 1 << 22
    with (tmp_path / "values").open("wb") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    values = torch.from_file(str(tmp_path / "values"), size=size, dtype=torch.uint8)
    pages = (ctypes.c_ubyte * (size // mmap.PAGESIZE))()

    def is_there():
        """Which pages are in memory."""
        assert ctypes.CDLL(None).mincore(ctypes.c_void_p(values.data_ptr()), ctypes.c_size_t(size), pages) == 0
        return [page & 1 for page in pages]

    if all(is_there()):
        pytest.skip("the file system is a part of the memory")
    order.read_ahead(values[5000 : size - 5000])
    deadline = time.monotonic() + 30
    while not all(is_there()[1:-1]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_device_reads_nothing_ahead():
    order.read_ahead(torch.empty(3, device="meta"))
