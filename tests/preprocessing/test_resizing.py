import numpy as np

from pipeline.preprocessing.resizing import resize


def test_the_same_size_changes_nothing() -> None:
    images = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    assert resize(images, 4) is images


def test_channels_are_resized_apart() -> None:
    images = np.empty((2, 3, 8, 6), np.uint8)
    images[:] = np.array([0, 100, 255], np.uint8)[:, None, None]
    resized = resize(images, 5)
    assert resized.shape == (2, 3, 5, 5)
    assert (resized == np.array([0, 100, 255])[:, None, None]).all()


def test_shrinking_averages() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (1, 1, 64, 32))  # one pixel wide: without antialiasing 0 or 255
    assert abs(resize(stripes, 8).astype(int) - 127).max() < 12
