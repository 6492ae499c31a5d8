"""A part of a Markdown file that a program writes: between ``<!-- name -->`` and ``<!-- /name -->``."""

from pathlib import Path

from pipeline.core.files import write_text


def replace(file: Path, name: str, text: str) -> None:
    """Put ``text``, which ends with a line's end, in the place of what stands between the marks.

    Raises:
        ValueError: there is no such file, or it hasn't each mark once, in this order.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if not file.is_file():
        raise ValueError(f"there is no file {file}")
    content = file.read_text(encoding="utf-8")
    before, first, rest = content.partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last) or any(content.count(mark) != 1 for mark in (begin, end)):
        raise ValueError(
            f"{file} needs the line {begin} once, and after it the line {end} once, for what is to be there"
        )
    write_text(file, f"{before}{begin}\n{text}{end}{after}")
