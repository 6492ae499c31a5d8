"""Random changes to a whole batch of images at once, on the device that holds them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.training.options import Augment


def augment(images: Tensor, options: Augment) -> Tensor:
    """Shift and mirror each image by its own random draw: uint8 (N, C, H, W) -> the same.

    The draws come from PyTorch's global CPU generator, so that every device gets the same images.
    """
    if options.shift:
        images = _shift(images, options.shift)
    if options.flip:
        mirrored = (torch.rand(len(images), 1, 1, 1) < 0.5).to(images.device, non_blocking=True)  # (N, 1, 1, 1)
        images = torch.where(mirrored, images.flip(-1), images)
    return images


def _shift(images: Tensor, most: int) -> Tensor:
    num_images, _, height, width = images.shape
    padded = F.pad(images, (most, most, most, most))  # (N, C, H + 2 most, W + 2 most)
    offsets = torch.randint(0, 2 * most + 1, (2, num_images)).to(images.device, non_blocking=True)
    axis = torch.arange(max(height, width), device=images.device)
    rows = offsets[0, :, None] + axis[:height]  # (N, H)
    columns = offsets[1, :, None] + axis[:width]  # (N, W)
    first = torch.arange(num_images, device=images.device)
    # The channels follow the indexed axes: (N, H, W, C), which is channels_last once turned back.
    return padded.permute(0, 2, 3, 1)[first[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
