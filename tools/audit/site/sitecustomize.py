"""Python imports this at its start if its folder is on PYTHONPATH, as tools/observing.py arranges for a stage."""

import os

if "PIPELINE_AUDIT" in os.environ:
    from audit import parameters, reads

    reads.start()
    parameters.start()
