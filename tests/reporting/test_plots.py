"""The page of all runs in a real browser, against what lies beside the models."""

import csv
import json
import shutil
from collections import Counter

import pytest
from browsing import REMEDY, chromium, window
from project import ROOT, Workspace, copy_project

pytestmark = [pytest.mark.slow, pytest.mark.skipif(chromium() is None, reason=REMEDY)]

CLASSIFIER = """\
  {name}:
    task: classification
    dataset: digits
    model: {{name: linear}}
    train: {{epochs: {epochs}, batch_size: 50, optimizer: {{name: sgd, lr: 0.05}}, loss: {{name: cross_entropy}}}}
    evaluate: {{batch_size: 1000}}
    export: {{batch_size: 500}}
"""
GENERATOR = """\
  forger:
    task: gan
    dataset: digits
    model: {name: gan, latent_size: 4, num_maps: 4, hidden_size: 8}
    train:
      epochs: 2
      batch_size: 200
      optimizer: {name: adam, lr: 0.002}
      loss: {name: non_saturating}
      keep: last
      sample_epochs: [1, 2]
    evaluate: {batch_size: 1000}
    export: {batch_size: 500}
"""
PARAMS = (
    "seed: 1\nnum_threads: 1\ndatasets:\n"
    "  digits: {kind: digits, path: data/digits.md5, image_size: 8}\ncomparisons: {}\nruns:\n"
    + CLASSIFIER.format(name="long", epochs=4)
    + CLASSIFIER.format(name="brief", epochs=2)
    + CLASSIFIER.format(name="untested", epochs=1)
    + GENERATOR
)
#: Prints whose plots there are of each place.
WHOSE = """\
import json
from pipeline.reporting.collecting import collect
print(json.dumps({place: sorted(plot.contents) for place, plot in collect()["classification/digits"].items()}))
"""
CURVES = ("calibration", "precision_recall", "roc")


def plots(workspace, **environment):
    return workspace.run("python", "-m", "pipeline.reporting.plots", check=False, PYTHONPATH="src", **environment)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Two classifiers, a third that hasn't been evaluated, and a generator."""
    copy = copy_project(tmp_path_factory.mktemp("plots"), PARAMS)
    copy.repro("evaluate@long", "evaluate@brief", "train@untested", "evaluate@forger")
    return copy


@pytest.fixture(scope="module")
def page(workspace):
    """The page, opened where no other file is; no host may be asked and no error reported."""
    done = plots(workspace)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    made = workspace.root / "dvc_plots" / "runs.html"
    assert done.stdout == f"{made.as_uri()}\n"
    alone = made.rename(workspace.root.parent / "alone.html")
    with window() as opened:
        opened.page.goto(alone.as_uri())
        for chart in opened.page.locator(".plots > div:has(script)").all():
            chart.locator("svg.marks").wait_for()
        yield opened.page
    assert opened.hosts == set()
    assert opened.errors == []


def table(workspace, run, place):
    with (workspace.root / "outputs" / run / place).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def data(page, chart, mark):
    """What the marks of a kind that a chart has drawn stand for."""
    return page.locator(f"#{chart} .mark-{mark}.role-mark path").evaluate_all(
        "paths => paths.map(path => path.__data__.datum)"
    )


def points(page, chart, x, y):
    """Run -> the points that a chart has drawn of it."""
    found = {}
    for point in data(page, chart, "symbol"):
        found.setdefault(point["rev"], []).append((point[x], point[y]))
    return found


@pytest.mark.parametrize("column", ["train_loss", "val_loss", "val_accuracy"])
def test_the_learning_curves_of_all_runs_of_a_data_set_share_a_chart(page, workspace, column):
    drawn = points(page, f"classification_digits_history_csv_{column}", "epoch", column)

    assert drawn == {
        run: [(int(row["epoch"]), float(row[column])) for row in table(workspace, run, "history.csv")]
        for run in ("long", "brief", "untested")
    }


@pytest.mark.parametrize("curve", CURVES)
def test_the_curves_of_the_test_set_share_a_chart(page, workspace, curve):
    drawn = points(page, f"classification_digits_plots_curves_{curve}_csv_y", "x", "y")

    assert {run: curve for run, curve in drawn.items() if run[0] != "("} == {
        run: [(float(row["x"]), float(row["y"])) for row in table(workspace, run, f"plots/curves/{curve}.csv")]
        for run in ("long", "brief")
    }
    assert [line for run, line in drawn.items() if run[0] == "("] == [[(0, 0), (1, 1)]] * (curve != "precision_recall")


def test_confusions_are_counted_side_by_side(page, workspace):
    cells = data(page, "classification_digits_plots_confusion_confusion_csv", "rect")

    expected = Counter(
        (run, row["actual"], row["predicted"])
        for run in ("long", "brief")
        for row in table(workspace, run, "plots/confusion/confusion.csv")
    )
    assert {
        (cell["rev"], cell["actual"], cell["predicted"]): cell["xy_count"] for cell in cells if cell["xy_count"]
    } == expected


def test_pictures_are_in_the_page(page):
    found = page.locator("img").evaluate_all(
        """(images) => Promise.all(images.map(async image => {
            await image.decode();
            return [image.closest('.plots > div').id, image.previousElementSibling.innerText, image.naturalWidth];
        }))"""
    )

    assert {(place, run) for place, run, width in found if width > 0} == {
        *(("classification_digits_plots_pictures_mistakes_png", run) for run in ("long", "brief")),
        *((f"gan_digits_plots_pictures_{name}_png", "forger") for name in ("interpolation", "samples")),
        *((f"gan_digits_samples_epoch_000{epoch}_png", "forger") for epoch in (1, 2)),
    }


def test_a_click_shows_a_run_alone_and_another_all(page):
    chart = page.locator("#classification_digits_history_csv_val_loss")
    lines = chart.locator(".mark-line path")
    chart.locator(".role-legend-label text").get_by_text("brief").click()
    page.wait_for_function("line => line.getAttribute('opacity') === '0.1'", arg=lines.first.element_handle())
    faint = lines.evaluate_all("lines => lines.map(line => line.getAttribute('opacity'))")
    chart.locator("svg.marks").click(position={"x": 200, "y": 100})
    page.wait_for_function("line => line.getAttribute('opacity') === '1'", arg=lines.first.element_handle())

    assert faint == ["0.1", "1", "0.1"]


def test_a_click_shows_a_picture_in_full_size(page):
    picture = page.locator("#classification_digits_plots_pictures_mistakes_png img").first
    sizes = "image => [image.width, image.naturalWidth]"
    small, full = picture.evaluate(sizes)
    picture.click()

    assert small == 480 < full
    assert picture.evaluate(sizes) == [full, full]


def test_curves_of_the_weights_before_are_left_out(workspace, tmp_path):
    retrained = workspace.copy(tmp_path / "retrained")
    record = retrained.root / "outputs/brief/record.json"
    content = json.loads(record.read_text(encoding="utf-8"))
    record.unlink()  # it may be a link into the cache
    record.write_text(json.dumps({**content, "model_md5": "0" * 32}), encoding="utf-8")
    found = json.loads(retrained.run("python", "-c", WHOSE, PYTHONPATH="src").stdout)

    assert found.pop("history.csv") == ["brief", "long", "untested"]
    assert len(found) >= 5 and all(runs == ["long"] for runs in found.values())


def test_without_models_the_remedy_is_named(workspace, tmp_path):
    empty = workspace.copy(tmp_path / "empty")
    shutil.rmtree(empty.root / "outputs")
    done = plots(empty)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: outputs/ has nothing to plot: train by `make repro`, or bring models by `dvc checkout`"
    ]


def test_what_dvc_or_the_disk_refuses_is_one_error(workspace, tmp_path):
    outside = Workspace(tmp_path / "outside")
    outside.root.mkdir()
    full = workspace.copy(tmp_path / "full")
    shutil.rmtree(full.root / "dvc_plots", ignore_errors=True)  # of tests before
    (full.root / "dvc_plots").write_text("a file", encoding="utf-8")

    for copy, path, problem in ((outside, ROOT / "src", "not inside of a DVC repository"), (full, "src", "dvc_plots")):
        done = copy.run("python", "-m", "pipeline.reporting.plots", check=False, PYTHONPATH=str(path))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ") and problem in done.stderr and "Traceback" not in done.stderr
