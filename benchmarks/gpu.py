"""Training on a GPU: the tutorial's loop, ours as it comes, with TF32, in bfloat16, compiled, and with streamed data.

    python benchmarks/gpu.py [lenet cnn ...] [--rounds 5] [--batches 200]

All take turns in one process with the tutorial's batch size and optimiser; the median number of examples a second is
printed, and the seconds that the first round took, which the compiler makes long.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import target
import torch
import tutorial
import ways
from torch import Tensor

from pipeline.core import storage
from pipeline.network.batches import Rows, Streamed
from pipeline.training import loop
from pipeline.training.run import Job, prepare

CHANGES = {
    "as it comes": {},
    "tf32": {"precision": "tf32"},
    "bf16": {"precision": "bf16"},
    "compiled": {"compile": True},
    "streamed": {},
}


def ours(job: Job, number: int) -> Callable[[], None]:
    """Trains by so many batches each time."""
    inputs, state = ways.Part(job.train[0]), loop.State()
    inputs.number = number

    def run() -> None:
        state.step = len(state.history) * number
        losses = loop._train_epoch(job.task, (inputs, job.train[1]), job.options, job.seed, state, target.Silent())
        state.history.append(losses)

    return run


def theirs(model: str, number: int) -> Callable[[], None]:
    """The tutorial's loop, each batch brought to the GPU."""
    case, tensors = ways.CASES[model], storage.read(target.DATA, "train")
    network = tutorial.NETWORKS[model]().cuda()
    batches = tutorial.images(tensors["inputs"][:, 0], tensors["targets"], case.batch_size, tutorial.NORMALIZE)

    def on_gpu() -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in batches:
            yield images.cuda(), labels.cuda()

    run = tutorial.classifier(network, tutorial.optimizer(network.parameters(), case.optimizer), on_gpu())
    return lambda: run(number)


def seconds(run: Callable[[], None]) -> float:
    """How long the GPU needs for it."""
    torch.cuda.synchronize()
    begun = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


def measure(model: str, num_rounds: int, number: int) -> str:
    """Examples a second of each way, and the seconds of its first round."""
    ways_to_train: dict[str, Callable[[], None]] = {}
    if model in tutorial.NETWORKS:
        ways_to_train["tutorial"] = theirs(model, number)
    for name, change in CHANGES.items():
        content = ways.CASES[model].content(model, "fp32", 1)
        content["runs"][model]["train"] |= change
        job = prepare(model, content)
        if name == "streamed":
            assert isinstance(job.train[0], Rows)
            job.train = (Streamed(job.train[0].values.cpu(), job.device), job.train[1])
        ways_to_train[name] = ours(job, number)
    first = {name: seconds(run) for name, run in ways_to_train.items()}
    turns = [{name: seconds(run) for name, run in ways_to_train.items()} for _ in range(num_rounds)]
    num_examples = number * ways.CASES[model].batch_size
    return ", ".join(
        f"{name} {num_examples / statistics.median(turn[name] for turn in turns):,.0f} ({first[name]:.1f} s)"
        for name in ways_to_train
    )


def main(models: list[str], num_rounds: int, number: int) -> None:
    """Print a line a model."""
    with tempfile.TemporaryDirectory() as name:
        note = ways.lay_out(models, Path.cwd(), Path(name))
        print(torch.cuda.get_device_name(), torch.__version__, note)
        os.chdir(name)
        os.environ["PIPELINE_DEVICE"] = "cuda"
        for model in models:
            print(f"{model}: {measure(model, num_rounds, number)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [name for name in ways.CASES if name != "text_lstm"]
    parser.add_argument("models", nargs="*", default=names, choices=[*names, []], metavar="model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=200)
    options = parser.parse_args()
    main(options.models, options.rounds, options.batches)
