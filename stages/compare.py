"""Stage compare: samples of an exported generator and real images -> outputs/<run>/comparison.json.

An exported classifier says what it sees in both. The environment may have PIPELINE_TRACKING=off (MLflow isn't told) and
MLFLOW_TRACKING_URI.
"""

from pathlib import Path

from pipeline.core import params, stage


def main(run: str) -> None:
    """Compare what ``runs.<run>`` generates with real images, as ``comparisons.<run>`` says."""
    from pipeline.comparison.run import compare

    compare(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main)
