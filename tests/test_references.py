"""docs/references.md names the file of every source, and the code names no source that isn't there."""

import re
from pathlib import Path

from pipeline.core import rooms

ROOT = Path(__file__).parents[1]
LIST = ROOT / "docs/references.md"
#: "A. Surname,", "Surname et al." or "Surname & A. Surname", and the number of a paper.
NAMED = re.compile(
    r"\b[A-Z]\.\s+(?:[A-Z]\.\s+)*([A-Z][\w-]+)(?=,|\s+(?:\(|&|et al))|\b(\w+)\s+et al\.|\b(\w+) & [A-Z]"
    r"|((?:arXiv|doi):[\w./]+\w)"
)
#: The user's own data have no source.
OWN = {"csv", "folder"}


def entries():
    """Each entry's text, and the files that it links."""
    texts = LIST.read_text(encoding="utf-8").split("\n- ")[1:]
    return [(text, {(LIST.parent / link).resolve() for link in re.findall(r"\]\(([^)]+)\)", text)}) for text in texts]


def named(file):
    """The authors and papers that a source file or page names."""
    return {next(filter(None, groups)) for groups in NAMED.findall(file.read_text(encoding="utf-8"))}


def test_every_entry_links_files_that_exist():
    assert len(entries()) > 30
    for text, files in entries():
        assert files, f"no file: {text}"
        assert [file for file in files if not file.is_file()] == []


def test_every_source_that_the_code_names_is_listed_beside_its_file():
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "stages").glob("*.py"), ROOT / "docs/scale.md"]
    wanted = {(name, file) for file in files for name in named(file)}
    assert len(wanted) > 40
    assert {
        ("LeCun", ROOT / "src/pipeline/models/lenet.py"),
        ("Sun", ROOT / "src/pipeline/core/tokenizer.py"),
    } <= wanted
    listed = {(name, file) for text, links in entries() for name in re.findall(r"[\w:./-]*\w", text) for file in links}
    assert wanted - listed == set()


def test_every_data_set_has_an_entry():
    linked = {file for _, files in entries() for file in files}
    kinds = set(rooms.names("datasets")) - OWN
    assert [kind for kind in sorted(kinds) if ROOT / f"src/pipeline/datasets/{kind}.py" not in linked] == []
