import mmap
from pathlib import Path

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
        used = set(torch.cat([next(taken) // 8 for _ in range(5)]).tolist())
        assert set(asked[5 * window : 5 * window + 5]) == used
        assert len(asked) == min(50, 5 * (window + 2))


def test_what_is_read_ahead_comes_into_memory(tmp_path, monkeypatch):
    file = tmp_path / "values"
    file.write_bytes(bytes(1 << 22))
    values = torch.from_file(str(file), size=1 << 22, dtype=torch.uint8)
    begin = values.data_ptr()
    assert begin % mmap.PAGESIZE == 0
    calls = []
    real = order._madvise
    monkeypatch.setattr(order, "_madvise", lambda *arguments: calls.append((arguments, real(*arguments))))
    order.read_ahead(values[5000:9000])
    assert calls == [((begin + 4096, 9000 - 4096, mmap.MADV_WILLNEED), 0)]
    order.read_ahead(torch.empty(3, device="meta"))
    assert len(calls) == 1 and Path(file).stat().st_size == 1 << 22
