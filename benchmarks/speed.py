"""How fast training is beside the tutorial's loop, and beside the same steps on one batch that is already there.

    python benchmarks/speed.py [lenet cnn ...] [--rounds 15] [--seconds 4]

For each model three ways to train with the same network, batch size and optimiser take turns in one process, round by
round: the tutorial's loop; ours, as the stage `train` runs it, observer included; the bare steps of ours on one batch.
A ratio is taken within a round, where both meet the same noise of the machine; medians and quartiles over rounds are
printed and written to benchmarks/results/speed.json. It reads Fashion-MNIST and IMDB from PIPELINE_DATA_MIRROR.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import tutorial
from torch import Tensor

from pipeline.core import rooms, storage
from pipeline.core.files import write_json
from pipeline.network.batches import Batch, Inputs
from pipeline.training import loop
from pipeline.training.run import Job, prepare
from pipeline.training.task import Row

RESULTS = Path(__file__).parent / "results"
SGD, ADAM = {"name": "sgd", "lr": 0.01}, {"name": "adam", "lr": 0.001}
GAN_ADAM = {"name": "adam", "lr": 0.0002, "betas": [0.5, 0.999]}
#: Model -> task, data set, batch size, optimiser, loss: the tutorials' settings.
CASES: dict[str, tuple[str, str, int, dict[str, Any], dict[str, Any]]] = {
    "lenet": ("classification", "fashion_mnist", 64, SGD, {"name": "cross_entropy"}),
    "cnn": ("classification", "fashion_mnist", 100, ADAM, {"name": "cross_entropy"}),
    "lstm": ("classification", "fashion_mnist", 100, ADAM, {"name": "cross_entropy"}),
    "vae": ("vae", "fashion_mnist", 128, ADAM, {"name": "elbo"}),
    "dcgan": ("gan", "fashion_mnist", 128, GAN_ADAM, {"name": "non_saturating"}),
    "text_lstm": ("classification", "imdb", 64, ADAM, {"name": "cross_entropy"}),
}
DATASETS: dict[str, dict[str, Any]] = {
    "fashion_mnist": {"kind": "fashion_mnist", "path": "data/fashion_mnist.md5"},
    "imdb": {
        "kind": "imdb",
        "path": "data/imdb.md5",
        "text": {"unit": "word", "max_length": 400, "vocabulary_size": 20000, "html_breaks": True},
    },
}


class Part(Inputs):
    """As many batches of a split as a round takes, other ones each time."""

    def __init__(self, inputs: Inputs, number: int) -> None:
        self.inputs, self.number = inputs, number

    def __len__(self) -> int:
        return len(self.inputs)

    def num_batches(self, batch_size: int) -> int:
        return self.number

    def batches(self, batch_size: int, generator: torch.Generator | None = None) -> list[Batch]:
        return self.inputs.batches(batch_size, generator)[: self.number]

    def take(self, batch: Batch) -> Tensor:
        return self.inputs.take(batch)


class Silent:
    """An observer that does nothing."""

    def on_step(self, step: int, losses: dict[str, Tensor]) -> None: ...
    def on_epoch(self, row: Row) -> None: ...


def content(model: str, precision: str) -> dict[str, Any]:
    """A ``params.yaml`` with the run of one model."""
    task, dataset, batch_size, optimizer, loss = CASES[model]
    train = {"epochs": 10**6, "batch_size": batch_size, "optimizer": optimizer, "loss": loss, "precision": precision}
    run = {"task": task, "dataset": dataset, "model": {"name": model}, "train": train}
    return {"seed": 0, "num_threads": 1, "datasets": {dataset: DATASETS[dataset]}, "runs": {model: run}}


def prepare_data(dataset: str, root: Path) -> None:
    """What the stages download and preprocess make, below the current folder."""
    from pipeline.preprocessing.preparing import prepare as split

    module = rooms.load("datasets", dataset, "")
    raw, folder = Path("data/raw") / dataset, Path("data/processed") / dataset
    raw.mkdir(parents=True)
    folder.mkdir(parents=True)
    module.download(root / "data" / f"{dataset}.md5", raw)
    options = module.Options(**{**DATASETS[dataset], "path": "."})
    storage.write(folder, *split(dataset, module.load(raw, options), module.spec(options), 0.1, 0))


def tutorial_loop(model: str) -> tutorial.Run:
    """The tutorial's way with a network and an optimiser of its own."""
    task, _, batch_size, settings, _ = CASES[model]
    network: Any = prepare(model, content(model, "fp32")).task.model
    options = {name: value for name, value in settings.items() if name != "name"}
    optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[settings["name"]]
    if model == "text_lstm":
        tensors = storage.read(Path("data/processed/imdb"), "train")
        rows = list(torch.split(tensors["tokens"].long(), tensors["offsets"].diff().tolist()))
        batches = tutorial.texts(rows, tensors["targets"], batch_size)
        return tutorial.classifier(network, optimizer(network.parameters(), **options), batches)
    if task == "vae":
        return tutorial.vae(
            network, optimizer(network.parameters(), **options), tutorial.images(Path("data"), batch_size)
        )
    if task == "gan":
        both = [optimizer(part.parameters(), **options) for part in (network.discriminator, network.generator)]
        batches = tutorial.images(Path("data"), batch_size, tutorial.CENTER)
        return tutorial.gan(network, both, batches, network.latent_size)
    batches = tutorial.images(Path("data"), batch_size, tutorial.NORMALIZE)
    return tutorial.classifier(network, optimizer(network.parameters(), **options), batches)


def our_loop(job: Job) -> tutorial.Run:
    """The loop of the stage `train`, without validation."""
    inputs, targets = job.train
    state = loop.State()

    def run(number: int) -> None:
        state.step, state.sums, state.first_bad = len(state.history) * number, {}, None
        loop._train_epoch(job.task, (Part(inputs, number), targets), job.options, job.seed, state, Silent())
        state.history.append({})

    return run


def bare_steps(job: Job) -> tutorial.Run:
    """The same steps on one batch over and over: of texts, one of middling length."""
    inputs, targets = job.train
    batches = inputs.batches(job.options.batch_size, torch.Generator().manual_seed(0))
    batch = sorted(batches, key=lambda batch: batch.width)[len(batches) // 2]
    given, labels = inputs.take(batch), targets[batch.index]

    def run(number: int) -> None:
        job.task.model.train()
        for step in range(number):
            job.task.update(given, labels, step)

    return run


def clock(run: tutorial.Run, number: int) -> float:
    """Seconds that so many batches take."""
    begun = time.perf_counter()
    run(number)
    return time.perf_counter() - begun


def measure(model: str, precision: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Let the ways to train ``model`` take turns; examples a second, and the ratios to ours."""
    ways: dict[str, Callable[[int], None]] = {}
    ours = prepare(model, content(model, precision))
    ways["tutorial"] = tutorial_loop(model)
    ways["ours"] = our_loop(ours)
    ways["bare"] = bare_steps(prepare(model, content(model, precision)))
    size = CASES[model][2]
    most = len(ours.train[0].batches(size, torch.Generator().manual_seed(0)))
    numbers: dict[str, int] = {}
    for name, run in ways.items():
        run(3)  # what is done once
        numbers[name] = max(3, min(most, round(seconds / (clock(run, 5) / 5))))
    numbers["ours"] = numbers["bare"] = min(numbers["ours"], numbers["bare"])
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            rates[name].append(numbers[name] * size / clock(run, numbers[name]))
    ratios = {name: [a / b for a, b in zip(rates["ours"], rates[name], strict=True)] for name in ("tutorial", "bare")}
    quartiles = {name: statistics.quantiles(values, n=4) for name, values in ratios.items()}
    result: dict[str, Any] = {
        "rates": {name: statistics.median(values) for name, values in rates.items()},
        "times_tutorial": quartiles["tutorial"],
        "share_of_bare": quartiles["bare"],
        "batches_a_round": numbers,
    }
    print(
        f"{model} {precision}: tutorial {result['rates']['tutorial']:,.0f}/s, ours {result['rates']['ours']:,.0f}/s: "
        f"{quartiles['tutorial'][1]:.2f} times (quartiles {quartiles['tutorial'][0]:.2f}, "
        f"{quartiles['tutorial'][2]:.2f}), {quartiles['bare'][1]:.1%} of the bare steps "
        f"({quartiles['bare'][0]:.1%}, {quartiles['bare'][2]:.1%})",
        flush=True,
    )
    return result


def main(models: list[str], rounds: int, seconds: float, precision: str) -> None:
    """Measure each of ``models`` and write what was found."""
    if "PIPELINE_DATA_MIRROR" not in os.environ:
        sys.exit("error: PIPELINE_DATA_MIRROR must name the folder of Fashion-MNIST and IMDB")
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        (Path(folder) / "versions.txt").symlink_to(root / "versions.txt")
        archives = Path("data/FashionMNIST/raw")
        archives.mkdir(parents=True)
        for archive in (Path(os.environ["PIPELINE_DATA_MIRROR"]) / "FashionMNIST/raw").glob("*.gz"):
            (archives / archive.name).symlink_to(archive)
        for dataset in {CASES[model][1] for model in models}:
            prepare_data(dataset, root)
        found = {model: measure(model, precision, rounds, seconds) for model in models}
        os.chdir(root)
    RESULTS.mkdir(exist_ok=True)
    machine = {"processor": platform.processor() or platform.machine(), "torch": torch.__version__, "threads": 1}
    write_json(RESULTS / f"speed_{precision}.json", {"machine": machine, "rounds": rounds, "models": found})
    print(json.dumps(machine))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(CASES), choices=[*CASES, []], metavar="model")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each way in each round")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    options = parser.parse_args()
    main(options.models, options.rounds, options.seconds, options.precision)
