"""Bring images to one size."""

import numpy as np

from pipeline.core import scratch


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Bilinear with antialiasing: uint8 (N, C, H, W) with one or three channels -> uint8 (N, C, size, size)."""
    from PIL import Image

    if images.shape[2:] == (size, size):
        return images
    num, channels = images.shape[:2]
    resized = scratch.array((num, channels, size, size), np.uint8)
    for index, image in enumerate(images):
        for channel, plane in enumerate(image):
            picture = Image.fromarray(np.ascontiguousarray(plane))  # (H, W), grey
            resized[index, channel] = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
    return resized
