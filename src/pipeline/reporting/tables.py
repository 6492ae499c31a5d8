"""Tables as text: aligned for a terminal, or in Markdown."""

import re
from collections.abc import Callable, Sequence

#: A number, perhaps in seconds, a time, or the dash in their place.
NUMBER = r"-|-?\d[\d.,:e+-]*( s)?"
#: (title, header, rows) -> text that ends with a line's end.
Format = Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]


def plain(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under each other, aligned: numbers to the right, all else to the left."""
    return "\n".join([title, *(f"  {line}" for line in aligned([header, *rows]))]) + "\n"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The same as lines, without a title; the first row is the header."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(re.fullmatch(NUMBER, cell) for cell in column[1:]) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in rows
    ]


def markdown(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A paragraph with the title and a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join([f"**{title}**", "", *(f"| {' | '.join(line)} |" for line in lines)]) + "\n"
