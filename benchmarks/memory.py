"""How much memory the stages take, and how fast they are, when the data set grows.

    PIPELINE_DATA_MIRROR=... python benchmarks/memory.py [--times 1 10 100] [--model lenet] [--rounds 3] [--folder .]

MNIST's training images, so many times over, each copy with its number in two pixels that are 0 in all of them, so that
no image is there twice. The stages `preprocess` and then, the sizes in turns, `train` (two epochs) run on them as `dvc
repro` runs them. Of each: the largest resident memory that is the process's own (RssAnon, every 20 ms), which the
system can't give to others as it can the page cache; and how many examples it takes in a second, of `train` in the
second epoch. 100 times need 16 GB of disk. With PIPELINE_LAUNCH="--nproc-per-node 2" two processes train together; the
memory is that of the larger one.
"""

import argparse
import gzip
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import speed
import ways

from pipeline.core.files import write_json
from pipeline.datasets import mnist
from pipeline.preprocessing import idx

#: In what a training prints where there is no terminal: the examples a second of an epoch, validation included.
RATE = re.compile(r"([\d,]+) examples/s\)")
PARAMS = """\
seed: 1
num_threads: 1
datasets:
  mnist: {kind: mnist, path: data/mnist.md5}
comparisons: {}
runs:
  MODEL:
    task: classification
    dataset: mnist
    model: {name: MODEL}
    train: {epochs: 2, batch_size: 64, optimizer: {name: sgd, lr: 0.01}, loss: {name: cross_entropy}}
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
"""


def lay_out(times: int, model: str, mirror: Path, folder: Path) -> int:
    """Write ``data/raw/mnist`` with so many copies of the training images; returns the number of all images."""
    for name in ("stages", "src", "versions.txt"):
        (folder / name).symlink_to(ways.ROOT / name)
    (folder / "params.yaml").write_text(PARAMS.replace("MODEL", model), encoding="utf-8")
    raw = folder / "data/raw/mnist"
    raw.mkdir(parents=True)
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        shutil.copy(mirror / name, raw)
    train = idx.load(mirror, 28, mnist.CLASSES).train
    num, images = len(train), train.inputs[:, 0].copy()
    assert not images[:, 0, :2].any()
    with (
        gzip.open(raw / "train-images-idx3-ubyte.gz", "wb", compresslevel=1) as image_file,
        gzip.open(raw / "train-labels-idx1-ubyte.gz", "wb", compresslevel=1) as label_file,
    ):
        image_file.write(struct.pack(">4I", idx.MAGIC + 3, num * times, 28, 28))
        label_file.write(struct.pack(">2I", idx.MAGIC + 1, num * times))
        for number in range(times):
            images[:, 0, 0], images[:, 0, 1] = divmod(number, 256)
            image_file.write(images.tobytes())
            label_file.write(train.targets.astype(np.uint8).tobytes())
    return num * times + 10_000


def measure(stage: str, name: str, folder: Path) -> tuple[float, float, str]:
    """Run a stage; the most MiB of its own memory that a process of it had, its seconds, and what it said."""
    command = [sys.executable, f"stages/{stage}.py", name]
    environment = {**os.environ, **speed.stage_environment(), "PIPELINE_TRACKING": "off", "PIPELINE_DEVICE": "cpu"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8"
    )
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.extend(process.stderr or ()))
    reader.start()
    most = 0
    while process.poll() is None:
        with suppress(OSError, psutil.NoSuchProcess):  # it has ended
            for pid in [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]:
                status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
                if found := re.search(r"RssAnon:\s*(\d+) kB", status):
                    most = max(most, int(found[1]))
        time.sleep(0.02)
    reader.join()
    if process.returncode:
        raise RuntimeError(f"{stage}: {''.join(told)}")
    return most / 1024, time.perf_counter() - begun, "".join(told)


def main(all_times: list[int], model: str, rounds: int, place: Path) -> None:
    """Print and write a row for each size of the data."""
    mirror = Path(os.environ["PIPELINE_DATA_MIRROR"]) / "MNIST/raw"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=place, prefix="memory-") as name:
        folders = [Path(name) / str(times) for times in all_times]
        for times, folder in zip(all_times, folders, strict=True):
            folder.mkdir()
            num_images = lay_out(times, model, mirror, folder)
            most, seconds, _ = measure("preprocess", "mnist", folder)
            shutil.rmtree(folder / "data/raw")
            row: dict[str, Any] = {
                "images": num_images,
                "preprocess_mib": round(most, 1),
                "preprocess_images_per_second": round(num_images / seconds),
                "train_mib": [],
                "train_images_per_second": [],
            }
            rows.append(row)
        for _ in range(rounds):
            for row, folder in zip(rows, folders, strict=True):
                most, _, told = measure("train", model, folder)
                shutil.rmtree(folder / ".pipeline")  # else its checkpoint ends the next training at once
                rate = int(RATE.findall(told)[1].replace(",", ""))
                row["train_mib"].append(round(most, 1))
                row["train_images_per_second"].append(rate)
                print(row, flush=True)
    write_json(speed.RESULTS / f"memory_{model}.json", {"machine": speed.machine(), "rows": rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on a disk, since /tmp may be memory")
    parser.add_argument("--model", default="lenet", choices=["lenet", "linear"])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    main(options.times, options.model, options.rounds, options.folder)
