"""Train one entry of ``runs``: from prepared data to weights, history and record."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from pipeline import records
from pipeline.core import params, rooms, storage
from pipeline.core.files import md5, replacing, write_json
from pipeline.core.schema import parse
from pipeline.core.stage import say
from pipeline.network import batches, building, devices, processes
from pipeline.seeding import derive
from pipeline.tracking import journal
from pipeline.training import loop, pictures
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.onednn.quickening import quicken
from pipeline.training.options import TrainOptions
from pipeline.training.stopping import Stop
from pipeline.training.task import LearningTask, Row
from pipeline.watching import drift
from pipeline.watching.machine import Machine
from pipeline.watching.progress import Progress


@dataclass
class Job:
    """One training, ready to begin: the data and the network are on the device, the parameters are valid.

    Attributes:
        options: how to train.
        seed: of everything random.
        device: where the tensors are.
        task: the network and how it learns.
        train, val: inputs and targets.
        better: ``min`` or ``max``, for the monitored metric.
        record: the contents of ``record.json``, as far as they are known before the training.
    """

    options: TrainOptions
    seed: int
    device: torch.device
    task: LearningTask
    train: loop.Split
    val: loop.Split
    better: Callable[[float, float], float]
    record: dict[str, Any]


def train(run: str, content: dict[str, Any], folder: Path) -> None:
    """Train ``runs.<run>`` of the parsed ``params.yaml`` and write the results.

    ``folder`` gets ``model.safetensors``, ``history.csv`` (one row an epoch), ``samples/`` (what a network that makes
    images made after chosen epochs) and ``record.json`` (see :func:`pipeline.records.record`).

    torchrun may have started several processes for it: then the first does all of this, and the others only train.

    Raises:
        ValueError: prepared data are missing or damaged, or the loss stops being finite.
    """
    with processes.joined():
        _train(run, content, folder)


def _train(run: str, content: dict[str, Any], folder: Path) -> None:
    job = prepare(run, content)
    options, num_examples = job.options, len(job.train[1])
    steps_per_epoch = job.train[0].num_batches(options.batch_size)
    state = loop.State()
    checkpoints = Checkpoints(run, job.record["input_key"], job.task, state)
    first_step = checkpoints.restore(job.device)
    if processes.rank() > 0:
        with Stop():  # the first decides at which step, and the next exchange fails without it
            loop.fit(job.task, job.train, job.val, options, job.seed, job.better, state, Unwatched())
        return
    if first_step:
        say(f"{run}: going on from the checkpoint at step {first_step} of {options.epochs * steps_per_epoch}")
    with journal.stage("train", job.record) as log:
        log.tags({"device": job.device.type, "trained_on": ", then ".join(checkpoints.places)})
        sizes = options.epochs, num_examples, steps_per_epoch
        progress = Progress(run, *sizes, first_step, state.history, options.monitor, job.better)
        with Stop() as stop, progress:
            watch = Watch(run, progress, Machine(job.device), log, checkpoints, stop)
            loop.fit(job.task, job.train, job.val, options, job.seed, job.better, state, watch)
            checkpoints.save()
        drift.check()  # before anything is recorded as finished
        kept_epoch = state.best_epoch if options.keep == "best" else len(state.history)
        _write(folder, job.task.model, state, job.record | {"kept_epoch": kept_epoch})
        log.artifacts([folder / name for name in ("model.safetensors", "history.csv", "record.json", "samples")])
    checkpoints.finish(folder / "record.json")


def prepare(run: str, content: dict[str, Any]) -> Job:
    """Read the prepared data and build the network of ``runs.<run>``, with the first weights that its seed gives.

    Raises:
        ValueError: parameters are wrong, or prepared data are missing or damaged.
    """
    path = f"runs.{run}"
    seed, num_threads = params.at(content, "seed"), params.at(content, "num_threads")
    task_name, dataset = params.at(content, f"{path}.task"), params.at(content, f"{path}.dataset")
    options = parse(TrainOptions, params.at(content, f"{path}.train"), f"{path}.train")
    device = devices.prepare(num_threads)
    data = Path("data/processed") / dataset
    meta = storage.read_meta(data)

    module = rooms.load("tasks", task_name, f"{path}.task")
    torch.manual_seed(derive(seed, "initial weights"))
    network, model = building.build(params.at(content, f"{path}.model"), meta.spec, f"{path}.model")
    network.to(device).to(memory_format=torch.channels_last)  # which convolutions prefer
    if device.type == "cpu" and not options.compile:
        quicken(network)
    train, val = (_on(device, storage.read(data, split)) for split in ("train", "val"))
    num_steps = options.epochs * train[0].num_batches(options.batch_size)
    task = module.Task(network, meta, options, num_steps)
    if options.compile:
        task.compile("reduce-overhead" if device.type == "cuda" else "default")
    record = records.record(
        run,
        task_name,
        dataset,
        {"seed": seed, "num_threads": num_threads, "model": model, "train": options.model_dump()},
        [data / name for name in ("meta.json", "train.safetensors", "val.safetensors")],
        counts={split: meta.num_examples(split) for split in storage.SPLITS},
        num_parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
    return Job(options, seed, device, task, train, val, module.METRICS[options.monitor], record)


def _on(device: torch.device, tensors: dict[str, torch.Tensor]) -> loop.Split:
    return batches.of(tensors, device), tensors["targets"].to(device)


class Unwatched:
    """An observer of what needs none; see :class:`pipeline.training.loop.Observer`."""

    def on_step(self, step: int, losses: dict[str, torch.Tensor]) -> None: ...
    def on_epoch(self, row: Row) -> None: ...


class Watch:
    """Tells the terminal and MLflow of every epoch, and lets a checkpoint be written when it is time or the last.

    See :class:`pipeline.training.loop.Observer`.
    """

    def __init__(
        self, run: str, progress: Progress, machine: Machine, log: journal.Stage, checkpoints: Checkpoints, stop: Stop
    ) -> None:
        self.run, self.progress, self.machine, self.log = run, progress, machine, log
        self.checkpoints, self.stop = checkpoints, stop

    def on_step(self, step: int, losses: dict[str, torch.Tensor]) -> None:
        self.progress.on_step(step, losses)
        if self.stop.requested is None:
            self.checkpoints.on_step()
        else:
            if self.checkpoints.save():
                say(f"{self.run}: the checkpoint of step {step} is kept, and `dvc repro` goes on from it")
            self.stop.obey()

    def on_epoch(self, row: Row) -> None:
        self.progress.on_epoch(row)
        epoch = int(row["epoch"])
        self.log.epoch(epoch, {name: value for name, value in row.items() if name != "epoch"})
        self.log.system(self.progress.timing | self.machine.sample(), epoch)
        if (images := self.checkpoints.state.samples.get(epoch)) is not None:
            self.log.sample(pictures.name(epoch), pictures.draw(images))


def _write(folder: Path, network: nn.Module, state: loop.State, record: dict[str, Any]) -> None:
    with replacing(folder / "model.safetensors") as file:
        try:
            save_file({name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}, file)
        except SafetensorError as error:  # which hides the system's error
            raise OSError(f"{folder / 'model.safetensors'} can't be written: {error}") from None
    record["model_md5"] = md5(folder / "model.safetensors")
    with replacing(folder / "history.csv") as file, file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, state.history[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(state.history)
    with replacing(folder / "samples") as samples:
        samples.mkdir()
        for epoch, images in state.samples.items():
            (samples / pictures.name(epoch)).write_bytes(pictures.draw(images))
    write_json(folder / "record.json", record)
