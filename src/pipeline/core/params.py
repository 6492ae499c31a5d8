"""Read ``params.yaml`` as DVC reads it, so that both always see the same values."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

FILE = Path("params.yaml")
#: What :func:`at` was asked for, by its path.
asked: dict[str, Any] = {}


def read(file: Path = FILE) -> dict[str, Any]:
    """All of ``params.yaml``, parsed by YAML 1.2 (``1e-3`` is a number, ``on`` a string, a key given twice an error).

    Raises:
        ValueError: the file is missing or isn't YAML; the message names the line.
    """
    try:
        content = YAML(typ="safe").load(file)
    except FileNotFoundError:
        raise ValueError(
            f"{file} is missing: run this at the repository's root, or copy one of examples/*.yaml"
        ) from None
    except MarkedYAMLError as error:
        number = error.problem_mark.line + 1 if error.problem_mark else None
        number, problem = _usual_mistake(file, number) or (number, (error.problem or str(error)).splitlines()[0])
        raise ValueError(f"{file}{f', line {number}' if number else ''}: not valid YAML: {problem}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: not valid YAML in UTF-8: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file}: a mapping with the keys seed, num_threads, datasets and runs is needed")
    return content


def _usual_mistake(file: Path, stopped_at: int | None) -> tuple[int, str] | None:
    """The line of a mistake for which YAML's parser has words that help nobody, and better ones."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            return number, "git's mark of a merge conflict; keep one of the two sides and remove all marks"
        # Elsewhere tabs are allowed, as between brackets.
        if number == stopped_at and "\t" in line[: len(line) - len(line.lstrip())]:
            return number, "a tab; indent by spaces"
    return None


def at(content: dict[str, Any], path: str) -> Any:
    """The value at a dotted ``path`` such as ``runs.lenet.train``.

    Raises:
        ValueError: there is no such key; the message names the first that is missing.
    """
    value: Any = content
    walked: list[str] = []
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            raise ValueError(f"{'.'.join([*walked, key])}: the key is missing from {FILE}")
        value = value[key]
        walked.append(key)
    asked[path] = value
    return value
