"""A real web server on 127.0.0.1 that can be told to misbehave."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.downloading import http


class Site:
    """Answers each path with the next of its ``plans``; the last one is repeated.

    A plan is a status to refuse with, ``whole`` (the content), ``cut`` (half of it, then the connection breaks),
    ``ranges`` (what the client asks for) or ``wrong`` (other bytes of the same number).
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.contents: dict[str, bytes] = {}
        self.plans: dict[str, list[int | str]] = {}
        self.requests: list[tuple[str, str | None]] = []  # path, Range

    def serve(self, path: str, content: bytes, *plans: int | str) -> str:
        self.contents[f"/{path}"], self.plans[f"/{path}"] = content, list(plans) or ["whole"]
        return self.address + path


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.requests.append((self.path, asked))
            plans = site.plans.get(self.path, [404])
            plan = plans.pop(0) if len(plans) > 1 else plans[0]
            content = site.contents.get(self.path, b"")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and plan == "ranges" else 0
            if isinstance(plan, int) or start >= len(content):
                self.send_error(plan if isinstance(plan, int) else 416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            body = content[::-1] if plan == "wrong" else content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if plan == "cut" else body)

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.001)
    site = Site("")
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(site)) as server:
        site.address = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield site
        server.shutdown()


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one, without a mirror."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_DATA_MIRROR", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
