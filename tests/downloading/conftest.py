"""A real web server on 127.0.0.1 that can be told to misbehave."""

import ipaddress
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import install_opener

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.downloading import http


class Site:
    """Answers each path with the next of its ``plans``; the last one is repeated.

    A plan is a status to refuse with, ``whole`` (the content), ``cut`` (half of it, then the connection breaks),
    ``ranges`` (what the client asks for), ``wrong`` (other bytes of the same number), ``garbled`` (half of it, then
    what isn't TLS) or ``garbled at once``.
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
            if plan == "garbled at once":
                os.write(self.connection.fileno(), bytes(100))
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            body = content[::-1] if plan == "wrong" else content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if plan in ("cut", "garbled") else body)
            if plan == "garbled":
                os.write(self.connection.fileno(), bytes(100))

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.001)
    with _serving() as site:
        yield site


@pytest.fixture
def secure_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.001)
    _write_certificate(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    install_opener(None)  # the one that urlopen keeps read its certificates before
    with _serving(context) as site:
        yield site
    install_opener(None)


@contextmanager
def _serving(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    site = Site("")
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(site)) as server:
        site.address = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}/"
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield site
        server.shutdown()


def _write_certificate(file: Path) -> None:
    """A key, and a certificate for 127.0.0.1 signed with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one, without a mirror."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_DATA_MIRROR", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
