"""What came of the runs of params.yaml on the test set, what of it has changed since the last time, and where to look.

It reads outputs/ alone, which `make repro` has just made, and calls nothing a result that belongs to other weights.
The environment may have NO_COLOR.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import arguments
from pipeline.core import params
from pipeline.core.files import write_json
from pipeline.reporting import tables
from pipeline.reporting.headline import METRICS
from pipeline.tracking.results import COMPARED, EVALUATED, told

#: The main metrics as they were shown last.
SHOWN = Path(".pipeline/summary.json")
NEXT = {
    "make ui": "the runs side by side in a browser: curves, parameters, data, files",
    "make plots": "curves, confusion matrices and pictures of all runs on one page",
    "make leaderboard": "the runs that MLflow has, best first",
    "make promote": "register the models; the best of a name becomes its champion",
    "git commit --all": "keep what was made of what; `dvc push` shares the files, where there is a storage for them",
    "outputs/<run>/": "metrics.json, plots/, model.ts and model.pt2",
}


@dataclass
class Result:
    """What is known of a run.

    Attributes:
        run, task, dataset, model: names.
        metrics: the main ones, of the test set.
        missing: what to run if there are none.
    """

    run: str
    task: str
    dataset: str
    model: str
    metrics: dict[str, float]
    missing: str = ""


def read(run: str, section: dict[str, Any]) -> Result:
    """Read the result of ``runs.<run>``, as far as there is one."""
    folder = Path("outputs") / run
    record = _read(folder / "record.json")
    if not record:
        return Result(run, section["task"], section["dataset"], section["model"]["name"], {}, "not trained")
    names = run, record["task"], record["dataset"], record["params"]["model.name"]
    metrics: dict[str, float] = {}
    for judgement in (EVALUATED[:2], COMPARED[:2]):  # the plots aren't shown here
        with suppress(OSError, ValueError):  # as of a file that is being written
            if told(folder, judgement, record["model_md5"]):
                metrics |= json.loads((folder / judgement[1]).read_text(encoding="utf-8"))
    if not metrics:
        return Result(*names, {}, "trained, not evaluated")
    main = {name: metrics[name] for name in METRICS.get(record["task"], {}) if name in metrics}
    return Result(*names, main or dict([*metrics.items()][:1]))


def table(results: list[Result], before: dict[str, dict[str, float]], bold: Callable[[str], str]) -> list[str]:
    """A line for each run.

    Args:
        results: of all runs.
        before: run -> its metrics as they were.
        bold: makes a text stand out.
    """
    best = _best(results)
    values = ["  ".join(f"{name} {value:.4g}" for name, value in found.metrics.items()) for found in results]
    rows = [
        (found.run, found.dataset, found.model, value or found.missing, _change(found, before))
        for found, value in zip(results, values, strict=True)
    ]
    header, *lines = tables.aligned([("run", "data set", "model", "on the test set", ""), *rows])
    shown = zip(results, values, lines, strict=True)
    return [header, *(line.replace(value, bold(value)) if found.run in best else line for found, value, line in shown)]


def _best(results: list[Result]) -> set[str]:
    """The best run of each task and data set that has several."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for found in results:
        if found.metrics and next(iter(found.metrics)) in METRICS.get(found.task, {}):
            groups.setdefault((found.task, found.dataset), []).append(found)
    best = set()
    for (task, _), group in groups.items():
        name, better = next(iter(METRICS[task].items()))
        comparable = [found for found in group if name in found.metrics]
        if len(comparable) > 1:
            best.add(better(comparable, key=lambda found: found.metrics[name]).run)
    return best


def _change(found: Result, before: dict[str, dict[str, float]]) -> str:
    if not found.metrics or found.metrics == before.get(found.run):
        return ""
    if found.run not in before:
        return "new"
    name, value = next(iter(found.metrics.items()))
    was = before[found.run].get(name)
    return f"{name} was {was:.4g}" if was not in (None, value) else "changed"


def _read(file: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is none or it can't be read, as one that is being written."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def _bold(text: str) -> str:
    is_shown = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    return f"\x1b[1m{text}\x1b[0m" if is_shown else text


def main(only_changes: bool) -> None:
    """Print the table, unless ``only_changes`` and nothing has changed."""
    results = [read(run, section) for run, section in params.read()["runs"].items()]
    before, now = _read(SHOWN), {found.run: found.metrics for found in results if found.metrics}
    if only_changes and before == now:
        return
    sys.stdout.write("\n" + "\n".join(table(results, before, _bold)) + "\n\n")
    if unfinished := [found.run for found in results if not found.metrics]:
        sys.stdout.write(f"to complete it: dvc repro {' '.join(f'evaluate@{run}' for run in unfinished)}\n")
    if now:
        sys.stdout.writelines(f"{where:{max(map(len, NEXT))}}  {what}\n" for where, what in NEXT.items())
    write_json(SHOWN, now)


if __name__ == "__main__":
    parser = arguments.parser(__doc__)
    parser.add_argument("--changes", action="store_true", help="print nothing if nothing has changed")
    given = parser.parse_args()
    try:
        main(given.changes)
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
