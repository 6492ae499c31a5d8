import struct
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
import torch
from specimens import GENERATORS, READERS

import pipeline
from pipeline.exporting import archive

pytestmark = pytest.mark.slow  # two processes export every model

NAMES = [f"{name}_{modality}" for name, modality in READERS] + [f"{name}_image" for name, _ in GENERATORS]
FILES = [f"{name}/model.{suffix}" for name in NAMES for suffix in ("ts", "pt2")]


@pytest.mark.parametrize("file", FILES)
def test_two_processes_in_unlike_places_write_the_same_bytes(exports, file):
    first, second = ((folder / file).read_bytes() for folder in exports)
    assert first == second


@pytest.mark.parametrize("file", FILES)
def test_no_path_of_this_machine_is_inside(exports, file):
    places = [exports[0].parents[1], Path(pipeline.__file__).parents[2], Path(torch.__file__).parents[1], Path.home()]
    with ZipFile(exports[0] / file) as stored:
        for name in stored.namelist():
            assert not [place for place in places if str(place).encode() in stored.read(name)], name
            assert not name.endswith(".debug_pkl")


@pytest.mark.parametrize("file", FILES)
def test_records_are_aligned_for_memory_mapping(exports, file):
    content = (exports[0] / file).read_bytes()
    with ZipFile(exports[0] / file) as stored:
        assert stored.namelist() == sorted(stored.namelist())
        for record in stored.infolist():
            name_length, extra_length = struct.unpack_from("<HH", content, record.header_offset + 26)
            assert (record.header_offset + 30 + name_length + extra_length) % 64 == 0, record.filename
            assert (record.compress_type, record.date_time) == (ZIP_STORED, (1980, 1, 1, 0, 0, 0))


def test_a_normalised_archive_stays_as_it_is(exports, tmp_path):
    content = (exports[0] / FILES[0]).read_bytes()
    archive.write(tmp_path / "again", content)
    assert (tmp_path / "again").read_bytes() == content
