import numpy as np
import pytest
from PIL import Image

from pipeline.evaluation.pictures import draw_images, draw_mistakes, draw_predictions, draw_text_mistakes, in_rows


def predictions(num_wrong):
    """The true classes of 20 examples and the probabilities of three, the largest of so many wrong."""
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    targets = probabilities.argmax(1)
    targets[:num_wrong] = (targets[:num_wrong] + 1) % 3
    return targets, probabilities


@pytest.mark.parametrize(("channels", "num_wrong"), [(1, 7), (3, 7), (1, 0)])
def test_mistakes_are_drawn_the_same_each_time(tmp_path, channels, num_wrong):
    images = np.random.default_rng(0).integers(0, 256, (20, channels, 8, 8), dtype=np.uint8)
    targets, probabilities = predictions(num_wrong)
    for name in ("a.png", "b.png"):
        draw_mistakes(images, targets, probabilities, ("x", "$y", "日"), 5, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        picture = np.asarray(image.convert("L"))
    assert (picture < 250).mean() > (0.05 if num_wrong else 0.001)  # not an empty sheet
    assert b"matplotlib" not in (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize("num_wrong", [0, 7])
def test_mistaken_texts_are_drawn_the_same_each_time(tmp_path, num_wrong):
    # No font has all of these; neither a formula nor a line break may be made of a text.
    strange = ["日本語", "😀 \U000e0001", "$x^2$ \\frac", "two\r\nlines\t", "\0\x1b", "", "a\u0301", "long " * 500]
    texts = np.array((strange * 3)[:20], dtype=object)
    targets, probabilities = predictions(num_wrong)
    for name in ("a.png", "b.png"):
        draw_text_mistakes(texts, targets, probabilities, ("x", "$y$", "日"), 5, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1100 and image.height < 250
        assert (np.asarray(image.convert("L")) < 250).mean() > (0.02 if num_wrong else 0.001)


def test_predictions_are_drawn(tmp_path):
    draw_predictions(np.array([1.0, 2.0]), np.array([1.5, 2.0]), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (500, 500)


@pytest.mark.parametrize(("number", "shape"), [(1, (2, 1)), (7, (2, 7)), (10, (2, 10)), (12, (4, 10)), (20, (4, 10))])
def test_stacks_of_images_fill_rows_and_what_is_missing_is_white(number, shape):
    stacks = np.arange(number * 2).reshape(number, 2, 1, 1, 1) / 100
    rows = in_rows(stacks)
    assert rows.shape == (*shape, 1, 1, 1)
    assert rows[:2, 0].ravel().tolist() == stacks[0].ravel().tolist()
    last = number - 1
    row, column = 2 * (last // 10), last % 10
    assert rows[row : row + 2, column].ravel().tolist() == stacks[last].ravel().tolist()
    assert (rows[row:, column + 1 :] == 1).all()


def test_a_grid_of_images_keeps_their_order_and_sets_them_apart(tmp_path):
    rows = np.zeros((2, 3, 3, 4, 4))
    rows[1, 2, 0] = 1
    draw_images(rows, "title", tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as drawn:
        pixels = np.asarray(drawn.convert("RGB")).astype(int)
    red = np.argwhere((pixels[..., 0] > 200) & (pixels[..., 1] < 60))
    assert red[:, 0].min() > pixels.shape[0] / 2  # the second row
    assert red[:, 1].min() > pixels.shape[1] * 0.6  # the third column
