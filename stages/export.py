"""Stage export: trained weights -> outputs/<run>/model.ts (TorchScript), model.pt2 (torch.export) and export.json.

The environment may have PIPELINE_TRACKING=off (MLflow isn't told) and MLFLOW_TRACKING_URI.
"""

from pathlib import Path

from pipeline.core import params, stage


def main(run: str) -> None:
    """Export ``runs.<run>``."""
    from pipeline.exporting.run import export

    export(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main)
