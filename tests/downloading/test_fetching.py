from concurrent.futures import ThreadPoolExecutor
from hashlib import md5 as hash_md5
from pathlib import Path

import pytest

from pipeline.downloading import http
from pipeline.downloading.fetching import MIRROR, fetch

FILES = {"one.gz": b"first", "sub/two.gz": b"second"}


@pytest.fixture(autouse=True)
def checksum_file(repository: None) -> None:
    lines = [f"{hash_md5(content).hexdigest()}  {name}\n" for name, content in FILES.items()]  # noqa: S324
    Path("files.md5").write_text("".join(lines))


@pytest.fixture
def network(site):
    """Fetch from a local server, which counts the requests."""
    for name, content in FILES.items():
        site.serve(name, content)

    def from_network(missing: dict[str, str], cache: Path) -> None:
        for name, md5 in missing.items():
            http.fetch([site.address + name], cache / name, md5)

    return from_network


def fetch_into(name: str, network) -> None:
    raw = Path(name)
    raw.mkdir()
    fetch("kind", Path("files.md5"), raw, "Kind/raw", network)
    found = {str(file.relative_to(raw)): file.read_bytes() for file in raw.rglob("*") if file.is_file()}
    assert found == FILES


def make_mirror(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in files.items():
        file = Path("mirror/Kind/raw", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    monkeypatch.setenv(MIRROR, "mirror")


def test_a_second_time_needs_no_network(site, network) -> None:
    fetch_into("a", network)
    fetch_into("b", network)
    assert len(site.requests) == 2


def test_only_a_damaged_file_is_fetched_again(site, network) -> None:
    fetch_into("a", network)
    Path(".pipeline/downloads/kind/sub/two.gz").write_bytes(b"seco")
    fetch_into("b", network)
    assert [path for path, _ in site.requests] == ["/one.gz", "/sub/two.gz", "/sub/two.gz"]


def test_two_stages_at_once_fetch_once(site, network) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: fetch_into(name, network), "abcd"))
    assert len(site.requests) == 2


def test_a_temporary_copy_of_the_repository_uses_the_same_cache(site, network, monkeypatch) -> None:
    fetch_into("a", network)
    monkeypatch.setenv("DVC_ROOT", str(Path.cwd()))
    Path("copy").mkdir()
    Path("copy/files.md5").write_bytes(Path("files.md5").read_bytes())
    monkeypatch.chdir("copy")
    fetch_into("b", network)
    assert len(site.requests) == 2


def test_a_mirror_comes_before_the_network(site, network, monkeypatch) -> None:
    make_mirror(FILES, monkeypatch)
    fetch_into("a", network)
    monkeypatch.delenv(MIRROR)
    fetch_into("b", network)
    assert site.requests == []


def test_a_mirror_that_does_not_exist(network, monkeypatch) -> None:
    monkeypatch.setenv(MIRROR, "/no/such/folder")
    with pytest.raises(ValueError, match=f"^{MIRROR}: /no/such/folder is not a folder; correct or unset it$"):
        fetch_into("a", network)


def test_all_faults_of_a_mirror_are_named_and_what_is_good_is_kept(network, monkeypatch) -> None:
    make_mirror({"one.gz": b"fir"}, monkeypatch)
    with pytest.raises(ValueError, match=r"raw/one.gz \(3 bytes\) has md5 \w+, not \w+; .*two.gz is missing; put"):
        fetch_into("a", network)
    make_mirror(FILES | {"one.gz": b"fir"}, monkeypatch)
    with pytest.raises(ValueError, match=r"one.gz"):
        fetch_into("b", network)
    assert Path(".pipeline/downloads/kind/sub/two.gz").read_bytes() == b"second"


def test_no_network_names_the_mirror_as_a_way_out(site, network) -> None:
    site.serve("one.gz", b"", 404)
    with pytest.raises(ValueError, match=rf"one.gz: .*HTTP 404(.|\n)*set {MIRROR} to a folder that holds Kind/raw/one"):
        fetch_into("a", network)


def test_what_arrived_before_a_failure_is_kept(site, network) -> None:
    site.serve("sub/two.gz", b"", 404)
    with pytest.raises(ValueError, match=r"two\.gz"):
        fetch_into("a", network)
    site.serve("sub/two.gz", FILES["sub/two.gz"])
    fetch_into("b", network)
    assert [path for path, _ in site.requests].count("/one.gz") == 1
