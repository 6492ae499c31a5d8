"""A stage without a network: tells the journal what its one argument, a JSON object, says; prints what it saw."""

import io
import json
import resource
import sys
import time
from pathlib import Path

from pipeline.tracking import journal

TEST = "data/processed/digits/test.safetensors"


def picture(grey: int) -> bytes:
    """A PNG."""
    from PIL import Image

    content = io.BytesIO()
    Image.new("L", (8, 8), grey).save(content, format="PNG")
    return content.getvalue()


def main(wish: dict) -> None:
    record = {
        "run": "lenet",
        "task": "classification",
        "dataset": "digits",
        "input_key": wish["key"],
        "model_md5": None if wish["stage"] == "train" else "f" * 32,
        "params": {"seed": 42, "model.name": "lenet", "train.optimizer.lr": 0.05, "train.patience": None},
        "data": {f"data/processed/digits/{name}": letter * 32 for name, letter in wish["data"].items()},
        "versions": ["torch==2.14.1"],
        "counts": {"train": 1000, "val": 100, "test": 50},
        "num_parameters": 61706,
    }
    folder = Path("outputs/lenet")
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    if "file_size" in wish:  # a full disk, as far as this process can tell
        resource.setrlimit(resource.RLIMIT_FSIZE, (wish["file_size"], wish["file_size"]))
    started = time.perf_counter()
    with journal.stage(wish["stage"], record) as log:
        entered = time.perf_counter() - started
        log.tags({"device": "cpu"})
        slowest = 0.0
        for epoch in range(wish.get("first", 1), wish.get("epochs", 0) + 1):
            before = time.perf_counter()
            log.epoch(epoch, {"train_loss": 1 / epoch, "val_loss": 2 / epoch, "val_accuracy": 1 - 1 / epoch})
            log.system({"examples_per_second": 1000.0}, epoch)
            slowest = max(slowest, time.perf_counter() - before)
            if epoch in wish.get("samples", []):
                log.sample(f"epoch_{epoch:04d}.png", picture(epoch))
            time.sleep(wish.get("pause", 0))
            while epoch in wish.get("gates", []) and not Path(f"gate-{epoch}").exists():
                time.sleep(0.05)
        if wish.get("end") == "hang":
            time.sleep(60)
        if wish.get("end") == "raise":
            raise ValueError("no answer from http://me:secret@example.org/data")
        record["model_md5"] = "f" * 32
        if wish["stage"] == "train":
            (folder / "model.safetensors").write_text("weights")
            samples = folder / "samples"
            samples.mkdir(exist_ok=True)
            for epoch in wish.get("samples", []):
                (samples / f"epoch_{epoch:04d}.png").write_bytes(picture(epoch))
            log.artifacts([folder / "model.safetensors", samples])
        if wish["stage"] == "evaluate":
            (folder / "plots" / "roc.csv").write_text("x,y\n")
            evaluation = {"model_md5": "f" * 32, "options": {"batch_size": 1000}, "data": {TEST: "3" * 32}}
            log.evaluation(wish["metrics"], evaluation)
            log.artifacts([folder / "plots"])
        if wish["stage"] == "compare":
            comparison = {"model_md5": "f" * 32, "options": {"classifier": "lenet"}, "data": {TEST: "3" * 32}}
            log.comparison(wish["metrics"], comparison)
        if wish["stage"] == "export":
            log.export({"model_md5": "f" * 32, "options": {"batch_size": 500}, "ts": {"largest_difference": 1e-7}})
        started = time.perf_counter()
    seconds = time.perf_counter() - started
    seen = {"entered": entered, "slowest": slowest, "seconds": seconds, "mlflow": "mlflow" in sys.modules}
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
