"""`make leaderboard`: the runs in MLflow, by task and data set, best first."""

import math
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import arguments
from pipeline.reporting import marked, tables
from pipeline.tracking import spool
from pipeline.tracking.publishing import describe, open_store

if TYPE_CHECKING:
    from pipeline.reporting.ranking import Entry

MARK = "leaderboard"
#: What nobody measured.
UNKNOWN = "-"


def main() -> None:
    """Print the tables, or write them into a file.

    Raises:
        ValueError: the store has no finished run, or the file no place for them.
    """
    parser = arguments.parser(__doc__, "make leaderboard [ALL=1] [MARKDOWN=1] [WRITE=<Markdown file>]")
    parser.add_argument("--all", action="store_true", help="of each name all models, not only the present and the best")
    parser.add_argument("--markdown", action="store_true", help="tables for Markdown")
    parser.add_argument("--write", type=Path, help="a Markdown file, which gets them between its marks")
    given = parser.parse_args()
    store = open_store()
    # Here and not above: it imports MLflow, which must be told its settings before.
    from pipeline.reporting.ranking import rank

    ranked = rank(store.client, given.all)
    if not ranked:
        raise ValueError(f"{spool.place()} has no finished run: train by `make repro`")
    text = leaderboard(ranked, tables.markdown if given.markdown or given.write else tables.plain)
    if given.write:
        marked.replace(given.write, MARK, text)
    else:
        sys.stdout.write(text)


def leaderboard(ranked: dict[str, list["Entry"]], table: tables.Format) -> str:
    """One table for each task and data set."""
    parts = []
    for experiment, entries in ranked.items():
        header = ["run", "model", *entries[0].metrics, "parameters", "epochs", "training", "device", ""]
        parts.append(table(experiment, header, [_cells(entry) for entry in entries]))
    return "\n".join(parts)


def _cells(entry: "Entry") -> list[str]:
    return [
        entry.run,
        entry.key[:7],
        *(UNKNOWN if math.isnan(value) else f"{value:#.4g}" for value in entry.metrics.values()),
        f"{entry.num_parameters:,}",
        str(entry.epochs),
        UNKNOWN if entry.seconds is None else _time(entry.seconds),
        entry.device or UNKNOWN,
        "champion" if entry.is_champion else "",
    ]


def _time(seconds: float) -> str:
    """Seconds, or hours, minutes and seconds."""
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"error: {error}")
    except Exception as error:
        sys.exit(f"error: {describe(error)}")
