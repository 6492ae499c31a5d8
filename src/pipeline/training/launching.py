"""Let torchrun start several processes of a training, on this machine or on several."""

import io
import os
import shlex
import sys
from contextlib import redirect_stderr

#: The variable with torchrun's own arguments, such as ``--nproc-per-node 8``. How many processes share a training
#: belongs to the machine, not to the experiment, so it isn't a parameter.
LAUNCH = "PIPELINE_LAUNCH"
#: Seconds until torchrun kills what doesn't end by itself once another process has.
PATIENCE = ("--shutdown-timeout", "20")


def launch() -> None:
    """If ``PIPELINE_LAUNCH`` is set, run this command by torchrun and end with it; a process of torchrun's goes on."""
    text = os.environ.get(LAUNCH)
    if not text or "TORCHELASTIC_RUN_ID" in os.environ:
        return
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # until num_threads is read; torchrun would set it too, and warn
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            arguments = run.parse_args([*PATIENCE, *shlex.split(text), *sys.argv])  # type: ignore[no-untyped-call]
    except (SystemExit, ValueError) as error:
        reason = (said.getvalue() or str(error)).strip().splitlines()[-1]
        sys.exit(f"error: {LAUNCH}={text} are no arguments of torchrun: {reason}")
    try:
        run.run(arguments)  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        sys.exit(f"error: process {rank} of the training ended first, with {_fate(failure.exitcode)}")
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)
    sys.exit(0)


def _fate(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"
