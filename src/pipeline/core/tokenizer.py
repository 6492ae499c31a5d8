"""From a text to token ids, by tables alone: the exported program does the same where there is no Python."""

import re
from functools import cached_property
from typing import Literal

from pydantic import PositiveInt

from pipeline.core.schema import Schema

#: The ids of what fills a batch up and of every token that isn't in the vocabulary; the vocabulary's begin after them.
PADDING, UNKNOWN, FIRST = 0, 1, 2


class Tokenizer(Schema):
    """How the texts of one data set become token ids.

    A text is normalised character by character, so that canonically equivalent texts of Unicode become one, and spaces
    of any kind and number become one space. A token then is a character or what stands between spaces. Of a text with
    more than ``max_length`` tokens the first and the last halves are kept: the ends say most (Sun et al., 2019,
    How to Fine-Tune BERT for Text Classification?). A text without tokens is one unknown token.

    Attributes:
        unit: whether a token is a character or a word.
        max_length: the most tokens of a text.
        breaks: what stands for a space, such as HTML's line break.
        replacements: a character -> what stands for it; all others stay.
        marks: a combining character -> its canonical combining class, by which several are sorted.
        vocabulary: the known tokens, from id 2.
    """

    unit: Literal["character", "word"]
    max_length: PositiveInt
    breaks: tuple[str, ...]
    replacements: dict[str, str]
    marks: dict[str, int]
    vocabulary: tuple[str, ...]

    @property
    def num_tokens(self) -> int:
        """How many ids there are."""
        return FIRST + len(self.vocabulary)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each known token."""
        return {token: FIRST + index for index, token in enumerate(self.vocabulary)}

    def split(self, text: str) -> list[str]:
        """All tokens of ``text`` in their order."""
        for break_ in self.breaks:
            text = text.replace(break_, " ")
        text = self._runs_of_marks.sub(self._in_order, text.translate(self._table))
        words = [word for word in text.split(" ") if word]
        return words if self.unit == "word" else list(" ".join(words))

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens of ``text``: at least one, at most ``max_length``."""
        tokens = self.split(text)
        if excess := max(len(tokens) - self.max_length, 0):
            head = (self.max_length + 1) // 2
            tokens = tokens[:head] + tokens[head + excess :]
        return [self.ids.get(token, UNKNOWN) for token in tokens] or [UNKNOWN]

    @cached_property
    def _table(self) -> dict[int, str]:
        return {ord(character): text for character, text in self.replacements.items()}

    @cached_property
    def _runs_of_marks(self) -> re.Pattern[str]:
        marks = re.escape("".join(self.marks))
        return re.compile(f"[{marks}]{{2,}}" if marks else r"(?!)")  # (?!) matches nothing

    def _in_order(self, run: re.Match[str]) -> str:
        return "".join(sorted(run[0], key=self.marks.__getitem__))
