"""Stage compare: samples of an exported generator and real images, as an exported classifier sees them."""

from pathlib import Path

from pipeline.comparison.run import compare
from pipeline.core import params, stage


def main(run: str) -> None:
    """Compare what ``runs.<run>`` generates with real images, as ``comparisons.<run>`` says."""
    compare(run, params.read(), Path("outputs") / run)


if __name__ == "__main__":
    stage.run(main)
