import torch

from pipeline.training.augmentation import augment
from pipeline.training.options import Augment

IMAGES = torch.arange(1, 6 * 2 * 4 * 5 + 1).reshape(6, 2, 4, 5).to(torch.uint8)


def test_nothing_is_changed_unless_asked():
    assert augment(IMAGES, Augment()) is IMAGES


def test_each_image_is_moved_by_its_own_offset_and_zeros_come_in():
    torch.manual_seed(0)
    images = IMAGES.repeat(20, 1, 1, 1)
    moved = augment(images, Augment(shift=2))
    assert moved.shape == images.shape and moved.dtype == torch.uint8
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    found = []
    for index, image in enumerate(moved):
        windows = {(y, x): padded[index, :, y : y + 4, x : x + 5] for y in range(5) for x in range(5)}
        matches = [offset for offset, window in windows.items() if torch.equal(window, image)]
        assert matches, "no window of the padded image"
        found += matches
    assert len(set(found)) == 25  # every offset occurs among 120 images


def test_about_half_of_the_images_are_mirrored():
    torch.manual_seed(0)
    images = IMAGES[:1].repeat(400, 1, 1, 1)
    flipped = augment(images, Augment(flip=True))
    mirrored = sum(torch.equal(image, IMAGES[0].flip(-1)) for image in flipped)
    same = sum(torch.equal(image, IMAGES[0]) for image in flipped)
    assert mirrored + same == 400 and 150 < mirrored < 250


def test_the_global_seed_decides():
    def draw(seed):
        torch.manual_seed(seed)
        return augment(IMAGES, Augment(shift=2, flip=True))

    assert torch.equal(draw(1), draw(1)) and not torch.equal(draw(1), draw(2))
