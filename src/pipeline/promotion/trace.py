"""`make lineage OF=…`: print where a model comes from, or which models came from a commit, data or a parameter."""

import sys

from ruamel.yaml import YAML

from pipeline import arguments
from pipeline.tracking.publishing import describe, open_store


def main(text: str) -> None:
    """Print, as YAML, one document for each run that ``text`` is about."""
    store = open_store()
    # Here and not above: it imports MLflow, which must be told its settings before.
    from pipeline.promotion.lineage import Lineage

    lineage, yaml = Lineage(store), YAML()
    yaml.explicit_start = True
    for run in lineage.find(text):
        yaml.dump(lineage.describe(run), sys.stdout)


if __name__ == "__main__":
    ways = "<model>@<alias>, <model>/<version>, a run, commit, key, md5, or NAME=VALUE"
    wanted = arguments.one("OF", __doc__, f"make lineage OF={ways}")
    try:
        main(wanted)
    except Exception as error:
        sys.exit(f"error: {describe(error)}")
