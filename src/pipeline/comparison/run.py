"""Compare the images that one run generates with real ones, as the classifier of another run sees them."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.comparison.options import Options
from pipeline.core import params, storage
from pipeline.core.files import md5, replacing, write_json
from pipeline.core.schema import parse
from pipeline.evaluation.pictures import draw_images, in_rows
from pipeline.evaluation.tables import write_csv
from pipeline.exporting import torchscript
from pipeline.network import devices
from pipeline.tracking import journal
from pipeline.trained import read_record

#: Images that go through the classifier at once, and that a generator makes at once.
BATCH = 500
#: A sample is memorised if it is nearer to a training image than all but this share of the test images are.
NEAR = 0.01
#: Samples that are drawn beside their nearest training images.
NUM_DRAWN = 20


@dataclass(frozen=True)
class Seen:
    """Images and what the classifier makes of them.

    Attributes:
        images: uint8 (N, C, H, W).
        features: what its last layer reads, float32 (N, F).
        labels: the classes it gives them, int64 (N,).
    """

    images: np.ndarray
    features: np.ndarray
    labels: np.ndarray


def compare(run: str, content: dict[str, Any], folder: Path) -> None:
    """Compare samples of the generator in ``folder`` with test images, and training images with them for a measure.

    Writes ``comparison_metrics.json`` (see :mod:`pipeline.comparison.options`), the folder ``comparison`` and
    ``comparison.json``: ``model_md5``, the ``options`` and ``data``, file -> md5.

    Raises:
        ValueError: a program or the prepared data are missing or damaged, the classifier has no features, or there are
            fewer images than are wanted.
    """
    options = parse(Options, params.at(content, f"comparisons.{run}"), f"comparisons.{run}")
    record = read_record(folder)
    with journal.stage("compare", record) as log:
        num_threads = params.at(content, "num_threads")
        devices.prepare(num_threads)
        # scikit-learn reads it when it is imported, and would start a program to count the processor's cores.
        os.environ["OMP_NUM_THREADS"] = str(num_threads)
        from pipeline.comparison import distances

        data = Path("data/processed") / options.dataset
        meta = storage.read_meta(data)
        train, test = (storage.read(data, split)["inputs"] for split in ("train", "test"))
        number = _number(options, min(len(train), len(test)), f"comparisons.{run}")
        generator, classifier = _load(run), _load(options.classifier)
        if not hasattr(classifier, "features"):
            raise ValueError(
                f"{_program(options.classifier)} has no features; run `dvc repro export@{options.classifier}`"
            )
        draw = torch.Generator().manual_seed(0)
        real = [images[torch.randperm(len(images), generator=draw)[:number]] for images in (train, test)]
        samples, seen_train, seen_test = (_look(classifier, images) for images in (_samples(generator, number), *real))
        with replacing(folder / "comparison") as plots:
            for name in ("classes", "pictures"):
                (plots / name).mkdir(parents=True)
            values = _resemblance(samples, seen_train, seen_test, options.num_neighbors, len(meta.classes))
            nearest, distance = distances.nearest(samples.images, train.numpy())
            values |= _memorisation(distance, distances.nearest(seen_test.images, train.numpy())[1])
            values["num_samples"] = number
            _draw(samples, train.numpy()[nearest], seen_test, meta.classes, plots)
        write_json(folder / "comparison_metrics.json", values)
        comparison = {
            "model_md5": record["model_md5"],
            "options": options.model_dump(mode="json") | {"classifier_md5": md5(_program(options.classifier))},
            "data": {str(file): md5(file) for file in [data / "test.safetensors"]},
        }
        write_json(folder / "comparison.json", comparison)
        log.comparison(values, comparison)
        log.artifacts([folder / name for name in ("comparison_metrics.json", "comparison.json", "comparison")])


def _number(options: Options, there_are: int, path: str) -> int:
    number = options.num_samples or there_are
    if number > there_are:
        raise ValueError(f"{path}.num_samples: {number} is more than the {there_are} images to compare with")
    if options.num_neighbors >= number:
        wanted, most = options.num_neighbors, number - 1
        raise ValueError(f"{path}.num_neighbors: {wanted} of {number} images is too many; {most} at most")
    return number


def _program(run: str) -> Path:
    return Path("outputs") / run / "model.ts"


def _load(run: str) -> Any:
    file = _program(run)
    try:
        # Read by Python: pipeline.watching.drift watches what it opens.
        return torchscript.load(io.BytesIO(file.read_bytes()))
    except (FileNotFoundError, RuntimeError) as error:
        raise ValueError(f"{file}: {error}; run `dvc repro export@{run}`") from None


@torch.inference_mode()
def _samples(generator: Any, number: int) -> Tensor:
    """So many images, uint8 (number, C, H, W), the same each time."""
    starts = range(0, number, BATCH)
    return torch.cat([generator.sample(min(BATCH, number - start), start) for start in starts])


@torch.inference_mode()
def _look(classifier: Any, images: Tensor) -> Seen:
    parts = torch.split(images, BATCH)
    features = torch.cat([classifier.features(part) for part in parts])
    labels = torch.cat([classifier(part).argmax(1) for part in parts])
    return Seen(images.numpy(), features.numpy(), labels.numpy())


def _resemblance(samples: Seen, train: Seen, test: Seen, num_neighbors: int, num_classes: int) -> dict[str, float]:
    """Samples beside test images, and for a measure training images beside the same; as many of each."""
    from pipeline.comparison import distances

    values: dict[str, float] = {}
    for suffix, seen in (("", samples), ("_real", train)):
        found = {"frechet_distance": distances.frechet(test.features, seen.features)}
        found |= distances.neighborhoods(test.features, seen.features, num_neighbors)
        found["class_entropy"] = distances.entropy(_shares(seen, num_classes))
        values |= {f"{name}{suffix}": value for name, value in found.items()}
    return values


def _memorisation(of_samples: np.ndarray, of_test: np.ndarray) -> dict[str, float]:
    """From the distances of samples and of test images, (N,), to their nearest training image."""
    # Of training images that would be themselves, so that test images say how near is near.
    return {
        "nearest_distance": float(of_samples.mean()),
        "nearest_distance_real": float(of_test.mean()),
        "memorised": float((of_samples < np.quantile(of_test, NEAR)).mean()),
    }


def _shares(seen: Seen, num_classes: int) -> np.ndarray:
    shares: np.ndarray = np.bincount(seen.labels, minlength=num_classes) / len(seen.labels)
    return shares


def _draw(samples: Seen, nearest: np.ndarray, test: Seen, classes: tuple[str, ...], folder: Path) -> None:
    names = [f"{name} {of}" for name in classes for of in ("made", "real")]
    shares = np.stack([_shares(samples, len(classes)), _shares(test, len(classes))], axis=1).ravel()
    write_csv(folder / "classes/classes.csv", ("share", "class"), shares, names, digits=6)
    pairs = np.stack([samples.images[:NUM_DRAWN], nearest[:NUM_DRAWN]], axis=1) / 255
    title = "samples, each above the nearest training image"
    draw_images(in_rows(pairs), title, folder / "pictures/nearest.png")
