"""Write another form of an exported program beside it, and prove it on the whole test split."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline import arguments
from pipeline.core.files import replacing
from pipeline.deploying.exported import Exported, read


@dataclass(frozen=True)
class Form:
    """A form that no stage makes, since not everyone has what it takes.

    Attributes:
        file: its name in ``outputs/<run>``.
        check: raises ValueError with the remedy if something that it takes isn't installed.
        write: makes a file of an exported run.
        load: reads the file back; what it gives takes and returns tensors as the program does.
    """

    file: str
    check: Callable[[], None]
    write: Callable[[Exported, Path], None]
    load: Callable[[Path], Callable[..., Tensor]]


def write(form: Form, exported: Exported, target: Path) -> dict[str, float]:
    """Write ``form`` to ``target``, where it takes its place only when it is proved; returns what the proof found.

    Raises:
        ValueError: the program has no such form, or the form answers otherwise.
        OSError: the disk is full or read-only.
    """
    with replacing(target) as file:
        try:
            form.write(exported, file)
            answer = form.load(file)
        except OSError:
            raise
        # Each library has its own exceptions for what it can't do.
        except Exception as error:
            program = exported.folder / "model.pt2"
            raise ValueError(f"{program} can't become {form.file}: {type(error).__name__}: {error}") from error
        with torch.inference_mode():
            return exported.prove(str(target), answer)


def command(form: Form, description: str | None) -> None:
    """Write ``form`` of the run that is the command's one argument, and print what was found."""
    run = arguments.one("RUN", description, f"make {Path(sys.argv[0]).stem} RUN=<name of an exported run>")
    try:
        form.check()
        exported = read(run)
        target = exported.folder / form.file
        found = write(form, exported, target)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    answers = "labels are the same, answers" if "labels_equal" in found else "answers"
    sys.stdout.write(
        f"{target}: {target.stat().st_size:,} bytes; for {len(exported.answers)} test examples {answers} differ by "
        f"{found['max_difference']:.1g} at most\n"
    )
