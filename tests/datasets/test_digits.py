from pathlib import Path

import numpy as np
import pytest

from pipeline.datasets import digits

OPTIONS = digits.Options(kind="digits", path="data/digits.md5", image_size=8)


def test_download_and_load(tmp_path: Path) -> None:
    digits.download(Path(OPTIONS.path), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["digits.csv"]
    loaded = digits.load(tmp_path, OPTIONS)
    assert loaded.train.inputs.shape == (1797, 1, 8, 8)
    assert (loaded.train.inputs.min(), loaded.train.inputs.max()) == (0, 255)
    assert np.bincount(loaded.train.targets).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert loaded.test == 0.2

    larger = digits.load(tmp_path, OPTIONS.model_copy(update={"image_size": 28}))
    assert larger.train.inputs.shape == (1797, 1, 28, 28)


def test_other_data_than_those_committed(tmp_path: Path) -> None:
    (tmp_path / "other.md5").write_text("0" * 32 + "  digits.csv\n")
    with pytest.raises(ValueError, match=r"other\.md5: .*digits\.csv .* scikit-learn bundles other data"):
        digits.download(tmp_path / "other.md5", tmp_path)
