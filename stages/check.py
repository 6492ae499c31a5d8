"""Stage check: validate all of params.yaml before DVC deletes anything; its output never changes."""

import sys
from pathlib import Path

from pipeline.core import params, stage
from pipeline.core.files import write_text


def main(target: str) -> None:
    """Check ``params.yaml`` and, if it is valid, write the file that every other stage depends on."""
    from pipeline import checking

    for warning in checking.check(params.read(), rehearse=True):
        print(f"warning: {warning}", file=sys.stderr)
    write_text(Path(target), "params.yaml is valid\n")


if __name__ == "__main__":
    stage.run(main)
