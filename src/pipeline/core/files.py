"""Writes that a crash can't leave half done, and hashes of what was written."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; on success it is flushed to disk and takes the place of ``target``.

    ``target`` may be a file or a folder (whose contents are then replaced as a whole). If the block raises, what it
    wrote is removed and ``target`` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers apart; the leading dot keeps readers away.
    beside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    _remove_left_behind(target)
    try:
        yield beside
        _flush(beside)
        if target.is_dir():
            shutil.rmtree(target)
        beside.replace(target)
        _sync(target.parent)
    finally:
        _remove(beside)


def write_text(target: Path, text: str) -> None:
    """Replace ``target`` atomically by ``text`` in UTF-8."""
    with replacing(target) as file:
        file.write_text(text, encoding="utf-8", newline="\n")


def write_json(target: Path, value: object) -> None:
    """Replace ``target`` atomically by readable JSON, keys in the order given; infinities and NaN are refused."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def md5(file: Path) -> str:
    """The md5 of a file's bytes, as DVC writes it into ``dvc.lock``."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _remove_left_behind(target: Path) -> None:
    """Remove what writers of ``target`` were writing when they were killed."""
    for partial in target.parent.glob(f".{target.name}.*.partial"):
        writer = partial.name.split(".")[-2]
        if writer.isdigit() and not _is_alive(int(writer)):
            _remove(partial)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    for entry in [path, *path.rglob("*")] if path.is_dir() else [path]:
        if entry.is_file():
            # Some libraries write files that only their owner may read, which breaks shared caches.
            entry.chmod(entry.stat().st_mode | 0o444)
        _sync(entry)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
