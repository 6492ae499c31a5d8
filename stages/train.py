"""Stage train: prepared tensors -> outputs/<run>/model.safetensors, history.csv and record.json.

The environment may have

  PIPELINE_LAUNCH="--nproc-per-node 2"   several processes train together: arguments of torchrun
  PIPELINE_DEVICE=cpu                    instead of the GPU, where there is one
  PIPELINE_CHECKPOINT_SECONDS=20         between two checkpoints
  PIPELINE_TRACKING=off                  MLflow isn't told
  MLFLOW_TRACKING_URI                    where runs are recorded
"""

from pathlib import Path

from pipeline.core import params, stage
from pipeline.training import launching


def main(run: str) -> None:
    """Train ``runs.<run>``."""
    launching.launch()
    from pipeline.training.run import train

    train(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main, shows_progress=True)
