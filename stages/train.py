"""Stage train: prepared tensors -> outputs/<run>/model.safetensors, history.csv and record.json."""

from pathlib import Path

from pipeline.core import params, stage
from pipeline.training import launching
from pipeline.training.run import train


def main(run: str) -> None:
    """Train ``runs.<run>``."""
    train(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    launching.launch()
    stage.run(main)
