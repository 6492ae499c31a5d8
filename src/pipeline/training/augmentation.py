"""Random changes to a whole batch of images at once, on the device that holds them."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.seeding import derive
from pipeline.training.options import Augment
from pipeline.training.pieces import Piece


def augment(piece: Piece, options: Augment) -> Piece:
    """Shift and mirror each image, uint8 (N, C, H, W), by its own random draw from the batch's noise."""
    if not (options.shift or options.flip):
        return piece
    images = piece.inputs
    if options.shift:
        drawn = torch.randint(0, 2 * options.shift + 1, (piece.total, 2), generator=piece.noise)
        images = _shift(images, piece.own(drawn), options.shift)
    if options.flip:
        mirrored = piece.own(torch.rand(piece.total, 1, 1, 1, generator=piece.noise) < 0.5)  # (N, 1, 1, 1)
        images = torch.where(mirrored, images.flip(-1), images)
    return replace(piece, inputs=images, seed=derive(piece.seed, "augmented"))  # what is drawn next is other noise


def _shift(images: Tensor, offsets: Tensor, most: int) -> Tensor:
    """Move each image by its offsets (N, 2), 0 to 2 ``most``, of which ``most`` leaves it where it is."""
    num_images, _, height, width = images.shape
    padded = F.pad(images, (most, most, most, most))  # (N, C, H + 2 most, W + 2 most)
    axis = torch.arange(max(height, width), device=images.device)
    rows = offsets[:, :1] + axis[:height]  # (N, H)
    columns = offsets[:, 1:] + axis[:width]  # (N, W)
    first = torch.arange(num_images, device=images.device)
    # The channels follow the indexed axes: (N, H, W, C), which is channels_last once turned back.
    return padded.permute(0, 2, 3, 1)[first[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
