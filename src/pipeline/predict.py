"""`python -m pipeline.predict MODEL INPUT…`: what an exported model says of files and folders.

MODEL is a run, its folder or a model.ts, which alone is needed: no parameters and no data. INPUT is, for images, files
in any format that Pillow reads and folders with them; for tables, .csv files with a header line and the model's
features in their order; for texts, .txt files with one text a line; - is standard input. Prints a line for each
example: the file (with the line in it), then the class and its probability, or the value, between tabs.
"""

import csv
import json
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import arguments

if TYPE_CHECKING:
    from pipeline.prediction.program import Program


def main(model: str, names: list[str], as_json: bool) -> int:
    """Predict and print; returns the exit status, which is 1 if some input couldn't be read.

    Raises:
        ValueError: there is no such model, it predicts nothing, or nothing was found to predict.
    """
    # Here and not above: `--help` needs no PyTorch.
    from pipeline.prediction import inputs, program

    loaded = program.load(program.find(model))
    table = csv.writer(sys.stdout, "excel-tab", lineterminator="\n")  # quotes what has a tab in its name
    found = failed = 0
    for batch in inputs.batched(inputs.read(loaded.modality, loaded.shape, names), inputs.BATCH):
        said = iter(_said(loaded, [one.example for one in batch if one.problem is None]))
        for one in batch:
            found += 1
            answer = next(said) if one.problem is None else one.problem
            if isinstance(answer, str):
                failed += 1
                sys.stderr.write(f"error: {one.place}: {answer}\n")
            elif as_json:
                line = {} if one.line is None else {"line": one.line}
                sys.stdout.write(json.dumps({"file": one.file, **line, **answer}) + "\n")
            else:
                table.writerow([one.place, *answer.values()])
        sys.stdout.flush()
    if not found:
        raise ValueError(f"{', '.join(names)}: there is nothing to predict")
    return int(failed > 0)


def _said(loaded: "Program", examples: list[Any]) -> Iterator[dict[str, Any] | str]:
    """The answer to each example, or what is wrong with it."""
    for answer in loaded.answers(examples) if examples else ():
        if not np.isfinite(answer).all():
            yield "the model's answer is not a finite number; are the inputs in their usual range?"
        elif loaded.classes:
            best = answer.argmax()
            yield {"class": loaded.classes[best], "probability": _short(answer[best])}
        else:
            yield {"value": _short(answer)}


def _short(number: np.float32) -> float:
    """The same number with the fewest digits that tell it from other float32."""
    return float(str(number))


if __name__ == "__main__":
    parser = arguments.parser(__doc__)
    parser.add_argument("model", metavar="MODEL", help="a run, its folder or a model.ts")
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="files, folders, or - for standard input")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    given = parser.parse_args()
    # As programs in a pipe do whose reader has seen enough.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Names of files are any bytes.
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    try:
        sys.exit(main(given.model, given.inputs, given.json))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
