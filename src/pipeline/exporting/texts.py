"""From raw texts to token ids inside a program, as :class:`pipeline.core.tokenizer.Tokenizer` does it in Python.

Inside TorchScript a string is bytes in UTF-8 and knows neither characters nor case, hence the decoding by hand.
"""

import torch
from torch import Tensor, nn

from pipeline.core.storage import Meta
from pipeline.core.tokenizer import PADDING, UNKNOWN


class ReadTexts(nn.Module):
    """N texts -> token ids, int64 (N, L), and lengths, int64 (N,); L is the longest's, behind the others is padding."""

    breaks: list[str]
    replacements: dict[str, list[str]]
    marks: dict[str, int]
    ids: dict[str, int]

    def __init__(self, meta: Meta) -> None:
        super().__init__()
        assert meta.tokenizer is not None
        tokenizer = meta.tokenizer
        self.of_words = tokenizer.unit == "word"
        self.max_length = tokenizer.max_length
        self.breaks = list(tokenizer.breaks)
        self.replacements = {key: list(text) for key, text in tokenizer.replacements.items()}
        self.marks = tokenizer.marks
        self.ids = tokenizer.ids
        self.padding, self.unknown = PADDING, UNKNOWN

    def forward(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        rows = [self.encode(text) for text in texts]
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        width = 1
        for row in rows:
            width = max(width, len(row))
        padded = [row + [self.padding] * (width - len(row)) for row in rows]
        return torch.tensor(padded, dtype=torch.int64).reshape(len(rows), width), lengths

    def encode(self, text: str) -> list[int]:
        for break_ in self.breaks:
            text = text.replace(break_, " ")
        tokens = self._tokens(self._normalize(text))
        if len(tokens) > self.max_length:
            head = (self.max_length + 1) // 2
            tokens = tokens[:head] + tokens[len(tokens) - (self.max_length - head) :]
        if len(tokens) == 0:
            return [self.unknown]
        return [self.ids.get(token, self.unknown) for token in tokens]

    def _normalize(self, text: str) -> list[str]:
        normal: list[str] = []
        marks: list[str] = []
        for character in _characters(text):
            parts = self.replacements.get(character, [character])
            for part in parts:
                if part in self.marks:
                    marks.append(part)
                    continue
                if len(marks) > 0:
                    normal.extend(self._in_order(marks))
                    marks.clear()  # with `marks = []`, PyTorch 2.14 goes on with the old list once it is compiled
                normal.append(part)
        normal.extend(self._in_order(marks))
        return normal

    def _in_order(self, run: list[str]) -> list[str]:
        # Classes with positions, since TorchScript sorts by no key.
        keys = sorted([self.marks[run[index]] * len(run) + index for index in range(len(run))])
        return [run[key % len(run)] for key in keys]

    def _tokens(self, normal: list[str]) -> list[str]:
        tokens: list[str] = []
        if self.of_words:
            for word in "".join(normal).split(" "):
                if len(word) > 0:
                    tokens.append(word)  # noqa: PERF401 (TorchScript has no conditions in comprehensions)
            return tokens
        for character in normal:
            if character != " " or (len(tokens) > 0 and tokens[-1] != " "):
                tokens.append(character)
        if len(tokens) > 0 and tokens[-1] == " ":
            tokens.pop()
        return tokens


class ReadTokens(nn.Module):
    """Token ids, int64 (N, L) with L > 0, and lengths, int64 (N,) -> token ids with padding behind each length.

    Whatever stands behind a text doesn't count. A text of length 0 becomes one unknown token.

    Raises:
        ValueError: another dtype or number of axes.
    """

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        if tokens.dtype != torch.int64 or tokens.dim() != 2 or lengths.dtype != torch.int64 or lengths.dim() != 1:
            raise ValueError("token ids must be int64 of shape (N, L), and lengths int64 of shape (N,)")
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        tokens = tokens.where(positions < lengths[:, None], PADDING)
        return tokens.masked_fill((positions == 0) & (lengths[:, None] == 0), UNKNOWN)


def _characters(text: str) -> list[str]:
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        return list(text)
    # The bytes are taken apart once: each look into a string copies all of it.
    parts = list(text)
    characters: list[str] = []
    start = 0
    while start < len(parts):
        first = ord(parts[start])
        length = 1
        if first >= 0xF0:
            length = 4
        elif first >= 0xE0:
            length = 3
        elif first >= 0xC0:
            length = 2
        characters.append("".join(parts[start : start + length]))
        start += length
    return characters
