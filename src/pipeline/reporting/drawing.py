"""Plots as elements of a page, by DVC's own renderer: what it takes for revisions are runs."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dvc_render import ImageRenderer, VegaRenderer  # type: ignore[import-untyped]

from pipeline.reporting.collecting import Plot

#: How a column of numbers is drawn.
CURVE = str(Path(__file__).with_name("curve.json"))
#: Curve -> what its axes are.
AXES = {
    "roc": ("false-positive rate", "true-positive rate"),
    "precision_recall": ("recall", "precision"),
    "calibration": ("confidence", "accuracy"),
}
#: Curve -> the name of the diagonal that it is to be compared with; no run has brackets, and curve.json dashes it.
DIAGONALS = {"roc": "(by chance)", "calibration": "(calibrated)"}

Rows = list[dict[str, Any]]


def draw(plot: Plot, name: str, runs: list[str]) -> Iterator[str]:
    """The HTML of one plot: pictures side by side, or a chart; of a table without template one for each column.

    Args:
        plot: what is drawn.
        name: a path that no other plot of the page has.
        runs: all of which charts nearby may tell; each has the same colour in all of them.
    """
    title = Path(name).stem
    if any(isinstance(content, bytes) for content in plot.contents.values()):
        pictures = [{"rev": run, "src": _inline(name, content)} for run, content in plot.contents.items()]
        yield ImageRenderer(pictures, name).generate_html()
        return
    rows = [{**row, "rev": run} for run, table in plot.contents.items() for row in table]
    if "template" in plot.options:
        yield _chart(rows, name, runs, title, plot.options)
        return
    x = plot.options["x"]
    columns = list(dict.fromkeys(column for row in rows for column in row if column not in ("rev", x)))
    for column in columns:
        # The only curve of a file is called like the file.
        yield _curve(rows, name, runs, title if len(columns) == 1 else column, x, column)


def _curve(rows: Rows, name: str, runs: list[str], title: str, x: str, y: str) -> str:
    points = [{"rev": row["rev"], x: float(row[x]), y: float(row[y])} for row in rows if y in row]
    if diagonal := DIAGONALS.get(title):
        points += [{"rev": diagonal, x: end, y: end} for end in (0.0, 1.0)]
        runs = [*runs, diagonal]
    x_label, y_label = AXES.get(title, (x, ""))
    options = {"x": x, "y": y, "x_label": x_label, "y_label": y_label, "template": CURVE}
    return _chart(points, f"{name}/{y}", runs, title, options)


def _chart(rows: Rows, name: str, runs: list[str], title: str, options: dict[str, Any]) -> str:
    title = title.replace("_", " ")
    return str(_Chart(rows, name, title=title, revs_with_datapoints=runs, **options).generate_html())


class _Chart(VegaRenderer):  # type: ignore[misc]
    def partial_html(self, **options: Any) -> str:
        # Whatever a class is called, it doesn't end the script.
        return str(super().partial_html(**options)).replace("</", "<\\/")


def _inline(name: str, content: bytes) -> str:
    return f"data:image/{Path(name).suffix[1:]};base64,{base64.b64encode(content).decode()}"
