"""Build the network that a run names, and load its trained weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn

from pipeline.core import rooms, storage
from pipeline.core.schema import parse
from pipeline.core.spec import DataSpec


def build(section: Mapping[str, Any], spec: DataSpec, path: str) -> tuple[nn.Module, dict[str, Any]]:
    """Build the network of the section ``path`` (``runs.<run>.model``) for data of shape ``spec``.

    Returns:
        The network with freshly drawn weights, and all of its options, those left at their defaults included.

    Raises:
        ValueError: unknown model or option, or a model that can't read such data.
    """
    name = section.get("name")
    module = rooms.load("models", str(name), f"{path}.name")
    if spec.modality not in module.READS:
        others = {other: rooms.load("models", other, path) for other in rooms.names("models")}
        alike = {other: found for other, found in others.items() if {*found.TASKS} & {*module.TASKS}}
        readers = [other for other, found in alike.items() if spec.modality in found.READS]
        remedy = f"; {', '.join(readers)} read {spec.modality}s" if readers else ""
        raise ValueError(
            f"{path}.name: {name} reads {' and '.join(f'{kind}s' for kind in module.READS)}, and this data set is a "
            f"{spec.modality}{remedy}"
        )
    options = parse(module.Options, {key: value for key, value in section.items() if key != "name"}, path)
    return module.Model(options, spec), {"name": name, **options.model_dump()}


def load_weights(network: nn.Module, file: Path) -> nn.Module:
    """Put the weights of a ``model.safetensors`` into ``network``, and set it to evaluation mode.

    Raises:
        ValueError: the file is missing, damaged or of another architecture.
    """
    try:
        network.load_state_dict(storage.load(file))
    except (FileNotFoundError, SafetensorError, RuntimeError) as error:
        raise ValueError(f"{file}: {error}; run `dvc repro train@{file.parent.name}`") from None
    return network.eval()
