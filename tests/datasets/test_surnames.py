from pathlib import Path

import numpy as np
import pytest

from pipeline.datasets import surnames

OPTIONS = surnames.Options(kind="surnames", path="data/surnames.md5")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    raw = tmp_path_factory.mktemp("surnames")
    surnames.download(Path(OPTIONS.path), raw)
    assert [file.name for file in raw.iterdir()] == ["surnames.csv"]
    return surnames.load(raw, OPTIONS)


def test_there_are_many_names_of_many_languages(loaded):
    assert len(loaded.classes) == 14
    assert len(loaded.train) >= 10_000
    assert np.bincount(loaded.train.targets).min() >= 200
    assert loaded.test == 0.2


def test_no_name_has_two_languages(loaded):
    names = loaded.train.inputs.tolist()
    assert len(set(names)) == len(names)
    assert "Martin" not in names  # English, French, German, Spanish
    languages = dict(zip(names, loaded.train.targets, strict=True))
    assert [loaded.classes[languages[name]] for name in ("Malcharek", "Virtanen", "Lombroso")] == [
        "polish",
        "finnish",
        "italian",
    ]


def test_all_names_are_in_latin_script(loaded):
    import unicodedata

    letters = {character for name in loaded.train.inputs for character in name if character.isalpha()}
    assert {unicodedata.name(letter).split()[0] for letter in letters} == {"LATIN"}


def test_other_names_than_those_committed(tmp_path):
    (tmp_path / "other.md5").write_text("0" * 32 + "  surnames.csv\n")
    with pytest.raises(
        ValueError, match=r"other\.md5: .*surnames\.csv .* faker bundles other names: install the version"
    ):
        surnames.download(tmp_path / "other.md5", tmp_path)


def test_damage_names_the_file_and_the_way_back(tmp_path):
    raw = tmp_path / "names"
    raw.mkdir()
    for content in (None, "label,text\npolish\n", "label,text\nklingon,Worf\n"):
        if content:
            (raw / "surnames.csv").write_text(content)
        with pytest.raises(
            ValueError, match=r"(?s)names/surnames\.csv: .*delete .*names and run `dvc repro download@names`"
        ):
            surnames.load(raw, OPTIONS)
