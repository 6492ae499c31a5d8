import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.network import batches
from pipeline.network.batches import Rows, Streamed, Texts

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=80)
SIZES = st.integers(1, 40)


def texts(lengths, device=CPU):
    """Texts of these lengths, whose tokens are numbered through from 1."""
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return Texts(torch.arange(1, int(offsets[-1]) + 1, dtype=torch.int32), offsets, device)


def generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=["rows", "streamed", "texts"])
def inputs(request):
    rows = torch.arange(37)[:, None]
    if request.param == "texts":
        return texts([n % 13 + 1 for n in range(37)])
    return Rows(rows) if request.param == "rows" else Streamed(rows, CPU)


@pytest.mark.parametrize("seed", [None, 0])
def test_every_example_is_in_one_batch(inputs, seed):
    found = list(inputs.batches(8, None if seed is None else generator(seed)))
    assert sorted(torch.cat([batch.index for batch in found]).tolist()) == list(range(37))
    assert max(len(batch.index) for batch in found) <= 8


def test_the_generator_alone_decides_the_order(inputs):
    def drawn(seed):
        return [batch.index.tolist() for batch in inputs.batches(8, generator(seed))]

    first = drawn(1)
    torch.manual_seed(5)
    assert drawn(1) == first != drawn(2)


@example([60] * 3 + [1], 2, 0)
@given(LENGTHS, SIZES, st.integers(0, 2**63 - 1))
def test_an_epoch_has_every_text_once_in_the_number_of_batches_that_was_told(lengths, size, seed):
    given_texts = texts(lengths)
    for found in (list(given_texts.batches(size, generator(seed))), list(given_texts.batches(size))):
        assert len(found) == given_texts.num_batches(size)  # so few tokens that measuring has no other limit
        assert sorted(torch.cat([batch.index for batch in found]).tolist()) == list(range(len(lengths)))
        assert all(1 <= len(batch.index) <= size for batch in found)


@given(LENGTHS, SIZES, st.integers(0, 2**63 - 1))
def test_at_most_a_tenth_of_a_batch_is_padding(lengths, size, seed):
    for batch in texts(lengths).batches(size, generator(seed)):
        used = sum(lengths[index] for index in batch.index.tolist())
        assert 10 * used >= 9 * batch.width * len(batch.index)


@given(LENGTHS, SIZES)
def test_texts_are_taken_whole_with_padding_behind(lengths, size):
    given_texts = texts(lengths)
    for batch in given_texts.batches(size, generator(0)):
        tokens = given_texts.take(batch)
        assert (tokens.shape, tokens.dtype) == ((len(batch.index), batch.width), torch.int64)
        for row, index in zip(tokens.tolist(), batch.index.tolist(), strict=True):
            start = sum(lengths[:index])
            text = list(range(start + 1, start + lengths[index] + 1))
            assert row == text + [0] * (batch.width - len(text))
        assert batch.width == max(lengths[index] for index in batch.index.tolist())


def test_a_bucket_is_cut_into_batches_of_equal_size():
    assert [len(batch.index) for batch in texts([50] * 22).batches(10)] == [8, 7, 7]


def test_a_measured_batch_is_limited_by_its_tokens(monkeypatch):
    monkeypatch.setattr(batches, "MEASURED_TOKENS", 100)
    found = list(texts([200] * 2 + [50] * 5 + [10] * 30).batches(1000))
    assert [(len(batch.index), batch.width) for batch in found] == [
        *[(1, 200)] * 2,
        *[(2, 50)] * 2, (1, 50),
        *[(10, 10)] * 3,
    ]  # fmt: skip
    assert len(list(texts([50] * 5).batches(5, generator(0)))) == 1  # a gradient's batch isn't


def test_rows_are_taken_by_their_positions():
    rows = Rows(torch.arange(20).reshape(10, 2))
    _, batch, _ = rows.batches(4, generator(0))
    assert torch.equal(rows.take(batch)[:, 0], 2 * batch.index)
    assert (rows.num_batches(4), rows.num_batches(5), len(rows)) == (3, 2, 10)


def test_what_was_stored_decides_what_is_batched():
    assert isinstance(batches.of({"inputs": torch.zeros(3, 2)}, CPU), Rows)
    assert isinstance(batches.of({"tokens": torch.ones(3), "offsets": torch.tensor([0, 3])}, CPU), Texts)


def test_nothing_waits_for_the_device():
    # On this device whoever asks for a number fails.
    given_texts = texts([3, 9, 9, 30], torch.device("meta"))
    for batch in given_texts.batches(2, generator(0)):
        assert batch.index.device.type == "meta"
        assert given_texts.take(batch).shape == (len(batch.index), batch.width)


def test_skipped_batches_change_no_other(inputs):
    whole, resumed = (inputs.batches(8, generator(0), skipped) for skipped in (0, 3))
    assert [batch.index.tolist() for batch in whole] == [batch.index.tolist() for batch in resumed]


@pytest.fixture(params=[1 << 30, 64])
def window(request, monkeypatch):
    """One window, or several."""
    monkeypatch.setattr(batches.order, "BLOCK", 32)
    monkeypatch.setattr(batches.order, "WINDOW", request.param)


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("seed", [None, 0])
def test_what_is_streamed_is_what_would_be_resident(seed):
    rows = torch.arange(37)[:, None]
    resident, streamed = Rows(rows), Streamed(rows, CPU)
    drawn = [inputs.batches(8, None if seed is None else generator(seed)) for inputs in (resident, streamed)]
    for one, other in zip(*drawn, strict=True):
        assert torch.equal(one.index, other.index)
        assert torch.equal(resident.take(one), streamed.take(other))


def test_several_batches_are_taken_as_each_of_them():
    rows = torch.arange(74).view(37, 2)
    for inputs in (Rows(rows), Streamed(rows, CPU), texts([3, 5, 4, 4, 9])):
        some = list(inputs.batches(8, generator(0)))
        for found, batch in zip(inputs.take_each(some), some, strict=True):
            assert torch.equal(found, inputs.take(batch))


def test_data_larger_than_half_of_the_free_memory_of_a_gpu_are_streamed(monkeypatch):
    rows = {"inputs": torch.arange(37)[:, None]}
    assert type(batches.of(rows, CPU)) is Rows
    monkeypatch.setattr(batches.devices, "has_room", lambda device, num_bytes: num_bytes < 37 * 8)
    assert type(batches.of(rows, CPU)) is Streamed


@pytest.mark.gpu
def test_what_is_streamed_to_a_gpu_is_there_when_it_is_read():
    cuda, rows = torch.device("cuda"), torch.arange(1 << 22).view(-1, 64)
    streamed = Streamed(rows, cuda)
    for batch in streamed.batches(1024, generator(0)):
        assert torch.equal(streamed.take(batch).cpu(), rows[batch.index.cpu()])
