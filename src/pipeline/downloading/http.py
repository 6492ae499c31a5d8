"""Fetch one file: verified, going on where an earlier try was cut off, from several addresses."""

import time
from collections.abc import Iterable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pipeline.core import files
from pipeline.downloading.progress import shown

NUM_ROUNDS = 5
FIRST_PAUSE = 1.0  # seconds; doubled after every round
TIMEOUT = 30.0  # seconds without a byte
CHUNK = 1 << 18  # bytes
NETWORK_ERRORS = (HTTPError, HTTPException, ConnectionError)
TRY_LATER = (408, 425, 429)


class RefusedError(ConnectionError):
    """The address will give the same answer next time."""


def fetch(urls: Iterable[str], target: Path, md5: str) -> None:
    """Bring the file with checksum ``md5`` to ``target``, from the first of ``urls`` that gives it.

    What has arrived stays in ``<target>.part`` when a connection breaks, and the next try, even of another process,
    asks for the rest only.

    Raises:
        ConnectionError: no address gave the file; the message has the last problem with each.
    """
    open_urls = list(urls)
    problems: dict[str, str] = {}
    if target.is_file() and files.md5(target) == md5:
        return
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    for round_ in range(NUM_ROUNDS):
        for url in list(open_urls):
            try:
                resumed = _transfer(url, part)
                _accept(part, target, md5, resumed)
            except NETWORK_ERRORS as error:
                problems[url] = str(error)
                if isinstance(error, RefusedError):
                    open_urls.remove(url)
            else:
                return
        if not open_urls:
            break
        if round_ < NUM_ROUNDS - 1:
            time.sleep(FIRST_PAUSE * 2**round_)
    raise ConnectionError(f"{target.name}: " + "; ".join(f"{url}: {problem}" for url, problem in problems.items()))


def _transfer(url: str, part: Path) -> bool:
    """Returns whether what an earlier try left is the beginning of ``part``."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "pipeline"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)  # noqa: S310 (addresses come from code)
    except HTTPError as error:
        error.close()
        if error.code == 416:
            part.unlink()  # longer than the file: begin anew
        elif error.code < 500 and error.code not in TRY_LATER:
            raise RefusedError(f"HTTP {error.code} {error.reason}") from None
        raise
    except OSError as error:  # while the answer is awaited, urllib lets through what the socket raises
        raise ConnectionError(str(error)) from error
    with response:
        if not (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            have = 0  # the server sends the whole file
        resumed = have > 0
        total = have + response.length if response.length is not None else None
        with part.open("ab" if resumed else "wb") as file, shown(part.stem, have, total) as update:
            while chunk := _read(response):
                file.write(chunk)
                have += len(chunk)
                update(len(chunk))
    if total is not None and have < total:
        raise ConnectionError(f"cut off after {have:,} of {total:,} bytes")
    return resumed


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read(CHUNK)
    except OSError as error:  # TLS and unreachable networks have other classes; a full disk must not pass for them
        raise ConnectionError(str(error)) from error


def _accept(part: Path, target: Path, md5: str, resumed: bool) -> None:
    found = files.md5(part)
    if found == md5:
        part.replace(target)
        return
    size = part.stat().st_size
    part.unlink()
    problem = f"sent {size:,} bytes with md5 {found} instead of {md5}"
    # Two halves may come from different servers; a whole file that is wrong will be wrong again.
    raise ConnectionError(problem) if resumed else RefusedError(problem)
