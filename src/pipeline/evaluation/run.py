"""Evaluate one entry of ``runs`` on the test set that nothing before has looked at."""

from pathlib import Path
from typing import Any

import torch

from pipeline.core import params, rooms, storage
from pipeline.core.files import md5, replacing, write_json
from pipeline.core.schema import parse
from pipeline.evaluation.subject import Subject
from pipeline.network import batches, building, devices
from pipeline.tracking import journal
from pipeline.trained import read_record

#: What ``dvc.yaml`` plots, by how it plots it; a task leaves empty what it has no use for.
FOLDERS = ("curves", "confusion", "pictures")


def evaluate(run: str, content: dict[str, Any], folder: Path) -> None:
    """Evaluate the weights in ``folder`` and write ``metrics.json`` and the folders of :data:`FOLDERS` beside them.

    ``evaluation.json`` gets what was evaluated and how: ``model_md5``, ``options`` and ``data``, file -> md5.

    Raises:
        ValueError: the weights or the prepared data are missing or damaged.
    """
    path = f"runs.{run}"
    task, dataset = params.at(content, f"{path}.task"), params.at(content, f"{path}.dataset")
    metrics = rooms.load("metrics", task, f"{path}.task")
    options = parse(metrics.Options, params.at(content, f"{path}.evaluate"), f"{path}.evaluate")
    record = read_record(folder)
    with journal.stage("evaluate", record) as log:
        device = devices.prepare(params.at(content, "num_threads"))
        data = Path("data/processed") / dataset
        meta = storage.read_meta(data)
        network, _ = building.build(params.at(content, f"{path}.model"), meta.spec, f"{path}.model")
        building.load_weights(network, folder / "model.safetensors")
        network.to(device).to(memory_format=torch.channels_last)
        tensors = storage.read(data, "test")
        subject = Subject(network, batches.of(tensors, device), storage.examples(tensors), meta, device)
        with replacing(folder / "plots") as plots:
            for name in FOLDERS:
                (plots / name).mkdir(parents=True)
            values = metrics.evaluate(subject, options, plots)
        write_json(folder / "metrics.json", values)
        evaluation = {
            "model_md5": record["model_md5"],
            "options": options.model_dump(mode="json"),
            "data": {str(data / "test.safetensors"): md5(data / "test.safetensors")},
        }
        write_json(folder / "evaluation.json", evaluation)
        log.evaluation(values, evaluation)
        log.artifacts([folder / name for name in ("metrics.json", "evaluation.json", "plots")])
