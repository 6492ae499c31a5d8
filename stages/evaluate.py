"""Stage evaluate: trained weights and the untouched test set -> outputs/<run>/metrics.json, curves and pictures.

The environment may have PIPELINE_DEVICE, PIPELINE_TRACKING=off (MLflow isn't told) and MLFLOW_TRACKING_URI.
"""

from pathlib import Path

from pipeline.core import params, stage


def main(run: str) -> None:
    """Evaluate ``runs.<run>``."""
    from pipeline.evaluation.run import evaluate

    evaluate(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main)
