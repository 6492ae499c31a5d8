"""Draw the DAG of dvc.yaml as it is now, without the edges that follow from others.

python tools/dag_picture.py        # or: make screenshots
"""

import argparse
import re
import subprocess
import sys
from typing import Any

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from project import ROOT

FILE = ROOT / "docs/images/dag.svg"
#: Left to right; the two that judge a trained network side by side.
COLUMNS = ("check", "download", "preprocess", "train", "evaluate", "export", "compare")
COLOURS = ("#9e9e9e", "#7e9cc9", "#5f82bd", "#c9803f", "#5a9a68", "#8a6bb0", "#b0596b")
#: Half the width and height of a box; columns and rows are 1 apart.
WIDTH, HEIGHT = 0.4, 0.3

Place = tuple[float, float]


def main() -> None:
    """Write ``docs/images/dag.svg``, the same bytes for the same DAG."""
    every = read()
    graph = nx.transitive_reduction(every)
    places = place(graph, list(every))
    rows = 1 + max(y for _, y in places.values())
    plt.rcParams.update({"svg.hashsalt": "dag", "svg.fonttype": "none"})
    figure, axes = plt.subplots(figsize=(1.6 * len(COLUMNS), 0.4 * rows), layout="constrained")
    for begin, end in sorted(graph.edges):
        arrow(axes, places[begin], places[end])
    for stage, (x, y) in places.items():
        group, _, name = stage.partition("@")
        box: dict[str, Any] = {
            "boxstyle": "round,pad=0",
            "facecolor": COLOURS[COLUMNS.index(group)],
            "edgecolor": "none",
        }
        axes.add_patch(FancyBboxPatch((x - WIDTH, y - HEIGHT), 2 * WIDTH, 2 * HEIGHT, **box))
        axes.text(x, y, name or group, ha="center", va="center_baseline", color="white", fontsize=9)
    for x, group in enumerate(COLUMNS):
        axes.text(x, -1.1, group, ha="center", weight="bold", fontsize=10)
    axes.set(xlim=(-0.5, len(COLUMNS) - 0.5), ylim=(rows - 0.3, -1.6))
    axes.axis("off")
    figure.savefig(FILE, metadata={"Date": None})
    plt.close(figure)
    print(f"{FILE.relative_to(ROOT)}: {FILE.stat().st_size:,} bytes, {len(graph)} stages")


def read() -> "nx.DiGraph[str]":
    """The stages as ``dvc dag`` knows them, an edge from each to those that read its outputs."""
    command = [sys.executable, "-m", "dvc", "dag", "--dot"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(re.findall(r'^"([^"]+)";', printed, re.MULTILINE))
    graph.add_edges_from(re.findall(r'^"([^"]+)" -> "([^"]+)";', printed, re.MULTILINE))
    return graph


def place(graph: "nx.DiGraph[str]", order: list[str]) -> dict[str, Place]:
    """Stage -> column and row: a row for each run, those of a data set together, the rest beside what it leads to."""
    rows: dict[str, float] = {}
    for dataset in (stage for stage in order if stage.startswith("preprocess@")):
        for run in sorted(graph.successors(dataset), key=order.index):
            rows |= {f"{group}@{run.partition('@')[2]}": len(rows) // 4 for group in COLUMNS[3:]}
    for stage in reversed(list(nx.topological_sort(graph))):
        if stage not in rows:
            led_to = [rows[other] for other in graph.successors(stage)]
            rows[stage] = (min(led_to) + max(led_to)) / 2
    return {stage: (COLUMNS.index(stage.partition("@")[0]), rows[stage]) for stage in order}


def arrow(axes: Axes, begin: Place, end: Place) -> None:
    """From the right of a box to the left of another, around what is between them."""
    start, goal = (begin[0] + WIDTH, begin[1]), (end[0] - WIDTH, end[1])
    curve = f"arc3,rad={0.22 if end[0] - begin[0] > 1 else 0}"
    style: dict[str, Any] = {
        "connectionstyle": curve,
        "arrowstyle": "-|>",
        "mutation_scale": 7,
        "lw": 0.8,
        "color": "#777777",
    }
    axes.add_patch(FancyArrowPatch(start, goal, **style))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    main()
