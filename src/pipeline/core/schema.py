"""Typed, frozen options read from a subtree of ``params.yaml``, with errors that a user can act on."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

#: A part of a whole, which may be none of it but not all.
Share = Annotated[float, Field(ge=0, lt=1)]


class Schema(BaseModel):
    """Base of every options class: unknown keys are errors, values keep their YAML type, nothing can be assigned."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for key in value:
                if key not in cls.model_fields:
                    message = f"unknown key; {nearest(str(key), cls.model_fields)}"
                    # Braces would be read as a template, so the message travels as its argument.
                    raise PydanticCustomError("unknown_key", "{message}", {"message": message, "key": str(key)})
        return value


S = TypeVar("S", bound=Schema)


def parse(schema: type[S], value: object, path: str) -> S:
    """Turn the subtree ``value`` found at ``path`` (such as ``runs.lenet.train``) into ``schema``.

    Raises:
        ValueError: one line for each problem, with the key's full path, its value, what is allowed and, for a
            misspelt key or name, the nearest valid one.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{path}: {value!r} is not allowed; a mapping is needed, {nearest('', schema.model_fields)}")
    try:
        return schema.model_validate(_with_tuples(value))
    except ValidationError as error:
        raise ValueError(
            "\n".join(_line(problem, path, value) for problem in error.errors(include_url=False))
        ) from None


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which names are valid and, where one is close to ``name``, which was probably meant."""
    valid = list(valid)
    close = difflib.get_close_matches(name, valid, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"valid: {', '.join(valid) or 'none'}"


def _with_tuples(value: object) -> Any:
    """YAML has only lists, frozen schemas hold only tuples."""
    if isinstance(value, Mapping):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _line(problem: ErrorDetails, path: str, value: object) -> str:
    key = ".".join([path, *_written_keys(problem["loc"], value)])
    given, context = problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "unknown_key":
            return f"{key}.{context['key']}: {given[context['key']]!r} is under an {context['message']}"
        case "missing":
            return f"{key}: the key is missing"
        case "union_tag_not_found":
            return f"{key}: {given!r} needs the key 'name'"
        case "union_tag_invalid":
            tag = context["tag"]
            return f"{key}.name: {tag!r} is unknown; {nearest(tag, _names(context['expected_tags']))}"
        case "literal_error":
            return f"{key}: {given!r} is not allowed; {nearest(str(given), _names(context['expected']))}"
        case _:
            return f"{key}: {given!r} is not allowed; {problem['msg'].removeprefix('Value error, ')}"


def _written_keys(location: tuple[int | str, ...], value: object) -> list[str]:
    """The keys as the user wrote them: pydantic's location also holds the name chosen in a union."""
    keys = []
    for depth, part in enumerate(location):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        elif depth < len(location) - 1 or (isinstance(value, Mapping) and value.get("name") == part):
            continue
        keys.append(str(part))
    return keys


def _names(listed: str) -> list[str]:
    return [name.strip(" '") for name in listed.replace(" or ", ", ").split(",")]
