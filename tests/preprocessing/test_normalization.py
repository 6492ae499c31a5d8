import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.preprocessing.normalization import marks, replacements

UNICODE = unicodedata.ucd_3_2_0
PLAIN = replacements(lowercase=False, strip_accents=False, split_punctuation=False)
ALL = replacements(lowercase=True, strip_accents=True, split_punctuation=True)


@pytest.mark.parametrize(
    ("character", "plain", "everything"),
    [
        ("a", "a", "a"),
        ("É", "E\u0301", "e"),
        ("ß", "ß", "ss"),
        ("ﬁ", "fi", "fi"),
        ("Ж", "Ж", "ж"),
        ("≠", "=\u0338", " = "),
        ("İ", "I\u0307", "i"),
        ("\u0301", "\u0301", ""),
        ("\t", " ", " "),
        ("\u3000", " ", " "),
        ("\u2028", " ", " "),
        ("\u200d", "", ""),  # a joiner
        (",", ",", " , "),
        ("€", "€", " € "),
        ("…", "...", " ... "),
        ("한", "한", "한"),
        ("😀", "😀", "😀"),  # younger than the table
    ],
)
def test_what_stands_for_a_character(character, plain, everything):
    assert PLAIN.get(character, character) == plain
    assert ALL.get(character, character) == everything


@pytest.mark.parametrize("options", [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_what_was_replaced_is_not_replaced_again(options):
    table = replacements(*options, split_punctuation=False)
    assert not table.keys() & set("".join(table.values())) - {" "}


@given(st.text(st.sampled_from(sorted(marks()))))
def test_marks_have_the_classes_that_sort_them_canonically(run):
    ordered = "".join(sorted(UNICODE.normalize("NFD", run), key=marks().__getitem__))
    assert ordered == UNICODE.normalize("NFD", run)


def test_marks_are_the_characters_with_a_combining_class():
    assert marks()["\u0301"] == 230 and marks()["\u0327"] == 202
    assert "a" not in marks() and 0 not in marks().values()
