import io

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.training import pictures


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_in_rows_with_a_gap_between(channels):
    images = torch.randint(1, 256, (5, channels, 4, 6)).byte()
    drawn = np.asarray(Image.open(io.BytesIO(pictures.draw(images))))
    # 5 images make 2 rows of 3, the last place empty.
    assert drawn.shape[:2] == (2 * 5 - 1, 3 * 7 - 1)
    place = drawn[5:9, 7:13]
    assert np.array_equal(place if channels == 1 else place.transpose(2, 0, 1), images[4].squeeze(0).numpy())
    assert not drawn[4].any()
    assert not drawn[5:9, 14:].any()


def test_files_sort_by_epoch():
    assert sorted(map(pictures.name, (100, 9, 20))) == ["epoch_0009.png", "epoch_0020.png", "epoch_0100.png"]
