"""Export one entry of ``runs``: two programs for deployment, each proved on the whole test set."""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from pipeline.core import params, rooms, storage
from pipeline.core.files import md5, replacing, write_json
from pipeline.core.schema import parse
from pipeline.exporting import pt2, torchscript
from pipeline.exporting.options import Options
from pipeline.exporting.programs import Programs, Tensors
from pipeline.exporting.proof import prove, prove_method
from pipeline.network import building, devices
from pipeline.tracking import journal
from pipeline.trained import read_record


def export(run: str, content: dict[str, Any], folder: Path) -> None:
    """Write the weights in ``folder`` as ``model.ts`` and ``model.pt2`` beside them, and prove both on the CPU.

    ``export.json`` gets ``model_md5``, the ``options`` and for each program, ``ts`` and ``pt2``, its md5, size and what
    :func:`pipeline.exporting.proof.prove` found.

    Raises:
        ValueError: weights or prepared data are missing or damaged, or a program answers otherwise than the network.
    """
    path = f"runs.{run}"
    task, dataset = params.at(content, f"{path}.task"), params.at(content, f"{path}.dataset")
    module = rooms.load("programs", task, f"{path}.task")
    options = parse(Options, params.at(content, f"{path}.export"), f"{path}.export")
    record = read_record(folder)
    with journal.stage("export", record) as log:
        devices.prepare(params.at(content, "num_threads"))
        meta = storage.read_meta(Path("data/processed") / dataset)
        tensors = storage.read(Path("data/processed") / dataset, "test")
        network, _ = building.build(params.at(content, f"{path}.model"), meta.spec, f"{path}.model")
        building.load_weights(network, folder / "model.safetensors")
        facts = write(module.programs(network, meta), meta, tensors, options, folder)
        exported = {"model_md5": record["model_md5"], "options": options.model_dump(mode="json"), **facts}
        write_json(folder / "export.json", exported)
        log.export(exported)
        log.artifacts([folder / name for name in ("model.ts", "model.pt2", "export.json")])


def write(programs: Programs, meta: storage.Meta, tensors: Tensors, options: Options, folder: Path) -> dict[str, Any]:
    """Write both programs and prove each; returns what was found.

    A file takes its place only when it is proved.

    Args:
        programs: around the same network.
        meta: describes the data.
        tensors: the test split as it is stored.
        options: see :class:`Options`.
        folder: gets ``model.ts`` and ``model.pt2``.
    """
    calls = programs.calls(tensors, options.batch_size)
    # The programs don't judge themselves: that they read their input as training did is part of the proof.
    programs.ts.eval()  # and the network in it
    with torch.inference_mode():
        expected = torch.cat([programs.expect(call.stored) for call in calls])
    facts: dict[str, Any] = {}
    for suffix, program, arguments, write_file, load in (
        ("ts", programs.ts, [call.ts for call in calls], torchscript.write, torchscript.load),
        (
            "pt2",
            programs.pt2,
            [call.pt2 for call in calls],
            partial(pt2.write, meta.spec, programs.example),
            pt2.load,
        ),
    ):
        target = folder / f"model.{suffix}"
        with replacing(target) as file:
            write_file(program.eval().requires_grad_(False), file)
            with torch.inference_mode():
                loaded = load(file)
                found = prove(str(target), loaded, arguments, expected, options.tolerance)
                for name, given in programs.methods(calls[0]).items() if suffix == "ts" else ():
                    answer, wanted = getattr(loaded, name)(*given), getattr(program, name)(*given)
                    prove_method(f"{target}: {name}", answer, wanted, options.tolerance)
        facts[suffix] = {"md5": md5(target), "bytes": target.stat().st_size, "num_examples": len(expected), **found}
    return facts
