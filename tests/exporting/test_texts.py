"""What a program makes of raw texts, compiled, against the tokeniser that training used."""

import time
import warnings

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from specimens import ALPHABET, SPECS, meta, tokenizer

from pipeline.exporting.texts import ReadTexts, ReadTokens
from pipeline.preprocessing.normalization import marks

CONFIGURATIONS = {
    f"{unit}-{lowercase}-{strip_accents}-{html_breaks}": tokenizer(
        unit, 9, lowercase=lowercase, strip_accents=strip_accents, html_breaks=html_breaks
    )
    for unit in ("character", "word")
    for lowercase, strip_accents, html_breaks in [(True, False, False), (False, True, True), (True, True, True)]
}
#: The pieces in which something happens, among any other characters but surrogates, which no UTF-8 text has.
PIECES = st.one_of(
    st.text(),
    st.text(ALPHABET.upper() + ALPHABET + " .,'"),
    st.text(st.sampled_from(sorted(marks()))),
    st.sampled_from(["<br />", "<br/>", "<br>", "<br", "/>", " ", "\u3000", "ﬁ", "ß", "É", "İ", "\u0345", "한", "😀"]),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def compiled(known):
    """What asserts that the compiled program reads texts as the tokeniser ``known`` does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)
        read = torch.jit.freeze(torch.jit.script(ReadTexts(meta(SPECS["text"], tokenizer=known)).eval()))

    def assert_same(texts):
        tokens, lengths = read(texts)
        rows = [known.encode(text) for text in texts]
        assert (tokens.dtype, lengths.dtype) == (torch.int64, torch.int64)
        assert lengths.tolist() == [len(row) for row in rows]
        width = max(map(len, rows), default=1)
        assert tokens.tolist() == [row + [0] * (width - len(row)) for row in rows]

    return assert_same


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def assert_same(request):
    return compiled(CONFIGURATIONS[request.param])


@pytest.fixture(scope="module")
def assert_same_characters():
    """Of a tokeniser that gives every character an id and cuts no text."""
    every = tuple(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    return compiled(tokenizer("character", 100_000).model_copy(update={"vocabulary": every}))


@settings(deadline=None)
@example([])
@example([""])
@example(["a" * 100, "", "b c " * 50])
@given(st.lists(TEXTS, max_size=4))
def test_the_compiled_tokeniser_equals_that_of_training(assert_same, texts):
    assert_same(texts)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_each_character_is_read_as_training_did(assert_same_characters, texts):
    assert_same_characters(texts)


def test_all_characters_are_read_as_training_did(assert_same_characters):
    assert_same_characters(["".join(map(chr, codes)) for codes in (range(0xD800), range(0xE000, 0x30000))])
    # Each mark behind those of all other classes.
    assert_same_characters(["a" + "".join(sorted(marks(), key=marks().__getitem__, reverse=True)) + "b"])


def test_a_long_text_and_a_long_run_of_marks_take_no_long_time(assert_same_characters):
    # Time by the square of the length would be minutes.
    started = time.perf_counter()
    assert_same_characters(["é " * 100_000, "\u0301\u0327" * 20_000])
    assert time.perf_counter() - started < 20


def test_it_is_the_same_before_it_is_compiled():
    known = CONFIGURATIONS["word-True-True-True"]
    read = ReadTexts(meta(SPECS["text"], tokenizer=known))
    texts = ["Éa<br />ﬁ b", "", "x " * 30]
    assert [read.encode(text) for text in texts] == [known.encode(text) for text in texts]


@pytest.mark.parametrize(
    ("tokens", "lengths"),
    [
        (torch.ones(2, 3), torch.ones(2, dtype=torch.int64)),
        (torch.ones(2, 3, dtype=torch.int64), torch.ones(2)),
        (torch.ones(3, dtype=torch.int64), torch.ones(3, dtype=torch.int64)),
        (torch.ones(2, 3, dtype=torch.int64), torch.ones(2, 1, dtype=torch.int64)),
    ],
    ids=["dtype of ids", "dtype of lengths", "axes of ids", "axes of lengths"],
)
def test_other_token_ids_are_refused(tokens, lengths):
    with pytest.raises(
        ValueError, match=r"token ids must be int64 of shape \(N, L\), and lengths int64 of shape \(N,\)"
    ):
        ReadTokens()(tokens, lengths)
