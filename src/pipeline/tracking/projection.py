"""What an MLflow run should hold, worked out from a journal or from the files beside a model."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core import params as params_yaml
from pipeline.core.files import md5
from pipeline.records import flatten
from pipeline.tracking import dvclock, git, spool
from pipeline.tracking.journal import as_text
from pipeline.tracking.results import COMPARED, EVALUATED, EXPORTED, told

#: What training leaves in ``outputs/<run>``.
TRAINED = ("record.json", "history.csv", "model.safetensors")


@dataclass
class Projection:
    """The contents of one run, as far as one source knows them.

    Attributes:
        record: the contents of ``record.json``.
        started, ended: milliseconds since 1970.
        tags: name -> text.
        fallback: tags for a run that hasn't got them.
        data: file -> md5, of what was read besides what the record names.
        metrics: (name, step) -> (value, milliseconds since 1970), without ``test/*``.
        test: the contents of ``metrics.json`` and ``comparison_metrics.json``.
        artifacts: files and folders that go to the top of the run's artifacts.
        texts: the same, where there is no file of them.
        status: what the run's status should become; None leaves it.
        final: no more will come from this source.
        stage: the stage that ``status`` and ``error`` are about.
        done: the stages whose results are complete.
        error: the last lines of what ended the stage.
    """

    record: dict[str, Any]
    started: int
    ended: int
    tags: dict[str, str] = field(default_factory=dict)
    fallback: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    metrics: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    artifacts: list[Path] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    final: bool = True
    stage: str = "train"
    done: set[str] = field(default_factory=set)
    error: str = ""

    def add_evaluation(self, metrics: dict[str, float], evaluation: Mapping[str, Any]) -> None:
        """Add the contents of ``metrics.json`` and ``evaluation.json``."""
        self._add_judgement("evaluate.", metrics, evaluation)

    def add_comparison(self, metrics: dict[str, float], comparison: Mapping[str, Any]) -> None:
        """Add the contents of ``comparison_metrics.json`` and ``comparison.json``."""
        self._add_judgement("compare.", metrics, comparison)

    def add_export(self, export: Mapping[str, Any]) -> None:
        """Add the contents of ``export.json``."""
        facts = {name: value for name, value in export.items() if name not in ("options", "model_md5")}
        self._add_tags("export.", export["options"] | facts)

    def _add_judgement(self, prefix: str, metrics: dict[str, float], facts: Mapping[str, Any]) -> None:
        self.test = self.test | metrics
        self.data |= facts["data"]
        self._add_tags(prefix, facts["options"])

    def _add_tags(self, prefix: str, tree: Mapping[str, Any]) -> None:
        self.tags |= {name: as_text(value) for name, value in flatten(tree, prefix).items()}


def from_journal(journal: Path) -> Projection | None:
    """Project what a stage has told so far; None if nothing of it got to the disk, as after a power cut."""
    alive = spool.alive(journal)  # asked first: what it wrote before it died is then read
    entries = spool.read(journal)
    if not entries:
        return None
    start, last = entries[0], entries[-1]
    run = Projection(start["record"], start["at"], last["at"], stage=start["stage"])
    run.tags.update(start["tags"])
    for entry in entries:
        match entry["kind"]:
            case "metrics":
                run.metrics |= {(name, entry["step"]): (value, entry["at"]) for name, value in entry["values"].items()}
            case "tags":
                run.tags.update(entry["tags"])
            case "evaluation":
                run.add_evaluation(entry["metrics"], entry["evaluation"])
            case "comparison":
                run.add_comparison(entry["metrics"], entry["comparison"])
            case "export":
                run.add_export(entry["export"])
    if last["kind"] == "end":
        run.record, run.status, run.error = last["record"], last["status"], last["error"]
        run.artifacts = _entries(spool.files(journal))
    elif not alive:
        run.status, run.error = "KILLED", "the process ended without a word: killed, out of memory, or a power cut"
    else:
        run.status, run.final = "RUNNING" if run.stage == "train" else None, False
        run.artifacts = [path for path in _entries(spool.files(journal)) if path.name == spool.SAMPLES]
    if run.status == "FINISHED":
        run.done.add(run.stage)
    return run


def outputs() -> list[Path]:
    """The folders of the models in the current workspace."""
    return sorted(record.parent for record in Path("outputs").glob("*/record.json"))


def from_outputs(folder: Path) -> Projection | None:
    """Project a model that lies in ``outputs/<run>``, whoever trained it; None if it isn't complete.

    Raises:
        ValueError: the weights aren't those that the record tells of.
    """
    files = [folder / name for name in TRAINED]
    if not all(file.exists() for file in files):
        return None
    record = json.loads(files[0].read_text(encoding="utf-8"))
    if md5(files[2]) != record["model_md5"]:
        raise ValueError(f"{files[2]} isn't the model of {files[0]}: bring both together by `dvc checkout {folder}`")
    now = spool.now()
    run = Projection(record, now, now, status="FINISHED", done={"train"}, artifacts=files)
    if any((folder / spool.SAMPLES).glob("*")):  # most networks make no images
        run.artifacts.append(folder / spool.SAMPLES)
    with files[1].open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            epoch = int(row.pop("epoch"))
            run.metrics |= {(name.replace("_", "/", 1), epoch): (float(value), now) for name, value in row.items()}
    if evaluation := told(folder, EVALUATED, record["model_md5"]):
        run.add_evaluation(json.loads((folder / "metrics.json").read_text(encoding="utf-8")), evaluation)
        run.artifacts += [folder / name for name in EVALUATED]
        run.done.add("evaluate")
    if export := told(folder, EXPORTED, record["model_md5"]):
        run.add_export(export)
        run.artifacts += [folder / name for name in EXPORTED]
        run.done.add("export")
    if comparison := told(folder, COMPARED, record["model_md5"]):
        run.add_comparison(json.loads((folder / COMPARED[1]).read_text(encoding="utf-8")), comparison)
        run.artifacts += [folder / name for name in COMPARED]
        run.done.add("compare")
    elif not _is_to_be_compared(record["run"]):  # any more: then an earlier failure doesn't count
        run.done.add("compare")
    stages = dvclock.part_of(record["run"], md5(files[0]))
    if stages:
        run.texts["dvc.lock"] = dvclock.as_text(stages)
    # Of a clean workspace in which the training is up to date, `dvc repro` makes the model at this commit.
    if stages and (commit := git.commit()) and not commit.diff and _is_up_to_date(record, stages):
        run.fallback["mlflow.source.git.commit"] = commit.sha
    return run


def note(run: Projection) -> str:
    """The run's description in Markdown."""
    record = run.record
    lines = [
        f"**{record['run']}** on **{record['dataset']}** ({record['task']}), {record['num_parameters']:,} parameters.",
    ]
    if sha := (run.fallback | run.tags).get("mlflow.source.git.commit"):
        command = f"git checkout {sha} && dvc repro export@{record['run']}"
        lines += ["Reproduce it:", f"```\n{command}\n```"]
    if run.tags.get("git.dirty") == "true":
        lines.append("The files had changed since that commit: `git apply changes.patch` (an artifact) before `dvc`.")
    return "\n\n".join(lines)


def params(record: dict[str, Any]) -> dict[str, str]:
    """All that training read, named relative to the run, so that runs line up in comparisons."""
    values = {name: record[name] for name in ("task", "dataset", "num_parameters")} | record["params"]
    return {name: as_text(value) for name, value in values.items()}


def tags(record: dict[str, Any]) -> dict[str, str]:
    """What identifies the model."""
    found = {"pipeline.run": record["run"], "pipeline.input_key": record["input_key"]}
    if record["model_md5"]:
        found["pipeline.model_md5"] = record["model_md5"]
    found |= {f"version.{name}": version for name, _, version in (line.partition("==") for line in record["versions"])}
    return found


def _is_up_to_date(record: dict[str, Any], stages: dict[str, Any]) -> bool:
    """Whether code and parameters in the workspace are those that made the model, as far as a look can tell."""
    code = {file: md5(Path(file)) if Path(file).exists() else None for file in record["code"]}
    try:
        content = params_yaml.read()
    except ValueError:  # under way, and no reason not to publish a model
        return False
    return code == record["code"] and dvclock.has_params_of(stages, content)


def _is_to_be_compared(run: str) -> bool:
    try:
        return run in params_yaml.read().get("comparisons", {})
    except ValueError:  # under way, so that nobody can say
        return True


def _entries(folder: Path) -> list[Path]:
    # A leading dot marks what is half written.
    return sorted(path for path in folder.glob("[!.]*")) if folder.exists() else []
