"""Take the README's pictures of MLflow's pages and of `make plots`, from the models in outputs/ and no other runs.

python tools/screenshots.py        # or: make screenshots
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from browsing import Window, window
from project import ROOT
from serving import served

FOLDER = ROOT / "docs" / "images"
#: Bytes of a picture: whoever clones the project has them all.
MAX_BYTES = 200_000


def main() -> None:
    """Put the models into a store of their own, serve it, and take the pictures."""
    with tempfile.TemporaryDirectory() as store:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        environment = {**inherited, "DVC_ROOT": store, "PYTHONPATH": str(ROOT / "src")}
        subprocess.run([sys.executable, "-m", "pipeline.tracking.track"], cwd=ROOT, env=environment, check=True)
        with served(ROOT, environment) as (address, links), window(1200, 1110) as ui:
            ui.start(address)
            ui.page.goto(links["classification/digits"])
            ui.charts("^(test/accuracy|test/nll|val/)")
            take(ui, "compare.png")
            ui.page.get_by_role("link", name=re.compile("^lenet · ")).click()
            ui.follow("Model metrics")
            ui.charts("^(train|val)/")
            take(ui, "run.png")
    subprocess.run([sys.executable, "-m", "pipeline.reporting.plots"], cwd=ROOT, check=True)
    with window(1150, 960) as page:
        page.page.goto((ROOT / "dvc_plots" / "runs.html").as_uri())
        page.page.locator("svg, canvas").nth(5).wait_for()
        take(page, "plots.png")
    shutil.copy(ROOT / "outputs/lstm/plots/pictures/mistakes.png", FOLDER)


def take(ui: Window, name: str) -> None:
    """Write what the window shows to a file.

    Raises:
        ValueError: the file is too large.
    """
    file = FOLDER / name
    file.parent.mkdir(parents=True, exist_ok=True)
    ui.page.screenshot(path=file, animations="disabled")
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{file} has {size:,} bytes and may have {MAX_BYTES:,}: make the window smaller")
    print(f"{file.relative_to(Path.cwd())}: {size:,} bytes")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    main()
