"""Where journals wait for MLflow, one file for each execution of a stage, and who may touch them.

``.pipeline/tracking/<input key>-<milliseconds>-<stage>-<process>.<store>.jsonl`` holds one JSON object a line:

- ``{"kind": "start", "at", "stage", "record", "tags"}``, first; ``at`` is in milliseconds since 1970;
- ``{"kind": "metrics", "at", "step", "values": {name: number}}``, named as in MLflow;
- ``{"kind": "tags", "at", "tags": {name: text}}``;
- ``{"kind": "evaluation", "at", "metrics", "evaluation"}``, the contents of ``metrics.json`` and ``evaluation.json``;
- ``{"kind": "comparison", "at", "metrics", "comparison"}``, likewise of ``comparison_metrics.json`` and
  ``comparison.json``;
- ``{"kind": "export", "at", "export"}``, the contents of ``export.json``;
- ``{"kind": "end", "at", "status", "error", "record"}``, last; without it the stage has died.

The stage keeps the file locked as long as it lives. The folder of the same name without ``.jsonl`` holds the artifacts
as they will be named in MLflow, hard links where the file system has them. A file that ends in ``.problem`` says why
the journal could not be published at the last attempt. All are deleted when MLflow has everything.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

FOLDER = Path(".pipeline/tracking")
#: The folder among a run's artifacts with what its network made after chosen epochs.
SAMPLES = "samples"
SQLITE = "sqlite:///"


def root() -> Path:
    """The repository that records are kept in: `dvc exp run --temp` works in a copy that DVC deletes afterwards."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def new(input_key: str, stage: str) -> Path:
    """Where the journal of an execution that starts now belongs; names sort by time."""
    return root() / FOLDER / f"{input_key}-{now()}-{stage}-{os.getpid()}.{store()}.jsonl"


def models(store: str = "*") -> dict[str, list[Path]]:
    """Input key -> the journals about that model, oldest first; all, or those meant for one store."""
    found: dict[str, list[Path]] = {}
    for journal in sorted((root() / FOLDER).glob(f"*.{store}.jsonl")):
        found.setdefault(journal.name.partition("-")[0], []).append(journal)
    return found


def now() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return time.time_ns() // 1_000_000


def files(journal: Path) -> Path:
    """The folder with a journal's artifacts."""
    return journal.with_suffix("")


def problem(journal: Path) -> Path:
    """The file that says why a journal is still there."""
    return journal.with_suffix(".problem")


def read(journal: Path) -> list[dict[str, Any]]:
    """The entries written so far; the line that a killed stage left half written isn't one."""
    lines = journal.read_bytes().split(b"\n")[:-1]  # bytes: half a line may end in half a character
    return [json.loads(line) for line in lines]


def keep(file: Path, journal: Path, name: Path) -> None:
    """Put ``file``, or all that is in it if it is a folder, among the artifacts of a journal under ``name``."""
    for source in [file, *file.rglob("*")] if file.is_dir() else [file]:
        if source.is_dir():
            continue
        with _placing(journal, name / source.relative_to(file)) as beside:
            try:
                os.link(source, beside)
            except OSError:  # another file system, or one without hard links
                shutil.copyfile(source, beside)


def add(content: bytes, journal: Path, name: Path) -> None:
    """Put a file with this content among the artifacts of a journal under ``name``."""
    with _placing(journal, name) as beside:
        beside.write_bytes(content)


@contextmanager
def _placing(journal: Path, name: Path) -> Iterator[Path]:
    """Give a path to write to; then the file becomes the artifact ``name`` at once, which may be being published.

    That path is outside the artifact's folder, of which all files are published.
    """
    beside, target = files(journal) / f".{name.name}", files(journal) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    yield beside
    beside.replace(target)


def delete(journal: Path) -> None:
    """Forget a journal that MLflow has all of."""
    shutil.rmtree(files(journal), ignore_errors=True)
    journal.unlink(missing_ok=True)  # `make track` publishes to another store what its own can't be given
    # Last, so that a publisher that finds none and the journal there knows that nobody has published it.
    problem(journal).unlink(missing_ok=True)


def lock(file: TextIO, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file until it is closed; False if another process has locked it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def alive(journal: Path) -> bool:
    """Whether the stage that writes a journal still runs; False for a journal that was published meanwhile."""
    try:
        with journal.open(encoding="utf-8") as file:
            return not lock(file, fcntl.LOCK_SH)  # shared: two that look at once don't take each other for the stage
    except FileNotFoundError:
        return False


def running(journal: Path) -> bool:
    """Whether the stage that writes a journal hasn't told its end yet, and still lives."""
    return alive(journal) and read(journal)[-1]["kind"] != "end"


@contextmanager
def locked(name: str, patience: float) -> Iterator[TextIO | None]:
    """Hold the lock called ``name``; gives None if another process still has it after ``patience`` seconds."""
    path = root() / FOLDER / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    # Lock files stay: to delete one while another process waits for it would let two in.
    with path.open("w") as file:
        while not (held := lock(file)) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield file if held else None


def address() -> str:
    """The tracking server or database that records go to; a database's relative path is from the repository's root."""
    if not (uri := os.environ.get("MLFLOW_TRACKING_URI")):
        return f"{SQLITE}{database()}"
    return f"{SQLITE}{root() / uri.removeprefix(SQLITE)}" if uri.startswith(SQLITE) else uri


def database() -> Path:
    """The repository's own database."""
    return root() / "mlruns" / "mlflow.db"


def is_server() -> bool:
    """Whether records go to an MLflow server and not to a database."""
    return address().startswith(("http://", "https://"))


def place() -> str:
    """The address without the user and password that may be in it."""
    uri = address()
    if uri.startswith(SQLITE):
        return uri
    scheme, slashes, rest = uri.partition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"


def store() -> str:
    """A short name of the place; with a password in it, that could be guessed from the names of files."""
    return hashlib.sha256(place().encode()).hexdigest()[:8]
