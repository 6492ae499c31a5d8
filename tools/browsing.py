"""MLflow's pages in a headless Chromium, used as a person uses them: for tests and for the pictures in the README."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, HttpCredentials, Locator, Page, Request, sync_playwright

#: Where the browser is, and how to get it where it isn't.
NAMES = ("chromium", "google-chrome")
REMEDY = "no Chromium is on the PATH: `apt-get install chromium`, or your system's package of it"
#: The sandbox refuses to work for root. All else keeps the browser itself from asking hosts of its makers, and the last
#: one everybody from reaching any host but this.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
#: Milliseconds that a page may take to show something, on a machine that is busy with other work.
PATIENCE = 60_000
#: Parts of errors that MLflow's pages report wherever they are served.
EXPECTED = (
    # They ask who is logged in, and a server without authentication doesn't know the question.
    "/ajax-api/2.0/mlflow/users/current",
    # A chart changed its size while others were told of theirs; they are told a frame later.
    "ResizeObserver loop completed with undelivered notifications",
)
CARD = "[data-testid=experiment-view-compare-runs-card]"


@dataclass(frozen=True)
class Curve:
    """One run's line in the chart of a metric.

    Attributes:
        metric, run: their names.
        steps, values: the points that the chart was given.
        drawn: how many of them are drawn.
    """

    metric: str
    run: str
    steps: list[float]
    values: list[float]
    drawn: int


class Window:
    """A browser window on MLflow's UI.

    Attributes:
        hosts: every host that was asked for something.
        errors: what the pages reported as errors, but for ``EXPECTED``.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.context.on("request", self._asked)
        page.on("console", self._reported)
        page.on("pageerror", lambda error: self._failed(str(error)))

    def start(self, address: str) -> None:
        """Open the list of experiments of the server at ``address``, and choose MLflow's pages for training.

        It begins with those for language models, a wide side bar and an open chat, and remembers what was chosen.
        """
        self.page.goto(f"{address}/#/experiments")
        self.page.get_by_role("button", name="Close", exact=True).click()
        self.page.get_by_text("Model training", exact=True).click()
        self.page.get_by_role("button", name="Toggle sidebar").click()

    def follow(self, name: str) -> None:
        """Click the link or the tab called ``name``."""
        link, tab = (self.page.get_by_role(role, name=name, exact=True) for role in ("link", "tab"))
        link.or_(tab).first.click()

    def charts(self, metrics: str) -> Locator:
        """The charts of the metrics that match a regular expression, all of them drawn."""
        search = self.page.get_by_placeholder("Search metric charts")
        search.fill(metrics)
        search.blur()
        self.page.wait_for_timeout(1000)  # the search waits for the last letter
        cards = self.page.locator(CARD)
        cards.first.wait_for()
        for card in cards.all():  # each is drawn when it gets into view
            card.scroll_into_view_if_needed()
            card.locator(".js-plotly-plot .cartesianlayer .trace").first.wait_for(state="attached")
        cards.first.evaluate("card => { for (let box = card; box; box = box.parentElement) box.scrollTop = 0; }")
        return cards.locator(".js-plotly-plot")

    def curves(self, metrics: str) -> list[Curve]:
        """The lines in the charts of the metrics that match a regular expression; each has another without points."""
        found = self.charts(metrics).evaluate_all(
            """plots => plots.flatMap(plot => {
                const shapes = [...plot.querySelectorAll('.scatterlayer .trace')];
                return plot.data.map((trace, i) => ({
                    metric: trace.metricKey, run: trace.name, steps: [...trace.x], values: [...trace.y],
                    drawn: shapes[i].querySelectorAll('path.point').length,
                })).filter((_, i) => plot.data[i].mode.includes('markers'));
            })"""
        )
        return [Curve(**line) for line in found]

    def parallel_coordinates(self) -> list[str]:
        """The axes of the compare view's chart."""
        plot = self.page.locator(".js-plotly-plot:has(.parcoords)").first
        plot.wait_for()
        labels: list[str] = plot.evaluate("plot => plot.data[0].dimensions.map(axis => axis.label)")
        return labels

    def rows(self, first: str) -> dict[str, list[str]]:
        """The tables of the page, first cell -> the others; waits for the row that starts with ``first``."""
        self.page.get_by_role("row").filter(has_text=first).first.wait_for()
        lines: list[list[str]] = self.page.get_by_role("row").evaluate_all(
            """rows => rows.map(row => {
                const cells = row.querySelectorAll('td, th, [role=cell], [role=rowheader]');
                return [...cells].map(cell => cell.innerText.trim());
            })"""
        )
        return {line[0]: line[1:] for line in lines if line}

    def picture(self, name: str) -> tuple[int, int]:
        """Width and height in pixels of the picture called ``name``, once it is decoded; 0 if it can't be."""
        shown = self.page.get_by_role("img", name=name)
        shown.wait_for()
        size: list[int] = shown.evaluate(
            """async image => {
                await image.decode().catch(() => {});
                return [image.naturalWidth, image.naturalHeight];
            }"""
        )
        return size[0], size[1]

    def _asked(self, request: Request) -> None:
        if host := urlsplit(request.url).hostname:
            self.hosts.add(host)

    def _reported(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._failed(f"{message.text} ({message.location['url']})")

    def _failed(self, error: str) -> None:
        if not any(part in error for part in EXPECTED):
            self.errors.append(error)


@contextmanager
def window(width: int = 1200, height: int = 1000, login: HttpCredentials | None = None) -> Iterator[Window]:
    """Open a new browser's only window, of so many pixels, in which ``login`` is typed when a server asks for it.

    Raises:
        ValueError: there is no Chromium.
    """
    browser = chromium()
    if browser is None:
        raise ValueError(REMEDY)
    with sync_playwright() as playwright:
        process = playwright.chromium.launch(executable_path=browser, args=OPTIONS)
        try:
            yield Window(process.new_page(viewport={"width": width, "height": height}, http_credentials=login))
        finally:
            process.close()


def chromium() -> str | None:
    """The browser's file, if there is one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)
