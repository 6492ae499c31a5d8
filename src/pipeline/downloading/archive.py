"""Take single files out of a compressed archive."""

import shutil
import tarfile
from collections.abc import Collection
from pathlib import Path

from pipeline.core.files import replacing


def unpack(archive: Path, names: Collection[str], folder: Path) -> None:
    """Write those regular files of ``archive`` that are in ``names`` to ``folder``.

    Only names that we ask for become paths, so that no member can be written elsewhere.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name in names and (content := tar.extractfile(member)):
                with replacing(folder / member.name) as target, target.open("wb") as file:
                    shutil.copyfileobj(content, file)
