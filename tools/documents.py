"""What the project's documents tell a reader to run: their blocks of code, and the commands in their sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from project import ROOT

#: What is in backticks in a sentence is a command if it begins with one of these and goes on; alone it is a name.
PROGRAMS = "apt-get|cmake|cp|curl|dvc|export|git|make|mlflow|mypy|pip|pytest|python|ruff|source|uv"
COMMAND = re.compile(rf"""(?:\w+=(?:"[^"]*"|\S*) )*(?:{PROGRAMS}) .+""")
#: A call of a library's function or a model's method.
CALL = re.compile(r"(?:mlflow|torch|model)\.[\w.]+\(.*\)")
CODE = re.compile(r"^```(?P<language>\w*)\n(?P<block>.*?)^```$|`(?P<span>[^`]+)`", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^(?:#+ (.+)|\*\*(.+?)\.?\*\*)", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """A piece of code in a document.

    Attributes:
        language: what stands behind the fence of a block; None for code in a sentence.
        title: the last heading, or bold beginning of a paragraph, before it.
    """

    language: str | None
    title: str
    text: str


def codes(document: str) -> Iterator[Code]:
    """All blocks, and all that is in backticks in a sentence, in the order of the text."""
    text, title = (ROOT / document).read_text(encoding="utf-8"), ""
    end = 0
    for found in CODE.finditer(text):
        for heading in TITLE.finditer(text, end, found.start()):
            title = heading[1] or heading[2]
        end = found.end()
        span = found["span"]
        yield Code(found["language"], title, found["block"] if span is None else " ".join(span.split()))


def blocks(document: str, language: str) -> list[Code]:
    """The blocks of a document in that language."""
    return [code for code in codes(document) if code.language == language]


def commands(document: str) -> list[str]:
    """Each line of the document's shell blocks, without its comment, and each command in its sentences; once."""
    found = []
    for code in codes(document):
        if code.language == "sh":
            found += [re.split(r"\s+# ", line)[0] for line in code.text.splitlines()]
        elif code.language is None and COMMAND.fullmatch(code.text):
            found.append(code.text)
    return list(dict.fromkeys(found))


def snippets(document: str) -> list[str]:
    """The document's blocks of Python and the calls in its sentences."""
    return [
        code.text
        for code in codes(document)
        if code.language == "python" or (code.language is None and CALL.fullmatch(code.text))
    ]
