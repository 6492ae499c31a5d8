"""Every command of the documents is run, as it stands in the text.

A command that is new in a document gets a :class:`Step` here, or the test that runs it a line in ``ELSEWHERE``.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import prepared
import pytest
from documents import COMMAND, blocks, codes, commands, snippets
from project import ROOT
from ruamel.yaml import YAML
from serving import free_port
from user import ACTIVATE, Done, User, new_user

from pipeline.core import storage
from pipeline.sweeping import space

pytestmark = pytest.mark.slow

DOCUMENTS = ("README.md", "CONTRIBUTING.md")
COMMANDS = {document: commands(document) for document in DOCUMENTS}
#: A program of all Python in the text, in its order, with what it names.
PROGRAM = [
    "import mlflow, torch",
    "images, texts = torch.randint(0, 256, (3, 1, 40, 20)).byte(), ['Kowalski']",
    *snippets("README.md"),
    "print(probabilities.shape, images.shape, log_variance.shape)",
]


@dataclass(frozen=True)
class Step:
    """What a user types.

    Attributes:
        command: as it stands in a document.
        shows: a pattern in what it prints, or in the answer to ``asks``.
        before: what the user does first.
        filled: a part of the command, and what the user types in its place.
        asks: what is typed afterwards; while the command runs, if it serves.
        serves: the port that the command listens on until Ctrl-C, and the option for one that is free.
        lacks: what this machine lacks to run it.
    """

    command: str
    shows: str
    before: Callable[[User], object] | None = None
    filled: tuple[str, str] = ("", "")
    asks: str = ""
    serves: tuple[int, str] | None = None
    lacks: str = ""

    @property
    def typed(self) -> str:
        return self.command.replace(*self.filled) if self.filled[0] else self.command


STORE = "export MLFLOW_TRACKING_URI=sqlite:///mlruns/mlflow.db"
CURL = (
    "curl http://127.0.0.1:5001/invocations -H 'Content-Type: application/json'"
    """ -d '{"inputs": ["Kowalski", "Müller"]}'"""
)
GET = "curl --silent --fail --write-out ' status %{http_code}' http://127.0.0.1:5000/"
NO_CURL = "" if shutil.which("curl") else "curl isn't installed"
#: MLflow's tags have where a model was trained.
TAGS = """python -c 'import sqlite3; print(*sqlite3.connect("mlruns/mlflow.db").execute("SELECT value FROM tags"))'"""
PYTHON = "\n".join([f"{STORE} && python - <<'END'", *PROGRAM, "END"])

#: One user's day: each command that trains has something to train, and those behind it use what there is by then.
STEPS = [
    Step(ACTIVATE, "^$"),
    Step("make help", r"repro +bring every model"),
    Step("make extras", "Nothing to be done"),
    Step("make lock", "tools/lock.sh", filled=("make", "make --dry-run")),  # it asks the package index
    Step("cp examples/mnist.yaml params.yaml && dvc repro", "Running stage 'export@linear'", prepared.small_mnist),
    Step(
        "ATEN_CPU_CAPABILITY=avx2 DNNL_MAX_CPU_ISA=AVX2 MKL_CBWR=COMPATIBLE dvc repro",
        "Running stage 'export@lenet'",
        prepared.lenet,
    ),
    Step('PIPELINE_LAUNCH="--nproc-per-node 2" dvc repro', "Running stage 'export@surnames'", prepared.surnames),
    Step("make repro JOBS=2", "compare@conv_vae", prepared.vae_and_own_data),
    Step("dvc params diff", r"params\.yaml +runs\.conv_vae"),
    Step("make repro", r"2 x \w+", prepared.commit, asks=TAGS),
    Step("dvc repro", r"'evaluate@lenet'(?!(.|\n)*Running stage 'train@)", prepared.evaluate_otherwise),
    Step("dvc repro train@lenet", "Stage 'train@lenet' didn't change"),
    Step("dvc status", "up to date"),
    Step("dvc dag", "export@lenet"),
    Step("dvc metrics show", r"outputs/lenet/metrics\.json"),
    Step("dvc plots show", r"file://.*index\.html"),
    Step("dvc exp show", "Experiment"),
    Step("dvc queue status", "No experiment tasks"),
    Step("python -m pipeline.recovery", "^$"),
    Step("make track", ""),
    Step("make track REV=<commit>", "", filled=("<commit>", "HEAD")),
    Step("make ui", "OK status 200", asks=GET + "health", serves=(5000, "PORT="), lacks=NO_CURL),
    # Of the default pipeline's models; what drives the browser is tested in tests/tracking/test_pages.py.
    Step("make screenshots", "tools/screenshots.py", filled=("make", "make --dry-run")),
    Step("make promote", r"lenet: version 1 is champion(.|\n)*surnames: version 1 is champion"),
    Step(PYTHON, r"Size\(\[2, 14\]\) .*Size\(\[64, 1, 16, 16\]\) .*Size\(\[64, 4\]\)"),
    Step("make lineage OF=lenet@champion", "input_key: "),
    Step("make serve RUN=surnames", r'"predictions": \[\[0', asks=CURL, serves=(5001, "PORT="), lacks=NO_CURL),
    Step(
        "mlflow models serve -m models:/lenet@champion --env-manager local",
        " status 200",
        filled=("mlflow models", f"{STORE} && mlflow models"),
        asks=GET + "ping",
        serves=(5000, "--port "),
        lacks=NO_CURL,
    ),
    Step("python -m pipeline.predict lenet photo.jpg folder", r"photo\.jpg(.|\n)*folder/other\.png", prepared.pictures),
    Step(
        "python benchmarks/deployment.py",
        r"\| lenet \| model\.onnx \|",
        filled=("deployment.py", "deployment.py lenet --rounds 1 --seconds 0.01"),
        lacks="" if shutil.which("g++") else "g++ isn't installed",
    ),
    Step("make demote RUN=lenet", "there is no champion now"),
    # Up to an hour of training each.
    Step("python benchmarks/target.py", "--seeds", filled=("target.py", "target.py --help")),
    Step("python benchmarks/seeds.py examples/mnist.yaml --jobs 2", "--precision", filled=("--jobs 2", "--help")),
    Step("make test", r"\d passed", prepared.few_tests),
    Step('pytest -m "not slow"', r"\d passed"),
]
TYPED = {text for step in STEPS for text in (step.command, step.asks)} | {STORE}

#: Command -> the file that runs it, and what stands there: of a `make` command, what it starts.
ELSEWHERE = {
    **{
        command: ("tests/documents/test_examples.py", command)
        for command in (
            "dvc repro evaluate@mlp export@mlp",
            "pytest tests/models -k mlp",
            "dvc repro evaluate@wine export@wine",
            "pytest tests/datasets -k wine",
        )
    },
    "make plots": ("tests/reporting/test_plots.py", "pipeline.reporting.plots"),
    "make leaderboard WRITE=README.md": ("tests/reporting/test_leaderboard.py", "pipeline.reporting.leaderboard"),
    "make hooks": ("tests/tools/test_hooks.py", "With `make hooks` git refuses"),
    "make lint": (".ci/run", "make lint"),
    "make bench": (".ci/run", "benchmarks/speed.py"),
    "apt-get install chromium": (".ci/run", "install chromium"),
    'make sweep RUN=lenet SPACE="train.optimizer.lr=0.01,0.05 train.batch_size=50,100" JOBS=2': (
        "tests/sweeping/test_sweep.py",
        "pipeline.sweeping.sweep",
    ),
    'make sweep RUN=lenet SPACE="train.optimizer.lr=0.001..0.1:log train.batch_size=50,100" TRIALS=20': (
        "tests/sweeping/test_sweep.py",
        "pipeline.sweeping.sweep",
    ),
    "make sweep TRIALS=…": ("tests/sweeping/test_sweep.py", "pipeline.sweeping.sweep"),
    "dvc exp apply <name> && dvc repro": ("tests/team/test_commands.py", '"bash", "-ec", take_over'),
    "dvc exp run --queue -S …": ("src/pipeline/sweeping/experiments.py", '"exp", "run", "--queue"'),
    "dvc queue stop --kill": ("tools/queue_workers.py", '"dvc", "queue", "stop", "--kill"'),
    "dvc pull": ("tests/team/test_storage.py", '"pull"'),
    "dvc push": ("tests/team/test_storage.py", '"push"'),
    "make server DATA=/srv/mlflow": ("tests/team/conftest.py", "pipeline.team.server"),
    "make onnx RUN=lenet": ("tests/deploying/test_onnx.py", "pipeline.deploying.onnx"),
    "make aotinductor RUN=lenet": ("tests/deploying/test_aotinductor.py", "pipeline.deploying.aotinductor"),
    "make chaos": ("tests/dag/test_chaos.py", "tools/chaos.py"),
    'cmake -S examples/cpp -B /tmp/classify -DPython3_EXECUTABLE="$PWD/.venv/bin/python"': (
        "tests/exporting/test_cpp.py",
        '["cmake", "-S", SOURCE, "-B", build, f"-DPython3_EXECUTABLE={sys.executable}"]',
    ),
    "cmake --build /tmp/classify": ("tests/exporting/test_cpp.py", '["cmake", "--build", build, '),
    "/tmp/classify/classify outputs/lenet/model.ts data/processed/digits/test.safetensors": (  # noqa: S108
        "tests/exporting/test_cpp.py",
        'classify(model, data / "test.safetensors")',
    ),
}


class Day:
    """The steps, each done once, after those before it."""

    def __init__(self, user: User) -> None:
        self.user, self.done = user, list[Done]()

    def until(self, step: Step) -> Done:
        """What came of the step."""
        number = STEPS.index(step)
        while len(self.done) <= number:
            self.done.append(self._take(STEPS[len(self.done)]))
        return self.done[number]

    def _take(self, step: Step) -> Done:
        if step.lacks:
            return Done(0, "")
        if step.before is not None:
            step.before(self.user)
        if step.serves:
            (named, option), port = step.serves, free_port()
            with self.user.serving(f"{step.typed} {option}{port}") as server:
                answer = server.answers(self.user, step.asks.replace(str(named), str(port)))
                return answer if not answer.status else Done(answer.status, server.said())
        done = self.user.types(step.typed)
        return self.user.types(step.asks) if step.asks and not done.status else done


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    user = new_user(tmp_path_factory.mktemp("day") / "project")
    user.environment["MLFLOW_WORKERS"] = "1"  # each of four would import MLflow for a single question
    yield Day(user)
    shutil.rmtree(user.root / ".pipeline", ignore_errors=True)  # the publishing process ends


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.command.splitlines()[0])
def test_a_command_does_what_the_text_says(day, step):
    if step.lacks:
        pytest.skip(step.lacks)
    done = day.until(step)
    assert done.status == 0, done.said[-6000:]
    assert re.search(step.shows, done.said), done.said[-6000:]


def is_run(command: str) -> bool:
    """Whether the command, or each of its parts, is run; the beginning of one that is run is its name."""
    known = TYPED | ELSEWHERE.keys()
    return any(f"{one} ".startswith(f"{command} ") for one in known) or (
        " && " in command and all(is_run(part) for part in command.split(" && "))
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_is_run(document):
    missing = [command for command in COMMANDS[document] if not is_run(command)]
    assert not missing, f"{document} has commands that no test runs; add a Step, or a line to ELSEWHERE, for {missing}"


def test_every_command_here_is_in_a_document():
    documented = {command for document in DOCUMENTS for command in COMMANDS[document]}
    documented |= {part for command in documented for part in command.split(" && ")}
    assert {step.command for step in STEPS} - {PYTHON} | ELSEWHERE.keys() <= documented


@pytest.mark.parametrize("command", ELSEWHERE)
def test_a_command_that_is_run_elsewhere_is_run_there(command):
    file, evidence = ELSEWHERE[command]
    assert evidence in ROOT.joinpath(file).read_text(encoding="utf-8")
    if command.startswith("make ") and command not in evidence:
        dry = subprocess.run(
            ["bash", "-c", command.replace("make", "make --dry-run", 1)], cwd=ROOT, capture_output=True
        )
        assert evidence in dry.stdout.decode()


def test_own_pictures_and_texts_are_read(day):
    day.until(next(step for step in STEPS if step.before is prepared.vae_and_own_data))
    found = {name: storage.read_meta(day.user.root / "data/processed" / name) for name in ("parts", "tickets")}

    assert found["parts"].classes == ("bolt", "nut")
    assert found["parts"].spec.shape == (3, 32, 32)
    assert found["tickets"].classes == ("network", "printer")
    assert found["tickets"].num_examples("test") == 20


def test_the_sweeps_of_the_text_are_possible():
    for command in COMMANDS["README.md"]:
        if command.startswith("make sweep") and "SPACE" in command:
            given = dict(word.split("=", 1) for word in shlex.split(command)[2:])
            space.check(space.parse(given["SPACE"]), given["RUN"], YAML(typ="safe").load(ROOT / "params.yaml"))


def test_every_entry_of_the_text_is_used():
    used = ["Train on your own images", "Train on your own texts", "Make images", "Choose a model"]
    assert sorted(block.title for block in blocks("README.md", "yaml")) == sorted(used)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_block_is_overlooked(document):
    others = [code for code in codes(document) if code.language not in (None, "sh", "python", "yaml")]
    assert {code.language for code in others} <= {"", "mermaid"}, "shell is `sh` here"
    assert not [line for code in others for line in code.text.splitlines() if COMMAND.fullmatch(line)]
