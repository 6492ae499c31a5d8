"""Pictures of what a network makes while it learns."""

import io
import math

import torch
from torch import Tensor
from torch.nn import functional as F

#: Black pixels between two images.
GAP = 1


def name(epoch: int) -> str:
    """The file of what was made after an epoch."""
    return f"epoch_{epoch:04d}.png"


def draw(images: Tensor) -> bytes:
    """One PNG of images, uint8 (n, C, H, W) with C 1 or 3, in rows from left to right."""
    from PIL import Image  # most networks make none

    num_columns = math.ceil(math.sqrt(len(images)))
    num_rows = math.ceil(len(images) / num_columns)
    tiles = F.pad(images, (0, GAP, 0, GAP))
    tiles = torch.cat([tiles, tiles.new_zeros(num_rows * num_columns - len(images), *tiles.shape[1:])])
    # (rows, columns, C, H, W) -> (rows, H, columns, W, C)
    grid = tiles.reshape(num_rows, num_columns, *tiles.shape[1:]).permute(0, 3, 1, 4, 2)
    pixels = grid.flatten(2, 3).flatten(0, 1).squeeze(-1)
    content = io.BytesIO()
    Image.fromarray(pixels[:-GAP, :-GAP].contiguous().numpy()).save(content, format="PNG")
    return content.getvalue()
