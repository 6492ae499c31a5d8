"""`make plots`: a page with all that DVC plots of the models in the workspace, to compare them.

It is one file that asks for no other and for no host.
"""

import sys
from pathlib import Path

from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc_render.html import HTML  # type: ignore[import-untyped]

from pipeline import arguments
from pipeline.core.files import write_text
from pipeline.reporting import vega
from pipeline.reporting.collecting import Plots, collect
from pipeline.reporting.drawing import draw

#: Not index.html, which `dvc plots show` writes there.
PAGE = Path("dvc_plots/runs.html")
#: What lies beside a model, in the order of the page -> its heading.
HEADINGS = {
    "history.csv": "Learning curves",
    "plots/curves": "Test: curves",
    "plots/confusion": "Test: confusions",
    "plots/pictures": "Test: pictures",
    "comparison/classes": "Generated beside real images: classes",
    "comparison/pictures": "Generated images and the nearest real ones",
    "samples": "Samples while learning",
}


def main() -> None:
    """Write the page and print its address."""
    write_text(PAGE, page(collect()))
    sys.stdout.write(f"{PAGE.resolve().as_uri()}\n")


def page(found: dict[str, Plots]) -> str:
    """The HTML of all plots, by ``<task>/<data set>``."""
    document = HTML(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    document.with_scripts(f"<script>{vega.script()}</script>")
    document.with_element("".join(["<nav>", *(f'<a href="#{group}">{group}</a>' for group in found), "</nav>"]))
    for group, plots in found.items():
        document.with_element(f'<h2 id="{group}">{group}</h2>')
        runs = list(dict.fromkeys(run for plot in plots.values() for run in plot.contents))
        for heading, places in _by_heading(plots).items():
            document.with_element(f'<h3>{heading}</h3><div class="plots">')
            for place in places:
                for element in draw(plots[place], f"{group}/{place}", runs):
                    document.with_element(element)
            document.with_element("</div>")
    return str(document.embed())


def _by_heading(plots: Plots) -> dict[str, list[str]]:
    headings: dict[str, list[str]] = {heading: [] for heading in HEADINGS.values()}
    for place in sorted(plots):
        folder = str(Path(place).parent)
        headings.setdefault(HEADINGS.get(place) or HEADINGS.get(folder) or place, []).append(place)
    return {heading: places for heading, places in headings.items() if places}


if __name__ == "__main__":
    arguments.none(__doc__, "make plots")
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, OSError, DvcException) as error:
        sys.exit(f"error: {error}")
