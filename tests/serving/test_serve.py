"""Real champions behind MLflow's real server: what it answers, what it refuses, and how it ends."""

import json
import re
import shutil
import signal
import socket
import sqlite3
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from pipeline.exporting import torchscript
from pipeline.serving.gate import MAX_BYTES, MAX_EXAMPLES

pytestmark = pytest.mark.slow

RUNS = ("linear", "diabetes", "surnames", "vae", "gan")
README = Path(__file__).parents[2] / "README.md"
TEXTS = ["Kowalski", "Müller", "", "\t日本 😀", "a" * 50]


@pytest.fixture(scope="module", params=RUNS)
def server(request, champions, serving):
    with serving(champions, request.param) as running:
        running.name = request.param
        yield running


def inputs(name, number, seed=0):
    """Inputs as JSON has them."""
    draw = np.random.default_rng(seed)
    if name == "surnames":
        return ["".join(draw.choice([*"abcdé ß", "日"], 9)) for _ in range(number)]
    if name == "diabetes":
        return draw.normal(50, 30, (number, 10)).tolist()
    if name == "gan":
        return draw.normal(size=(number, 8)).tolist()
    return draw.integers(0, 256, (number, 1, 11, 9)).tolist()


def expected(workspace, name, given):
    """What ``model.ts`` gives in this process."""
    program = torchscript.load(workspace.root / "outputs" / name / "model.ts")
    if name != "surnames":
        given = torch.tensor(given, dtype=torch.uint8 if name in ("linear", "vae") else torch.float32)
    return program(given).tolist()


def assert_answers(server, champions, given):
    status, answer = server.ask({"inputs": given})
    assert status == 200, answer
    np.testing.assert_allclose(answer["predictions"], expected(champions, server.name, given), rtol=1e-5, atol=1e-6)


def test_it_answers_as_the_exported_program_does_one_or_many_and_several_at_once(server, champions):
    for number in (1, 1, 1, 100):  # TorchScript compiles anew within its first calls
        assert_answers(server, champions, inputs(server.name, number))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: assert_answers(server, champions, inputs(server.name, 1 + seed, seed)), range(40)))


GOOD = {"linear": [[[[0, 255], [7, 9]]]], "diabetes": [[1.5] * 10], "surnames": ["é"], "gan": [[0.5] * 8]}
GOOD["vae"] = GOOD["linear"]


def nested(value, depth):
    return json.dumps({"inputs": []}).encode().replace(b"[]", b"[" * depth + value + b"]" * depth)


#: What every model refuses: body, type of the content, status, and what the reason has.
ANYWHERE = [
    (b'{"inputs": [[', "application/json", 400, "not JSON: Expecting value: line 1 column 14"),
    (b"", "application/json", 400, "not JSON"),
    (b"\xff\xfe", "application/json", 400, "not JSON"),
    (nested(b"1", 100_000), "application/json", 400, "not JSON: maximum recursion depth"),
    (nested(b"9" * 5000, 4), "application/json", 400, "not JSON: Exceeds the limit"),
    (nested(b"NaN", 2), "application/json", 400, "not JSON: NaN"),
    (nested(b"-Infinity", 2), "application/json", 400, "not JSON: -Infinity"),
    ([[1]], "application/json", 400, "must be {\"inputs\": …} with nothing else; found [[1]]"),
    ("inputs", "application/json", 400, "found 'inputs'"),
    (None, "application/json", 400, "found None"),
    ({}, "application/json", 400, "found the keys []"),
    ({"instances": []}, "application/json", 400, "found the keys ['instances']"),
    ({"dataframe_records": [{"text": "a"}]}, "application/json", 400, "found the keys ['dataframe_records']"),
    ({"inputs": [], "params": {}}, "application/json", 400, "found the keys ['inputs', 'params']"),
    ({"\ud800": 1}, "application/json", 400, r"found the keys ['\ud800']"),
    ({"inputs": None}, "application/json", 400, "inputs must be"),
    ({"inputs": "text"}, "application/json", 400, "inputs must be"),
    ({"inputs": 5}, "application/json", 400, "inputs must be"),
    ({"inputs": []}, "application/json", 400, "inputs must be"),
    ({"inputs": {}}, "application/json", 400, "inputs must be"),
    ({"inputs": {"column": [1]}}, "application/json", 400, "inputs must be"),
    ({"inputs": [{"a": 1}]}, "application/json", 400, "inputs must be"),
    (nested(b"1", 70), "application/json", 400, "inputs must be"),
    (b"a,b\n1,2\n", "text/csv", 415, "Content-Type must be application/json and is text/csv"),
    (b"PAR1", "application/vnd.apache.parquet", 415, "is application/vnd.apache.parquet"),
    (b"{}", None, 415, "is missing"),
    (b"x" * (MAX_BYTES + 1), "application/json", 413, f"has {MAX_BYTES + 1} bytes, and at most {MAX_BYTES}"),
    (b"x" * (MAX_BYTES // 2), "text/plain", 415, "text/plain"),
    ((b'{"inputs": [', b"]}"), "application/json", 411, "Content-Length is missing"),
]  # fmt: skip

#: What one kind of model refuses, in ``inputs``.
IMAGES = [
    ([1, 2], 400, "shape (N, 1, H, W), none of them empty; found (2,)"),
    ([[[1]]], 400, "found (1, 1, 1)"),
    ([[[[[1]]]]], 400, "found (1, 1, 1, 1, 1)"),
    ([[[[1]]] * 3], 400, "found (1, 3, 1, 1)"),
    ([[[[]]]], 400, "found (1, 1, 1, 0)"),
    ([[[[1, 2], [3]]]], 400, "found (1, 1, 2)"),
    ([[[[1]]], [[[1, 2]]]], 400, "found (2, 1, 1)"),
    ([[[[0, 256]]]], 400, "inputs[0][0][0][1] must be a whole number from 0 to 255 and is 256"),
    ([[[[0], [-1]]]], 400, "inputs[0][0][1][0] must be a whole number from 0 to 255 and is -1"),
    ([[[[10**30]]]], 400, "is 1000"),
    ([[[[1.5]]]], 400, "is 1.5"),
    ([[[[1.0]]]], 400, "is 1.0"),
    ([[[[True]]]], 400, "is True"),
    ([[[[None]]]], 400, "is None"),
    ([[[["5"]]]], 400, "is '5'"),
    ([[[[1]]]] * (MAX_EXAMPLES + 1), 413, "inputs has 1001 examples, and at most 1000 are read"),
]
NUMBERS = [
    ([1.5], 400, "found (1,)"),
    ([[1.5]], 400, "found (1, 1)"),
    ([[[1.5]]], 400, "found (1, 1, 1)"),
    ([[1.5, 2], [3]], 400, "found (2,)"),
]
TABLES = [
    *NUMBERS,
    ([[1.5] * 9], 400, "shape (N, 10), none of them empty; found (1, 9)"),
    ([[1.5] * 9 + ["2"]], 400, "inputs[0][9] must be a finite float32 number and is '2'"),
    ([[1.5] * 10, [True] * 10], 400, "inputs[1][0] must be a finite float32 number and is True"),
    ([[None] * 10], 400, "is None"),
    ([[[1.5]] * 10], 400, "found (1, 10, 1)"),
    ([[1e39] * 10], 400, "inputs[0][0] must be a finite float32 number and is 1e+39"),
    ([[10**400] * 10], 400, "inputs[0][0] must be a finite float32 number and is 1000"),
    ([[3e38] * 10], 400, "the answer isn't a finite number"),
    ([[1.5] * 10] * (MAX_EXAMPLES + 1), 413, "inputs has 1001 examples"),
]
LATENTS = [*NUMBERS, ([[1.5] * 9], 400, "shape (N, 8), none of them empty; found (1, 9)")]
LIST = "inputs must be a list of at least one text and nothing else, and is"
NAMES = [
    ([5], 400, f"{LIST} [5]"),
    ([None], 400, f"{LIST} [None]"),
    ([["a"]], 400, f"{LIST} [['a']]"),
    (["a", 5], 400, f"{LIST} ['a', 5]"),
    ({"txt": ["a"]}, 400, f"{LIST} {{'txt': ['a']}}"),
    ({"text": "a"}, 400, f"{LIST} {{'text': 'a'}}"),
    ({"text": ["a"], "label": ["b"]}, 400, LIST),
    (["a", "b\0"], 400, "inputs[1] has U+0000, which is no character of a text"),
    (["a\ud800"], 400, "inputs[0] has U+D800"),
    (["a"] * (MAX_EXAMPLES + 1), 413, "inputs has 1001 examples"),
    (["a" * 2**20, *"bcdef"], 413, "6 texts as long as the longest have 6291456 characters, and at most 4194304"),
]
REFUSED = {"linear": IMAGES, "vae": IMAGES, "diabetes": TABLES, "gan": LATENTS, "surnames": NAMES}


def test_each_bad_request_gets_its_reason_and_the_next_good_one_its_answer(server, champions):
    own = [({"inputs": given}, "application/json", status, reason) for given, status, reason in REFUSED[server.name]]
    for body, content_type, status, reason in [*ANYWHERE, *own]:
        found, answer = server.ask(body, content_type)
        assert (found, reason in answer["message"]) == (status, True), (str(body)[:80], answer)
        assert "Traceback" not in json.dumps(answer)
        assert_answers(server, champions, GOOD[server.name])
    assert "Traceback" not in server.log.read_text()


def test_a_client_that_goes_away_or_sends_no_http_ends_nothing(server, champions):
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    for sent in (head + b"100\r\n\r\n{", head + b"999999999\r\n\r\n{", head + b"-1\r\n\r\n{}", b"\x16\x03\x01\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(sent)
    assert_answers(server, champions, GOOD[server.name])
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/ping") as answer:
        assert answer.status == 200
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("server", ["surnames"], indirect=True)
def test_texts_may_have_the_name_of_their_column_and_the_readme_s_request_is_answered(server, champions):
    assert_answers(server, champions, TEXTS)
    assert server.ask({"inputs": {"text": TEXTS}}) == server.ask({"inputs": TEXTS})
    request = r"curl http://127\.0\.0\.1:5001/invocations -H 'Content-Type: (.*)' -d '(.*)'"
    [(content_type, body)] = re.findall(request, README.read_text(encoding="utf-8"))
    status, answer = server.ask(body.encode(), content_type)
    assert status == 200
    assert_answers(server, champions, json.loads(body)["inputs"])
    assert len(answer["predictions"]) == 2


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_what_it_started_and_frees_the_port(champions, serving, number, status):
    with serving(champions, "linear") as server:
        port, classes = server.port, ", ".join("0123456789")
        line = f"linear, version 1, probabilities of {classes}: http://127.0.0.1:{port}/invocations; Ctrl-C ends it\n"
        assert server.said == line
        server.name = "linear"
        assert_answers(server, champions, GOOD["linear"])
        process = psutil.Process(server.process.pid)
        assert {one.laddr.ip for one in process.net_connections() if one.status == "LISTEN"} == {"127.0.0.1"}
        family = [process, *process.children(recursive=True)]
        server.process.send_signal(number)
        assert server.process.wait(timeout=60) == status
        assert psutil.wait_procs(family, timeout=10)[1] == []
    log = server.log.read_text()
    assert "Application shutdown complete" in log and "Traceback" not in log
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the next server does
        free.bind(("127.0.0.1", port))


def refusal(workspace, *arguments, **environment):
    """What the command says when it doesn't serve."""
    command = ["python", "-m", "pipeline.serving.serve", *arguments]
    done = workspace.run(*command, check=False, PYTHONPATH="src", **environment)
    assert done.returncode and not done.stdout
    return done.stderr


def test_mistakes_end_the_command_with_a_remedy(champions, tmp_path):
    assert refusal(champions, "") == (
        "usage: make serve RUN=<name of a run> [PORT=5001]\nmake serve: error: RUN is missing\n"
    )
    valid = "diabetes, gan, linear, surnames, vae"
    none = "has no champion by `make promote`, which says why a model isn't one"
    said = f"error: 'liner' {none}; did you mean 'linear'? valid: {valid}\n"
    assert refusal(champions, "liner", "--port", "0") == said
    for port in ("x", "70000"):
        assert f"'{port}' is not a port; choose one from 0 to 65535" in refusal(champions, "linear", "--port", port)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"error: 127.0.0.1:{port}: Address already in use; end what listens there, or choose another by PORT=\n"
        assert refusal(champions, "linear", "--port", str(port)) == said

    store = f"sqlite:///{tmp_path}/mlflow.db"
    original = sqlite3.connect(champions.root / "mlruns/mlflow.db")
    with closing(original), closing(sqlite3.connect(tmp_path / "mlflow.db")) as copy:
        original.backup(copy)
    demote = ["python", "-m", "pipeline.promotion.demote", "gan"]
    champions.run(*demote, PYTHONPATH="src", MLFLOW_TRACKING_URI=store)
    said = refusal(champions, "gan", "--port", "0", MLFLOW_TRACKING_URI=store)
    assert said == f"error: 'gan' {none}; valid: diabetes, linear, surnames, vae\n"


def package(workspace, name):
    """The folder of a run's registered model."""
    run = workspace.root / "outputs" / name / "model.ts"
    found = [folder.parent for folder in (workspace.root / "mlruns").rglob("MLmodel")]
    return next(one for one in found if (one / "artifacts/model.ts").read_bytes() == run.read_bytes())


def test_code_in_the_registry_is_not_run_and_a_changed_program_not_served(champions, serving, tmp_path):
    folder = package(champions, "gan")
    shutil.copytree(folder, tmp_path / "before")
    try:
        trap = f"open({str(tmp_path / 'trapped')!r}, 'w')"
        (folder / "served.py").write_text(f"{trap}\n" + (folder / "served.py").read_text())
        description = folder / "MLmodel"
        (folder / "evil.py").write_text(f"{trap}\ndef _load_pyfunc(path):\n    return path\n")
        description.write_text(
            description.read_text().replace("code: null", "code: .").replace("mlflow.pyfunc.loaders.code_model", "evil")
        )
        with serving(champions, "gan") as server:
            server.name = "gan"
            assert_answers(server, champions, GOOD["gan"])
        assert not (tmp_path / "trapped").exists()

        (folder / "artifacts/model.ts").write_bytes(b"another")
        said = refusal(champions, "gan", "--port", "0")
        assert re.match(
            r"error: the program of gan, version 1, has the md5 \w+ and was registered with \w+: it was changed", said
        )
    finally:
        shutil.copytree(tmp_path / "before", folder, dirs_exist_ok=True)
