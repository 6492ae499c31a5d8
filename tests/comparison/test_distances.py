import numpy as np
import pytest
from scipy.linalg import sqrtm

from pipeline.comparison import distances


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def gaussian(draw, number, shift=0.0):
    mixing = np.random.default_rng(7).normal(size=(6, 6))
    return (draw.normal(size=(number, 6)) @ mixing + shift).astype(np.float32)


def test_the_frechet_distance_is_scipys(draw):
    first, second = gaussian(draw, 500), 1.5 * gaussian(draw, 400, shift=0.8)
    means = [features.astype(np.float64).mean(0) for features in (first, second)]
    covariances = [np.cov(features.astype(np.float64), rowvar=False) for features in (first, second)]
    expected = ((means[0] - means[1]) ** 2).sum()
    expected += np.trace(covariances[0] + covariances[1] - 2 * sqrtm(covariances[0] @ covariances[1]).real)
    assert distances.frechet(first, second) == pytest.approx(expected, rel=1e-6)


def test_of_known_gaussians_it_is_what_the_formula_says(draw):
    first, second = draw.normal(0, 1, (200_000, 2)), draw.normal((3, 0), (2, 1), (200_000, 2))
    assert distances.frechet(first, second) == pytest.approx(9 + (2 - 1) ** 2, rel=0.01)


def test_of_a_set_and_itself_it_is_nothing(draw):
    features = gaussian(draw, 300)
    assert distances.frechet(features, features) == pytest.approx(0, abs=1e-6)
    # Fewer examples than features, and features that are always 0, as behind a ReLU.
    few = np.concatenate([features[:4], np.zeros((4, 3), np.float32)], axis=1)
    assert distances.frechet(few, few) == pytest.approx(0, abs=1e-5)


def brute(real, made, k):
    """The definitions, one example at a time."""

    def distance(a, b):
        return np.sqrt(((a.astype(float) - b.astype(float)) ** 2).sum())

    def reach(points, i):
        return sorted(distance(points[i], other) for j, other in enumerate(points) if j != i)[k - 1]

    of_real, of_made = [reach(real, i) for i in range(len(real))], [reach(made, j) for j in range(len(made))]
    near = [[distance(r, m) < of_real[i] for m in made] for i, r in enumerate(real)]
    return {
        "precision": np.mean([any(row[j] for row in near) for j in range(len(made))]),
        "recall": np.mean([any(distance(r, m) < of_made[j] for j, m in enumerate(made)) for r in real]),
        "density": np.sum(near) / (k * len(made)),
        "coverage": np.mean([any(row) for row in near]),
    }


@pytest.mark.parametrize("shift", [0.0, 1.0, 30.0])
def test_neighborhoods_are_as_defined(draw, shift):
    real, made = gaussian(draw, 40), gaussian(draw, 30, shift)
    assert distances.neighborhoods(real, made, 3) == pytest.approx(brute(real, made, 3))


def test_neighborhoods_of_one_distribution_are_near_one_and_of_two_apart_zero(draw):
    real, made = gaussian(draw, 1000), gaussian(draw, 1000)
    same = distances.neighborhoods(real, made, 5)
    assert same["precision"] > 0.9 and same["recall"] > 0.9 and same["coverage"] > 0.9
    assert same["density"] == pytest.approx(1, abs=0.1)
    assert distances.neighborhoods(real, made + 100, 5) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_a_generator_that_makes_one_image_covers_little(draw):
    real = gaussian(draw, 500)
    found = distances.neighborhoods(real, np.repeat(real[:1], 500, axis=0), 5)
    assert found["precision"] == 1
    assert found["coverage"] < 0.05


def test_the_nearest_image_is_found_with_its_distance(draw):
    among = draw.integers(0, 256, (30, 1, 4, 4), dtype=np.uint8)
    images = among[[3, 17]].copy()
    images[1, 0, 0, 0] ^= 1
    index, distance = distances.nearest(images, among)
    assert index.tolist() == [3, 17]
    assert distance == pytest.approx([0, 1 / 255], abs=1e-3)


def test_entropy_is_in_nats():
    assert distances.entropy([0.25] * 4) == pytest.approx(np.log(4))
    assert distances.entropy([1.0, 0.0]) == 0
