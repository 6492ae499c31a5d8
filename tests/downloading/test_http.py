import socket
from hashlib import md5 as hash_md5
from pathlib import Path

import pytest

from pipeline.downloading import http

CONTENT = bytes(range(256)) * 4000  # 1 MB
MD5 = hash_md5(CONTENT).hexdigest()  # noqa: S324
HALF = f"bytes={len(CONTENT) // 2}-"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "file.bin"


def assert_fetched(target: Path) -> None:
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_a_file_is_fetched_once(site, target) -> None:
    url = site.serve("file.bin", CONTENT)
    http.fetch([url], target, MD5)
    http.fetch([url], target, MD5)
    assert_fetched(target)
    assert len(site.requests) == 1


def test_the_next_address_is_tried_at_once_when_one_refuses(site, target) -> None:
    http.fetch([site.serve("a", b"", 403), site.serve("b", CONTENT, 503, "whole")], target, MD5)
    assert_fetched(target)
    # 403 stays 403: that address isn't asked again; 503 passes.
    assert [path for path, _ in site.requests] == ["/a", "/b", "/b"]


def test_a_broken_transfer_goes_on_where_it_stopped(site, target) -> None:
    http.fetch([site.serve("file.bin", CONTENT, "cut", "ranges")], target, MD5)
    assert_fetched(target)
    assert site.requests == [("/file.bin", None), ("/file.bin", HALF)]


def test_a_server_without_ranges_sends_all_again(site, target) -> None:
    http.fetch([site.serve("file.bin", CONTENT, "cut", "whole")], target, MD5)
    assert_fetched(target)


def test_another_process_goes_on_with_what_arrived(site, target) -> None:
    url = site.serve("file.bin", CONTENT, "cut", 404)
    with pytest.raises(ConnectionError):
        http.fetch([url], target, MD5)
    site.serve("file.bin", CONTENT, "ranges")
    http.fetch([url], target, MD5)
    assert_fetched(target)
    assert site.requests[-1] == ("/file.bin", HALF)


@pytest.mark.parametrize("plan", ["garbled", "garbled at once"])
def test_a_broken_encryption_is_a_broken_transfer(secure_site, target, plan: str) -> None:
    http.fetch([secure_site.serve("file.bin", CONTENT, plan, "ranges")], target, MD5)
    assert_fetched(target)
    assert len(secure_site.requests) == 2


def test_a_full_disk_is_no_fault_of_the_network(site, target) -> None:
    target.parent.mkdir()
    target.with_name("file.bin.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        http.fetch([site.serve("file.bin", CONTENT)], target, MD5)
    assert len(site.requests) == 1


@pytest.mark.parametrize("rest", [b"x" * 1000, CONTENT + b"x"], ids=["wrong", "too long"])
def test_a_useless_rest_is_thrown_away(site, target, rest: bytes) -> None:
    target.parent.mkdir()
    target.with_name("file.bin.part").write_bytes(rest)
    http.fetch([site.serve("file.bin", CONTENT, "ranges")], target, MD5)
    assert_fetched(target)


def test_wrong_bytes_are_refused(site, target) -> None:
    with pytest.raises(ConnectionError, match=rf"file\.bin: .* sent 1,024,000 bytes with md5 \w+ instead of {MD5}"):
        http.fetch([site.serve("file.bin", CONTENT, "wrong")], target, MD5)
    assert len(site.requests) == 1
    assert list(target.parent.iterdir()) == []


def test_every_address_is_named_when_none_works(site, target) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    urls = [site.serve("a", b"", 404), f"http://127.0.0.1:{port}/b"]
    with pytest.raises(ConnectionError, match=rf"/a: HTTP 404 Not Found; .*:{port}/b: .*refused"):
        http.fetch(urls, target, MD5)
