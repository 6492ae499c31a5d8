"""What a request must be before MLflow's server sees it.

By itself that server takes 1.5, true and "5" for whole numbers, prints its traceback to clients and answers 500 where
the type of the content is missing or JSON is nested too deeply; and a body or batch may be as large as memory.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from reprlib import repr as shorten
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from mlflow.types import Schema, TensorSpec
from starlette.requests import ClientDisconnect

#: Bytes of a request: 1,000 images of 32 x 32 pixels in colour take 12 MiB as JSON.
MAX_BYTES = 16 * 2**20
#: Examples in a request, which are answered as one batch.
MAX_EXAMPLES = 1000
#: Characters of a request's texts if all were as long as the longest, as in MLflow's array of them. To read so many
#: takes a program 40 s, and after 60 MLflow answers that it took too long.
MAX_CHARACTERS = 4 * 2**20

#: NUL, which MLflow's array drops, and halves of characters, which UTF-8 doesn't have.
NO_TEXT = re.compile("[\0\ud800-\udfff]")

INPUTS = "inputs"
#: What the free axes of a signature are.
AXES = ("N", "C", "H", "W")


class Refused(Exception):  # noqa: N818 (a status below 500, which is the client's error)
    """A request that isn't answered.

    Args:
        status: of HTTP.
        reason: for the client.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def add_to(app: FastAPI, schema: Schema) -> None:
    """Let ``app``, MLflow's server of a model that reads ``schema``, see only requests that :func:`check` passes."""

    @app.middleware("http")
    async def gate(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            refused = await _refusal(request, schema) if request.method == "POST" else None
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody receives
        return JSONResponse({"message": str(refused)}, refused.status) if refused else await call_next(request)


async def _refusal(request: Request, schema: Schema) -> Refused | None:
    try:
        check_headers(request.headers.get("content-type", ""), request.headers.get("content-length"))
        await asyncio.to_thread(check, await request.body(), schema)
    except Refused as refused:
        async for _ in request.stream():  # a client that is still sending wouldn't hear an answer
            pass
        return refused
    return None


def check_headers(content_type: str, length: str | None) -> None:
    """Refuse another type than JSON, and a body that is larger than :data:`MAX_BYTES` or doesn't tell.

    Raises:
        Refused: with status 415, 413 or 411.
    """
    if content_type.partition(";")[0].strip() != "application/json":
        raise Refused(415, f"the header Content-Type must be application/json and is {content_type or 'missing'}")
    if length is None:
        raise Refused(411, "the header Content-Length is missing")
    if int(length) > MAX_BYTES:
        raise Refused(413, f"the request has {length} bytes, and at most {MAX_BYTES} are read; send fewer at a time")


def check(body: bytes, schema: Schema) -> None:
    """Refuse what isn't ``{"inputs": …}`` with as many examples, of that shape and type, as ``schema`` wants.

    Raises:
        Refused: with status 400, or 413 if there are too many examples.
    """
    try:
        content = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {error}") from None
    if not isinstance(content, dict) or content.keys() != {INPUTS}:
        found = f"the keys {shorten(list(content))}" if isinstance(content, dict) else shorten(content)
        raise Refused(400, f'the body must be {{"{INPUTS}": …}} with nothing else; found {found}')
    [spec] = schema.inputs
    if isinstance(spec, TensorSpec):
        _check_numbers(content[INPUTS], spec)
    else:
        _check_texts(content[INPUTS], str(spec.name))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in it")


def _check_numbers(values: Any, spec: TensorSpec) -> None:
    array = np.array(values, dtype=object)  # where lists have unequal lengths, they stay lists
    fits = len(spec.shape) == array.ndim and all(
        found == wanted or (wanted == -1 and found > 0) for wanted, found in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        axes = ", ".join(str(size) if size > 0 else AXES[axis] for axis, size in enumerate(spec.shape))
        raise Refused(400, f"{INPUTS} must be nested lists of shape ({axes}), none of them empty; found {array.shape}")
    _check_number(len(array))
    kinds: tuple[type, ...] = (int,)
    lowest, highest, wanted = 0.0, 255.0, "a whole number from 0 to 255"
    if spec.type == np.float32:
        kinds = (int, float)
        highest = float(np.finfo(np.float32).max)
        lowest, wanted = -highest, "a finite float32 number"
    for index, value in enumerate(array.flat):
        if type(value) not in kinds or not lowest <= value <= highest:
            place = "".join(f"[{position}]" for position in np.unravel_index(index, array.shape))
            raise Refused(400, f"{INPUTS}{place} must be {wanted} and is {shorten(value)}")


def _check_texts(values: Any, column: str) -> None:
    texts = values[column] if isinstance(values, dict) and values.keys() == {column} else values
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Refused(400, f"{INPUTS} must be a list of at least one text and nothing else, and is {shorten(values)}")
    _check_number(len(texts))
    if (characters := len(texts) * max(map(len, texts))) > MAX_CHARACTERS:
        raise Refused(
            413,
            f"{len(texts)} texts as long as the longest have {characters} characters, and at most "
            f"{MAX_CHARACTERS} are read; send long texts by themselves",
        )
    for index, text in enumerate(texts):
        if found := NO_TEXT.search(text):
            raise Refused(400, f"{INPUTS}[{index}] has U+{ord(found[0]):04X}, which is no character of a text")


def _check_number(found: int) -> None:
    if found > MAX_EXAMPLES:
        raise Refused(413, f"{INPUTS} has {found} examples, and at most {MAX_EXAMPLES} are read; send fewer at a time")
