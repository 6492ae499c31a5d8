"""Bring the files of a public data set into its raw folder: from the download cache, a mirror, or the network."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.core.files import replacing
from pipeline.downloading import cache, checksums

MIRROR = "PIPELINE_DATA_MIRROR"


def fetch(
    kind: str,
    path: Path,
    raw: Path,
    mirror_folder: str,
    from_network: Callable[[dict[str, str], Path], None],
) -> None:
    """Copy every file that the checksum file ``path`` lists into ``raw``, once it is verified.

    Args:
        kind: names the folder of the download cache.
        path: the checksum file.
        raw: an existing empty folder.
        mirror_folder: where the files lie within the folder that PIPELINE_DATA_MIRROR names (torchvision's layout).
        from_network: given the missing files with their md5 and the cache, puts the files there.

    Raises:
        ValueError: a file could not be had, or has a wrong checksum. Good files stay in the cache.
    """
    expected = checksums.read(path)
    with cache.locked(kind) as kept:
        missing = {name: md5 for name, md5 in expected.items() if checksums.problem(kept / name, md5)}
        if missing and (mirror := os.environ.get(MIRROR)):
            _from_mirror(missing, Path(mirror), mirror_folder, kept)
        elif missing:
            try:
                from_network(missing, kept)
            except ConnectionError as error:
                places = ", ".join(str(Path(mirror_folder, name)) for name in missing)
                raise ValueError(
                    f"{error}\ncheck the connection and run it again (what has arrived is kept), "
                    f"or set {MIRROR} to a folder that holds {places}"
                ) from None
        checksums.verify(kept, path, f"delete {kept} and run it again")
        for name in expected:
            (raw / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept / name, raw / name)


def _from_mirror(missing: dict[str, str], mirror: Path, folder: str, kept: Path) -> None:
    if not mirror.is_dir():
        raise ValueError(f"{MIRROR}: {mirror} is not a folder; correct or unset it")
    problems = []
    for name, md5 in missing.items():
        if text := checksums.problem(mirror / folder / name, md5):
            problems.append(text)
            continue
        with replacing(kept / name) as file:
            shutil.copyfile(mirror / folder / name, file)
    if problems:
        raise ValueError(f"{MIRROR}: {'; '.join(problems)}; put the right files there, or unset {MIRROR} to download")
