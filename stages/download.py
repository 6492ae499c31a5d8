"""Stage download: data set -> its raw files in data/raw/<key>.

The environment may have PIPELINE_DATA_MIRROR, a folder with files in torchvision's layout that needn't be fetched.
"""

from pathlib import Path

from pipeline.core import params, rooms, stage
from pipeline.core.files import replacing


def main(key: str) -> None:
    """Fetch the raw files of ``datasets.<key>``."""
    content = params.read()
    kind = params.at(content, f"datasets.{key}.kind")
    path = Path(params.at(content, f"datasets.{key}.path"))
    dataset = rooms.load("datasets", kind, f"datasets.{key}.kind")
    with replacing(Path("data/raw") / key) as raw:
        raw.mkdir()
        dataset.download(path, raw)


if __name__ == "__main__":
    stage.run(main, shows_progress=True)
