import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.core.spec import DataSpec
from pipeline.core.storage import Meta
from pipeline.exporting.reading import ReadImages, ReadTable, reader
from pipeline.network.inputs import Standardize


def meta_of(modality, *shape):
    ones = (1.0,) * shape[0]
    spec = DataSpec(modality=modality, shape=shape, num_classes=2)
    return Meta(spec=spec, classes=("a", "b"), counts={}, scale=1.0, mean=(0.0,) * shape[0], std=ones)


def draw(*shape):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)).byte()


@pytest.mark.parametrize("size", [(28, 28), (8, 8), (1, 1), (32, 32), (100, 31), (29, 5), (300, 400)], ids=str)
@pytest.mark.parametrize("pattern", ["noise", "extremes"])
def test_resizing_agrees_with_pil_within_one_level(size, pattern):
    images = draw(2, 3, *size)
    if pattern == "extremes":
        images = (images > 127).byte() * 255
    read = ReadImages(meta_of("image", 3, 28, 28))(images)  # scale 1, mean 0, std 1: levels
    for image, ours in zip(images, read, strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        resized = np.asarray(picture.resize((28, 28), Image.Resampling.BILINEAR), dtype=np.int64)
        assert np.abs(resized.transpose(2, 0, 1) - ours.numpy()).max() <= 1


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 13, 40)], ids=str)
def test_images_of_the_right_size_are_only_standardised(shape):
    meta = meta_of("image", *shape).model_copy(update={"scale": 255.0, "mean": (0.4,) * shape[0]})
    images = draw(9, *shape)
    assert torch.equal(reader(meta)(images), Standardize(meta)(images))


def test_a_table_is_only_standardised():
    meta = meta_of("table", 4)
    rows = torch.randn(3, 4)
    assert torch.equal(reader(meta)(rows), Standardize(meta)(rows))


@pytest.mark.parametrize(
    "images", [torch.zeros(2, 3, 8, 8), draw(2, 1, 8, 8), draw(3, 8, 8), draw(2, 8, 8, 3)], ids=lambda x: str(x.shape)
)
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match=r"images must be uint8 of shape \(N, 3, H, W\); these are .* of shape"):
        ReadImages(meta_of("image", 3, 8, 8))(images)


@pytest.mark.parametrize("rows", [torch.zeros(2, 4).double(), torch.zeros(2, 5), torch.zeros(4)], ids=str)
def test_other_rows_are_refused(rows):
    with pytest.raises(ValueError, match=r"rows must be float32 of shape \(N, 4\); these are .* of shape"):
        ReadTable(meta_of("table", 4))(rows)
