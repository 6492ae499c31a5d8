from pathlib import Path

import numpy as np
import pytest

from pipeline.downloading import tables as writing
from pipeline.preprocessing import tables


def test_what_was_written_is_read(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(5, 3)) * [1e-9, 1, 1e9]
    writing.write(tmp_path / "a.csv", ["x", "y", "z"], rows)
    assert (tables.read(tmp_path, "a.csv", 3) == rows).all()


@pytest.mark.parametrize("text", ["x,y\n1,2\n3\n", "x,y\n1,2,3\n", "x,y\n1,two\n", "x,y\n1,ü\n", None])
def test_damage_names_the_file_and_the_way_back(tmp_path: Path, text: str | None) -> None:
    raw = tmp_path / "digits"
    raw.mkdir()
    if text:
        (raw / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"digits/a\.csv: .*delete .*digits and run `dvc repro download@digits`"):
        tables.read(raw, "a.csv", 2)
