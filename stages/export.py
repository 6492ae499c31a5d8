"""Stage export: trained weights -> outputs/<run>/model.ts (TorchScript), model.pt2 (torch.export) and export.json."""

from pathlib import Path

from pipeline.core import params, stage
from pipeline.exporting.run import export


def main(run: str) -> None:
    """Export ``runs.<run>``."""
    export(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main)
