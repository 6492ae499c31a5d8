"""Show how far a download is: a bar on a terminal, plain lines in a log."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def shown(name: str, done: int, total: int | None) -> Iterator[Callable[[int], object]]:
    """Give a function to call with the number of bytes that have just arrived.

    Args:
        name: of the file.
        done: bytes that an earlier try left.
        total: the size of the file in bytes, if the server says so.
    """
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from tqdm import tqdm

        with tqdm(desc=name, initial=done, total=total, unit="B", unit_scale=True) as bar:
            yield bar.update
    else:
        yield _lines(name, done, total)


def _lines(name: str, done: int, total: int | None) -> Callable[[int], None]:
    of_all = f" of {total / 1e6:.1f}" if total else ""
    last = time.monotonic()

    def update(num_bytes: int) -> None:
        nonlocal done, last
        done += num_bytes
        if done == total or time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            sys.stderr.write(f"{name}: {done / 1e6:.1f}{of_all} MB\n")

    return update
