"""What each form of a trained model costs: its size, how long an answer takes, how many it gives in a second.

    make repro extras && python benchmarks/deployment.py [lenet cnn ...] [--rounds 15] [--seconds 0.5]

Every form answers the same test examples, 1 and 256 at a time, in one process with one thread:

- `eager`: the network in Python, and before it what makes its input of raw examples;
- `scripted`: the same through `torch.jit.script`, and `model.ts` as it is exported, which is frozen, too;
- `model.pt2`: the exported program, called from Python;
- `model.aoti.pt2` and, in ONNX Runtime, `model.onnx`: as `make aotinductor` and `make onnx` write them.

Of texts, TorchScript reads the texts themselves, and the others the token ids that its `encode` gives. The forms take
turns, and ratios are taken within a round, where all meet the same noise of the machine.
"""

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import speed
import torch
from torch import Tensor

from pipeline.core import storage
from pipeline.core.files import write_json, write_text
from pipeline.deploying import aotinductor, exported, form, onnx
from pipeline.exporting import torchscript
from pipeline.trained import read_record

BATCH_SIZES = (1, 256)
#: Different batches that a form is given in turn.
NUM_BATCHES = 16


@dataclass(frozen=True)
class Batch:
    """Examples as programs read them: the arguments of ``model.ts``, and those of the others."""

    raw: tuple[Any, ...]
    prepared: tuple[Tensor, ...]


@dataclass(frozen=True)
class Entry:
    """A form of a model: what answers, the file it comes from, and whether it reads raw texts."""

    answer: Callable[..., Tensor]
    file: Path | None
    reads_raw: bool = False

    def ask(self, batch: Batch) -> Tensor:
        return self.answer(*(batch.raw if self.reads_raw else batch.prepared))

    def time(self, batches: list[Batch], seconds: float) -> list[float]:
        """The seconds of each call, for so many seconds."""
        taken: list[float] = []
        end = time.perf_counter() + seconds
        for batch in cycle(batches):
            begun = time.perf_counter()
            if taken and begun > end:
                break
            self.ask(batch)
            taken.append(time.perf_counter() - begun)
        return taken


def forms(run: str, folder: Path) -> dict[str, Entry]:
    """Every form of ``run``; those that no stage makes are made in ``folder``."""
    source = exported.read(run)
    programs = exported.programs(source.folder)
    for program in (programs.ts, programs.pt2):
        program.eval().requires_grad_(False)
    found = {"eager": Entry(programs.pt2, source.folder / "model.safetensors")}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
        found["scripted"] = Entry(torch.jit.script(programs.ts), None, reads_raw=True)
    found["model.ts"] = Entry(torchscript.load(file := source.folder / "model.ts"), file, reads_raw=True)
    found["model.pt2"] = Entry(source.program.module(), source.folder / "model.pt2")
    for other in (aotinductor.FORM, onnx.FORM):
        form.write(other, source, file := folder / other.file)
        found[other.file] = Entry(other.load(file), file)
    return found


def draw(run: str, batch_size: int) -> list[Batch]:
    """Batches of test examples, drawn with seed 0."""
    folder = Path("outputs") / run
    inputs = storage.examples(storage.read(Path("data/processed") / read_record(folder)["dataset"], "test")).inputs
    program: Any = torchscript.load(folder / "model.ts")
    generator = np.random.default_rng(0)
    batches = []
    for _ in range(NUM_BATCHES):
        chosen = inputs[generator.integers(len(inputs), size=batch_size)]
        if chosen.dtype == object:
            texts = chosen.tolist()
            batches.append(Batch((texts,), program.encode(texts)))
        else:
            batches.append(Batch((torch.from_numpy(chosen),), (torch.from_numpy(chosen),)))
    return batches


def measure(run: str, options: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """Let the forms of ``run`` take turns; form -> its size and, for each batch size, what was found."""
    entered = forms(run, folder)
    found: dict[str, dict[str, Any]] = {
        name: {"bytes": entry.file.stat().st_size if entry.file else None} for name, entry in entered.items()
    }
    for batch_size in BATCH_SIZES:
        batches = draw(run, batch_size)
        for batch in batches:
            expected = entered["eager"].ask(batch)
            for entry in entered.values():  # it is also what is done once: TorchScript compiles when it is called
                torch.testing.assert_close(entry.ask(batch), expected, rtol=1e-5, atol=1e-5)
        rounds = range(options.rounds)
        turns = [{name: entry.time(batches, options.seconds) for name, entry in entered.items()} for _ in rounds]
        for name in entered:
            found[name][str(batch_size)] = summarise([turn[name] for turn in turns], [turn["eager"] for turn in turns])
    return found


def summarise(taken: list[list[float]], eager: list[list[float]]) -> dict[str, Any]:
    """Percentiles of all calls in seconds, and quartiles over the rounds of how many times as fast as eager it was."""
    calls = [seconds for turn in taken for seconds in turn]
    ratios = [statistics.median(b) / statistics.median(a) for a, b in zip(taken, eager, strict=True)]
    p50, p99 = np.percentile(calls, [50, 99]).tolist()
    quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {"calls": len(calls), "p50": p50, "p99": p99, "mean": statistics.mean(calls), "to_eager": quartiles}


HEAD = (
    (
        "| run | form | kB | 1 example: p50, p99 in ms | times as fast as eager | 256 examples: p50, p99 in ms "
        "| times as fast | examples/s |"
    ),
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def as_rows(run: str, found: dict[str, dict[str, Any]]) -> list[str]:
    """Lines of a Markdown table below :data:`HEAD`; in brackets the quartiles."""
    rows = []
    for name, result in found.items():
        one, many = (result[str(batch_size)] for batch_size in BATCH_SIZES)
        size = "" if result["bytes"] is None else f"{result['bytes'] / 1000:,.0f}"
        cells = [run, name, size]
        for values, digits in ((one, 2), (many, 1)):
            low, middle, high = values["to_eager"]
            cells.append(f"{values['p50'] * 1e3:.{digits}f}, {values['p99'] * 1e3:.{digits}f}")
            cells.append("" if name == "eager" else f"{middle:.1f} ({low:.1f} to {high:.1f})")
        cells.append(f"{BATCH_SIZES[1] / many['mean']:,.0f}")
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main(options: argparse.Namespace) -> None:
    """Measure, print a line a form, and write the results."""
    rounds = f"{options.rounds} rounds of {options.seconds:g} s"
    title = f"threads: 1, {rounds}; {speed.machine()}, ONNX Runtime {version('onnxruntime')}"
    found: dict[str, dict[str, dict[str, Any]]] = {}
    print(*HEAD, sep="\n")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for run in options.runs:
            (made := Path(folder) / run).mkdir()
            found[run] = measure(run, options, made)
            print(*as_rows(run, found[run]), sep="\n", flush=True)
    rows = [row for run in found for row in as_rows(run, found[run])]
    file = speed.RESULTS / "deployment_1.json"
    write_json(file, {"title": title, "runs": found})
    write_text(file.with_suffix(".md"), "\n".join([title, "", *HEAD, *rows, ""]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", default=["lenet", "cnn", "lstm", "surnames"], metavar="run")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each form in each round")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        aotinductor.check()
        onnx.check()
        main(options)
    except ValueError as error:
        sys.exit(f"error: {error}")
