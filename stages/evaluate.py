"""Stage evaluate: trained weights and the untouched test set -> outputs/<run>/metrics.json, curves and pictures."""

from pathlib import Path

from pipeline.core import params, stage
from pipeline.evaluation.run import evaluate


def main(run: str) -> None:
    """Evaluate ``runs.<run>``."""
    evaluate(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main)
