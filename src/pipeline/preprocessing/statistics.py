"""Mean and spread of the training split, by which inputs are standardised."""

import numpy as np

from pipeline.core import scratch


def of_images(images: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and population standard deviation of each channel of uint8 (N, C, H, W), pixels in 0..1.

    The sums are of integers, so the result doesn't depend on their order.
    """
    totals = np.zeros(images.shape[1], np.int64)
    squares = np.zeros(images.shape[1], np.int64)
    for part in scratch.slices(images):
        chunk = images[part].astype(np.int32)
        totals += chunk.sum(axis=(0, 2, 3), dtype=np.int64)
        squares += (chunk * chunk).sum(axis=(0, 2, 3), dtype=np.int64)
    num_pixels = images.size // images.shape[1]
    mean = totals / num_pixels
    variance = squares / num_pixels - mean**2
    return (mean / 255).tolist(), (np.sqrt(variance.clip(min=0)) / 255).tolist()


def of_table(rows: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and population standard deviation of each feature of float32 (N, F)."""
    exact = rows.astype(np.float64)
    return exact.mean(axis=0).tolist(), exact.std(axis=0).tolist()
