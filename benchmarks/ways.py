"""The ways to train a network that `speed.py` compares, each in a process of its own that works when it is told to."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tutorial
from ruamel.yaml import YAML
from torch import Tensor

from pipeline.core import rooms, storage
from pipeline.network import building
from pipeline.network.batches import Batch, Inputs, Texts
from pipeline.preprocessing.preparing import prepare as split
from pipeline.tracking import journal
from pipeline.training import loop
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.pieces import whole
from pipeline.training.run import Job, Watch, prepare
from pipeline.training.stopping import Stop
from pipeline.watching.machine import Machine
from pipeline.watching.progress import Progress

ROOT = Path(__file__).parents[1]
NAMES = ("tutorial", "ours", "bare", "recipe")
SGD, ADAM = {"name": "sgd", "lr": 0.01, "momentum": 0.9}, {"name": "adam", "lr": 0.001}
GAN_ADAM = {"name": "adam", "lr": 0.0002, "betas": [0.5, 0.999]}
LONGEST = 3000  # words: no review of IMDB is longer


@dataclass(frozen=True)
class Case:
    """A network with the tutorials' settings, and the run of an example that is our best for it."""

    task: str
    dataset: dict[str, Any]
    batch_size: int
    optimizer: dict[str, Any]
    loss: dict[str, Any]
    recipe: str

    def content(self, model: str, precision: str, threads: int) -> dict[str, Any]:
        """A ``params.yaml`` of one run with the tutorials' settings."""
        train = {
            "epochs": 10**6,
            "batch_size": self.batch_size,
            "optimizer": self.optimizer,
            "loss": self.loss,
            "precision": precision,
        }
        run = {"task": self.task, "dataset": self.dataset["kind"], "model": {"name": model}, "train": train}
        return {"seed": 0, "num_threads": threads, "runs": {model: run}}


IMAGES = {"kind": "fashion_mnist"}
TEXTS = {
    "kind": "imdb",
    "text": {"unit": "word", "max_length": LONGEST, "vocabulary_size": 30000, "min_count": 2, "html_breaks": True},
}
CROSS_ENTROPY = {"name": "cross_entropy"}
CASES = {
    "lenet": Case("classification", IMAGES, 64, SGD, CROSS_ENTROPY, "fashion_mnist_fast.yaml"),
    "cnn": Case("classification", IMAGES, 100, ADAM, CROSS_ENTROPY, "fashion_mnist_fast.yaml"),
    "lstm": Case("classification", IMAGES, 100, ADAM, CROSS_ENTROPY, "mnist.yaml"),
    "vae": Case("vae", IMAGES, 128, ADAM, {"name": "elbo"}, "mnist_generators.yaml"),
    "dcgan": Case("gan", IMAGES, 128, GAN_ADAM, {"name": "non_saturating"}, "mnist_generators.yaml"),
    "text_lstm": Case("classification", TEXTS, 64, ADAM, CROSS_ENTROPY, "imdb.yaml"),
}


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """What argparse checks each of several models by."""

    def model(text: str) -> str:
        if text not in names:
            raise ValueError(text)
        return text

    return model


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Begin processes with these variables; the allocator of memory reads its own when a process begins."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Contestant(AbstractContextManager["Contestant"]):
    """A process that trains ``model`` in one way, stopped until :meth:`train` tells it how far to go."""

    def __init__(
        self, way: str, model: str, precision: str, threads: int, folder: Path, variables: dict[str, str]
    ) -> None:
        self.connection, other = get_context("spawn").Pipe()
        arguments = (other, way, model, precision, threads, folder)
        self.process = get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
        with environment({} if way == "tutorial" else variables):
            self.process.start()
        other.close()
        self.num_batches = 3
        self.train()  # what is done once

    def calibrate(self, seconds: float) -> None:
        """Choose ``num_batches`` so that they take about ``seconds``."""
        self.num_batches = 10
        self.num_batches = max(3, round(seconds * self.num_batches / self.train()[1]))

    def train(self) -> tuple[int, float]:
        """Go on by ``num_batches``; returns the examples seen and the seconds taken."""
        self.connection.send(self.num_batches)
        num_examples, seconds = self.connection.recv()
        return num_examples, seconds

    def __exit__(self, *error: object) -> None:
        self.connection.close()
        self.process.join(10)


def lay_out(models: list[str], folder: Path) -> str:
    """Prepare below ``folder`` what the ways to train ``models`` read.

    Where neither a mirror nor the network has Fashion-MNIST, digits take its place; returns a note that says so. Texts
    have no substitute.
    """
    os.environ["PIPELINE_DEVICE"] = "cpu"  # where the tutorials' loops are
    set_up(folder)
    if TEXTS in (datasets := [CASES[model].dataset for model in models]):
        prepare_data(TEXTS, folder, "imdb")
    if IMAGES not in datasets:
        return ""
    try:
        prepare_data(IMAGES, folder, "fashion_mnist")
    except (OSError, ValueError) as error:
        prepare_data({"kind": "digits"}, folder, "fashion_mnist", num_train=54_000)
        return f"digits, enlarged and repeated, are in the place of Fashion-MNIST ({error})"
    return ""


def set_up(folder: Path) -> None:
    """Let the pipeline's functions work below ``folder``."""
    (folder / "versions.txt").symlink_to(ROOT / "versions.txt")


def prepare_data(dataset: dict[str, Any], folder: Path, key: str, seed: int = 0, num_train: int | None = None) -> None:
    """Do what the stages download and preprocess do for ``datasets.<key>``, below ``folder``.

    Its training examples are repeated until there are ``num_train``, if that is given.
    """
    kind = dataset["kind"]
    module = rooms.load("datasets", kind, "")
    raw, made = folder / "data/raw" / key, folder / "data/processed" / key
    raw.mkdir(parents=True, exist_ok=True)
    options = module.Options(**{**dataset, "path": "."})
    module.download(ROOT / "data" / f"{kind}.md5", raw)
    splits, meta = split(key, module.load(raw, options), module.spec(options), options.val_fraction, seed)
    if num_train is not None:
        splits["train"] = splits["train"].take(np.arange(num_train) % len(splits["train"]))
    made.mkdir(parents=True)
    storage.write(made, splits, meta)


def recipe(model: str) -> dict[str, Any]:
    """The run of an example that trains ``model``, with the data set of its case."""
    run: dict[str, Any] = YAML(typ="safe").load(ROOT / "examples" / CASES[model].recipe)["runs"][model]
    train = {**run["train"], "epochs": 10**6, "sample_epochs": []}
    return {**run, "dataset": CASES[model].dataset["kind"], "train": train}


def _serve(connection: Connection, way: str, model: str, precision: str, threads: int, folder: Path) -> None:
    case = CASES[model]
    os.chdir(folder)
    with ExitStack() as stack:
        if way == "tutorial":
            torch.set_num_threads(threads)
            train = _tutorial(model, case)
        else:
            content = case.content(model, precision, threads)
            if way == "recipe":
                content["runs"][model] = recipe(model)
            job = prepare(model, content)
            train = _bare(job) if way == "bare" else _ours(job, model, stack)
        while True:
            try:
                number = connection.recv()
            except EOFError:
                return
            connection.send(train(number))


#: Trains by so many batches; returns the examples seen and the seconds taken.
Train = Callable[[int], tuple[int, float]]


class Part(Inputs):
    """As many batches of a split as a round takes, others each time; of texts, some of every length."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs, self.number, self.num_examples = inputs, 0, 0

    def __len__(self) -> int:
        return len(self.inputs)

    def num_batches(self, batch_size: int) -> int:
        return self.number

    def batches(self, batch_size: int, generator: torch.Generator | None = None, skipped: int = 0) -> Iterator[Batch]:
        if isinstance(self.inputs, Texts):
            batches = sorted(self.inputs.batches(batch_size, generator), key=lambda batch: batch.width)
            every = len(batches) / self.number
            order = torch.randperm(self.number, generator=generator).tolist()
            chosen: Iterator[Batch] = (batches[int((place + 0.5) * every)] for place in order)
        else:
            chosen = islice(self._endless(batch_size, generator), self.number)
        self.num_examples = 0
        for batch in chosen:
            self.num_examples += len(batch.index)
            yield batch

    def _endless(self, batch_size: int, generator: torch.Generator | None) -> Iterator[Batch]:
        while True:
            yield from self.inputs.batches(batch_size, generator)

    def take(self, batch: Batch) -> Tensor:
        return self.inputs.take(batch)

    def take_each(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        return self.inputs.take_each(batches)


def _tutorial(model: str, case: Case) -> Train:
    if model in tutorial.NETWORKS:
        network: Any = tutorial.NETWORKS[model]()
    else:
        # As a user has it: no layer quickened, no memory format.
        torch.manual_seed(0)
        meta = storage.read_meta(Path("data/processed") / case.dataset["kind"])
        network, _ = building.build({"name": model}, meta.spec, model)
    tensors = storage.read(Path("data/processed") / case.dataset["kind"], "train")
    if case.dataset == TEXTS:
        rows = list(torch.split(tensors["tokens"].long(), tensors["offsets"].diff().tolist()))
        batches = tutorial.texts(rows, tensors["targets"], case.batch_size)
    else:
        extra = {"gan": [tutorial.CENTER], "vae": []}.get(case.task, [tutorial.NORMALIZE])
        batches = tutorial.images(tensors["inputs"][:, 0], tensors["targets"], case.batch_size, *extra)
    if case.task == "gan":
        both = [
            tutorial.optimizer(part.parameters(), case.optimizer) for part in (network.discriminator, network.generator)
        ]
        run = tutorial.gan(network, both, batches, network.latent_size)
    else:
        way = tutorial.vae if case.task == "vae" else tutorial.classifier
        run = way(network, tutorial.optimizer(network.parameters(), case.optimizer), batches)

    def train(number: int) -> tuple[int, float]:
        begun = time.perf_counter()
        run(number)
        return number * case.batch_size, time.perf_counter() - begun

    return train


def _ours(job: Job, model: str, stack: ExitStack) -> Train:
    """The loop of the stage `train` with all that watches it; a round is an epoch without validation."""
    inputs, targets = Part(job.train[0]), job.train[1]
    state = loop.State()
    checkpoints = Checkpoints(model, job.record["input_key"], job.task, state)
    log = stack.enter_context(journal.stage("train", job.record))
    stop = stack.enter_context(Stop())
    steps_per_epoch = inputs.inputs.num_batches(job.options.batch_size)
    progress = stack.enter_context(Progress(model, 10**6, len(targets), steps_per_epoch, 0, [], "train_loss", min))
    watch = Watch(model, progress, Machine(job.device), log, checkpoints, stop)
    paused_at = time.monotonic()

    def train(number: int) -> tuple[int, float]:
        nonlocal paused_at
        inputs.number, state.step = number, len(state.history) * number  # as after as many epochs of this length
        checkpoints.saved_at += time.monotonic() - paused_at  # one is due after so long a training, not a pause
        begun = progress.started = time.perf_counter()
        losses = loop._train_epoch(job.task, (inputs, targets), job.options, job.seed, state, watch)
        state.history.append({"epoch": len(state.history) + 1, **losses})
        with redirect_stderr(StringIO()):  # the line of an epoch is made and not shown
            watch.on_epoch(state.history[-1])
        progress.unsaid = ""
        seconds, paused_at = time.perf_counter() - begun, time.monotonic()
        return inputs.num_examples, seconds

    return train


def _bare(job: Job) -> Train:
    """The steps alone, on one batch over and over; of texts, on batches of as many lengths as in the other ways."""
    inputs, targets = Part(job.train[0]), job.train[1]
    generator = torch.Generator().manual_seed(0)

    def train(number: int) -> tuple[int, float]:
        inputs.number = number if isinstance(inputs.inputs, Texts) else 1
        batches = inputs.batches(job.options.batch_size, generator)
        ready = [whole(inputs.take(batch), targets[batch.index]) for batch in batches]
        job.task.model.train()
        begun = time.perf_counter()
        for step in range(number):
            job.task.update([ready[step % len(ready)]], step)
        seconds = time.perf_counter() - begun
        return sum(ready[step % len(ready)].total for step in range(number)), seconds

    return train
