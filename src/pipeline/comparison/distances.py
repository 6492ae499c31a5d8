"""How far apart two sets of images are, and how far one covers the other, by their features."""

from collections.abc import Iterable

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin_min, pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance


class _Given(nn.Module):
    """Stands where the metric expects a network that extracts features: here they are there already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """The Fréchet distance of M. Heusel et al. (2017) between features, float (N, F) and (M, F).

    It is squared, as they report it: |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 √(Σ₁ Σ₂)).
    """
    metric = FrechetInceptionDistance(_Given(first.shape[1])).set_dtype(torch.float64)
    metric.update(torch.from_numpy(first).double(), real=True)
    metric.update(torch.from_numpy(second).double(), real=False)
    # Rounding can leave a little less than nothing.
    return max(0.0, float(metric.compute()))


def neighborhoods(real: np.ndarray, made: np.ndarray, num_neighbors: int) -> dict[str, float]:
    """How much of each set lies within reach of the other.

    An example reaches as far as its k-th neighbour in its own set.

    Args:
        real: features, float (N, F).
        made: features, float (M, F).
        num_neighbors: k.

    Returns:
        ``precision``, the share of ``made`` within reach of something real, and ``recall``, the share of ``real``
        within reach of something made (T. Kynkäänniemi et al., 2019); ``density``, how many real ones reach each made
        one, over k, and ``coverage``, the share of ``real`` that reach something made, which outliers spoil less (M. F.
        Naeem et al., 2020).
    """
    radius_of_real, radius_of_made = _radius(real, num_neighbors), _radius(made, num_neighbors)
    recalled, covered = [], []
    within = np.zeros(len(made))  # how many real ones reach each made one
    done = 0
    for distances in pairwise_distances_chunked(real, made):
        radius = radius_of_real[done : done + len(distances), None]
        done += len(distances)
        within += (distances < radius).sum(0)
        recalled.append((distances < radius_of_made).any(1))
        covered.append((distances < radius).any(1))
    return {
        "precision": float((within > 0).mean()),
        "recall": float(np.concatenate(recalled).mean()),
        "density": float(within.mean() / num_neighbors),
        "coverage": float(np.concatenate(covered).mean()),
    }


def nearest(images: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The position of each image's nearest one among others, and its distance, pixel by pixel.

    Args:
        images: uint8 (N, C, H, W).
        among: uint8 (M, C, H, W).

    Returns:
        int64 (N,), and float (N,): the Euclidean distance of pixels from 0 to 1.
    """
    flat = [part.reshape(len(part), -1).astype(np.float32) / 255 for part in (images, among)]
    index, distance = pairwise_distances_argmin_min(*flat)
    return index, distance.astype(np.float64)


def entropy(shares: Iterable[float]) -> float:
    """Of a distribution over classes, in nats: ln K if all are as frequent."""
    present = np.array([share for share in shares if share > 0])
    return float(-(present * np.log(present)).sum())


def _radius(features: np.ndarray, num_neighbors: int) -> np.ndarray:
    # Of the points that it is fitted on, none counts as its own neighbour.
    distances, _ = NearestNeighbors(n_neighbors=num_neighbors).fit(features).kneighbors()
    radius: np.ndarray = distances[:, -1]
    return radius
