from pathlib import Path

import numpy as np

from pipeline.datasets import diabetes


def test_download_and_load(tmp_path: Path) -> None:
    options = diabetes.Options(kind="diabetes", path="data/diabetes.md5")
    diabetes.download(Path(options.path), tmp_path)
    loaded = diabetes.load(tmp_path, options)
    assert (loaded.train.inputs.shape, loaded.train.inputs.dtype) == ((442, 10), np.float32)
    assert loaded.train.inputs[0, :3].tolist() == [59, 2, np.float32(32.1)]  # age, sex, body mass index: not scaled
    assert (loaded.train.targets.min(), loaded.train.targets.max()) == (25, 346)
    assert loaded.classes == ()
