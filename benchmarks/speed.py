"""`make bench`: how fast training is beside the tutorials' loops, and beside the same steps on a batch already there.

    python benchmarks/speed.py [lenet cnn ...] [--rounds 15] [--restart 3] [--seconds 3] [--precision bf16]
        [--threads 2]

For each model four ways to train take turns, each in a process of its own that stands still while it isn't its turn,
and begins anew after some rounds: where its memory comes to lie makes a network up to 5% faster or slower:

- `tutorial`: the tutorial's loop;
- `ours`: the loop of the stage `train` with the same network, batch size and optimiser, and with the checkpoints,
  progress and MLflow that belong to it;
- `bare`: the steps of ours and nothing else, on one batch over and over;
- `recipe`: ours with the parameters of our best example, other sizes of batch and network among them: a rate to know,
  and no ratio; `target.py` compares how long accuracy takes.

Ratios are taken within a round, where all meet the same noise of the machine. Data come from PIPELINE_DATA_MIRROR or
are downloaded.
"""

import argparse
import json
import platform
import shlex
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import psutil
import torch
import ways
from ruamel.yaml import YAML

from pipeline.core.files import write_json

RESULTS = ways.ROOT / "benchmarks/results"


def stage_environment() -> dict[str, str]:
    """The variables that `dvc.yaml` sets for a stage: how memory is allocated, and where the code is (a full path)."""
    command = YAML(typ="safe").load(ways.ROOT / "dvc.yaml")["vars"][0]["python"]
    variables = dict(word.split("=", 1) for word in shlex.split(command) if "=" in word)
    return variables | {"PYTHONPATH": str(ways.ROOT / variables["PYTHONPATH"])}


def measure(model: str, options: argparse.Namespace, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Let the ways to train ``model`` take turns; examples a second, and quartiles of the ratios over rounds."""
    turns: list[dict[str, tuple[int, float]]] = []
    while len(turns) < options.rounds:
        with ExitStack() as stack:
            contestants = {
                way: stack.enter_context(
                    ways.Contestant(way, model, options.precision, options.threads, folder, environment)
                )
                for way in ways.NAMES
            }
            for contestant in contestants.values():
                contestant.calibrate(options.seconds)
            contestants["bare"].num_batches = contestants["ours"].num_batches
            number = min(options.restart, options.rounds - len(turns))
            turns += [{way: contestant.train() for way, contestant in contestants.items()} for _ in range(number)]
    rates = {way: [turn[way][0] / turn[way][1] for turn in turns] for way in ways.NAMES}

    def quartiles(one: str, other: str) -> list[float]:
        ratios = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
        return statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3

    def total(way: str) -> float:
        return sum(turn[way][0] for turn in turns) / sum(turn[way][1] for turn in turns)

    return {
        "examples_per_second": {way: statistics.median(values) for way, values in rates.items()},
        "ours_to_tutorial": quartiles("ours", "tutorial"),
        "ours_to_bare": quartiles("ours", "bare"),
        "ours_to_bare_in_all": total("ours") / total("bare"),
    }


def as_table(found: dict[str, dict[str, Any]]) -> str:
    """A Markdown table; in brackets the quartiles."""
    rows = [
        "| model | tutorial, examples/s | ours | times | of the bare steps | with an example's parameters |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for model, result in found.items():
        rate = {way: f"{value:,.0f}" for way, value in result["examples_per_second"].items()}
        low, middle, high = result["ours_to_tutorial"]
        share = f"{result['ours_to_bare'][1]:.1%}, in all {result['ours_to_bare_in_all']:.1%}"
        rows.append(
            f"| {model} | {rate['tutorial']} | {rate['ours']} | {middle:.2f} ({low:.2f} to {high:.2f}) | {share} "
            f"| {rate['recipe']} |"
        )
    return "\n".join(rows) + "\n"


def draw(found: dict[str, dict[str, Any]], title: str, file: Path) -> None:
    """How many times as fast as the tutorial's loop ours is, as bars with the quartiles."""
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.5 * len(found)), layout="constrained")
    ratios = [result["ours_to_tutorial"] for result in found.values()]
    errors = [[middle - low for low, middle, _ in ratios], [high - middle for _, middle, high in ratios]]
    axes.barh(list(found), [middle for _, middle, _ in ratios], xerr=errors)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set(xlabel="times as fast as the tutorial's loop", title=title.replace("; ", "\n", 1))
    figure.savefig(file, dpi=100)


def machine() -> str:
    """Processor, as Linux names it, and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown processor")
    return f"{name}, {psutil.cpu_count()} cores; Python {platform.python_version()}, PyTorch {torch.__version__}"


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def main(options: argparse.Namespace) -> None:
    """Measure, print a line a model, and write the results."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:  # a publisher may still write
        folder = Path(name)
        environment = stage_environment() | {"DVC_ROOT": name, "MLFLOW_TRACKING_URI": f"sqlite:///{name}/mlflow.db"}
        try:
            note = ways.lay_out(options.models, folder)
        except (OSError, ValueError) as error:
            sys.exit(f"error: {error}")
        found: dict[str, dict[str, Any]] = {}
        for model in options.models:
            found[model] = measure(model, options, folder, environment)
            print(as_table({model: found[model]}).splitlines()[-1], flush=True)
    if options.check:
        slow = [model for model in found if found[model]["ours_to_tutorial"][1] < 1]
        sys.exit(f"error: slower than the tutorial's loop: {', '.join(slow)}" if slow else 0)
    rounds = f"{options.rounds} rounds of {options.seconds:g} s, {options.restart} with the same processes"
    settings = f"{options.precision} (the tutorial fp32), threads: {options.threads}, {rounds}"
    title = "; ".join(filter(None, [settings, machine(), note]))
    file = RESULTS / f"speed_{options.precision}_{options.threads}.json"
    if file.exists() and (before := json.loads(file.read_text(encoding="utf-8")))["title"] == title:
        found = before["models"] | found  # those of other models, measured with the same settings
    write_json(file, {"title": title, "models": found})
    file.with_suffix(".md").write_text(f"{title}\n\n{as_table(found)}", encoding="utf-8")
    draw(found, title, file.with_suffix(".png"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(ways.CASES), metavar="model", type=ways.one_of(ways.CASES))
    parser.add_argument("--rounds", type=_positive, default=15)
    parser.add_argument("--restart", type=_positive, default=3, help="rounds after which processes begin anew")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each way in each round")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if ours is slower than the tutorial's"
    )
    main(parser.parse_args())
