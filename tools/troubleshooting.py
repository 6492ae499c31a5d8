"""The tables of docs/troubleshooting.md: what was done, what is printed, what helps."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "docs" / "troubleshooting.md"
#: In a message, whatever stands there.
GAP = "…"
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")


@dataclass(frozen=True)
class Row:
    """One mistake.

    Attributes:
        mistake: what was done, in words.
        messages: what is printed, of one command or of another.
        helps: the commands and other literal text of what helps, in their order.
    """

    mistake: str
    messages: tuple[str, ...]
    helps: tuple[str, ...]

    @property
    def test(self) -> str:
        """The name of its test."""
        return "test_" + re.sub(r"[^a-z0-9]+", "_", self.mistake.lower()).strip("_")

    def is_in(self, printed: str, message: int = 0) -> bool:
        """Whether a message stands in what was printed, white space aside."""
        parts = (re.escape(" ".join(part.split())) for part in self.messages[message].split(GAP))
        return re.search(".*?".join(parts).replace(r"\ ", " "), " ".join(printed.split())) is not None


def rows() -> list[Row]:
    """All rows of all tables."""
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if cells and cells[0] != "what was done" and not cells[0].startswith("---"):
            mistake, printed, helps = cells
            found.append(Row(mistake, _code(printed), _code(helps)))
    return found


def _code(cell: str) -> tuple[str, ...]:
    return tuple(match[2].strip() for match in _CODE.finditer(cell))
