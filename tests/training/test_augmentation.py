from dataclasses import replace

import torch

from pipeline.training.augmentation import augment
from pipeline.training.options import Augment
from pipeline.training.pieces import whole

IMAGES = torch.arange(1, 6 * 2 * 4 * 5 + 1).reshape(6, 2, 4, 5).to(torch.uint8)


def augmented(images, seed=0, **options):
    return augment(whole(images, None, seed), Augment(**options)).inputs


def test_nothing_is_changed_unless_asked():
    assert augmented(IMAGES) is IMAGES


def test_each_image_is_moved_by_its_own_offset_and_zeros_come_in():
    images = IMAGES.repeat(20, 1, 1, 1)
    moved = augmented(images, shift=2)
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
    images = IMAGES[:1].repeat(400, 1, 1, 1)
    flipped = augmented(images, flip=True)
    mirrored = sum(torch.equal(image, IMAGES[0].flip(-1)) for image in flipped)
    same = sum(torch.equal(image, IMAGES[0]) for image in flipped)
    assert mirrored + same == 400 and 150 < mirrored < 250


def test_the_seed_of_the_noise_decides():
    first, same, other = (augmented(IMAGES, seed, shift=2, flip=True) for seed in (1, 1, 2))
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_an_image_is_changed_the_same_in_a_piece_as_in_the_whole():
    piece = replace(whole(IMAGES, None), inputs=IMAGES[2:5], begin=2)
    changed = augment(piece, Augment(shift=2, flip=True)).inputs
    assert torch.equal(changed, augmented(IMAGES, shift=2, flip=True)[2:5])
