from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.core import versions


def test_the_committed_versions_are_those_of_the_lock_and_the_environment():
    versions.check()
    lock = Path("requirements.txt").read_text(encoding="utf-8")
    locked = {line.split()[0] for line in lock.splitlines() if "==" in line}
    assert set(versions.FILE.read_text().split()) <= locked


@pytest.mark.parametrize(("line", "found"), [("torch==0.1", version("torch")), ("no-such-library==1", "not installed")])
def test_another_version_is_named_with_the_remedy(tmp_path, line, found):
    (tmp_path / "versions.txt").write_text(f"numpy=={version('numpy')}\n{line}\n")
    with pytest.raises(ValueError, match=rf"should be .* and is {found}.*make -B setup"):
        versions.check(tmp_path / "versions.txt")
