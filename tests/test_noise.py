import logging
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline import noise

SOURCES = {
    "dvc": ("output.py", "stage/run.py", "dvcfile.py", "repo/scm_context.py"),
    "torch": ("utils/cpp_extension.py", "_inductor/ir.py"),
}


def test_what_is_left_out_is_what_the_libraries_say_word_for_word():
    said = ""
    for library, files in SOURCES.items():
        folder = Path(find_spec(library).origin).parent
        said += "".join((folder / file).read_text(encoding="utf-8") for file in files)
    missing = [text for text in noise.MESSAGES if f'"{text.encode("unicode_escape").decode()}"' not in said]
    assert missing == []


def test_another_message_is_shown(caplog):
    logger = logging.getLogger("test.noise")
    noise.leave_out(logger)
    logger.warning("'%s' is empty.", "outputs/a/samples")
    logger.warning("'%s' is missing.", "outputs/a/samples")
    assert caplog.messages == ["'outputs/a/samples' is missing."]


@pytest.mark.parametrize(("environment", "is_silent"), [({}, False), (noise.MLFLOW_SERVER, True)])
def test_a_server_of_mlflow_is_silent_about_what_it_imports(environment, is_silent):
    command = [sys.executable, "-c", "import starlette.middleware.wsgi"]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(command, env={**inherited, **environment}, capture_output=True, text=True, check=True)
    assert (done.stderr == "") == is_silent
