import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st
from specimens import tokenizer

from pipeline.preprocessing.normalization import HANGUL, marks

UNICODE = unicodedata.ucd_3_2_0
#: Characters of Unicode 3.2, but for Korean: any; those with canonical parts; combining ones.
ASSIGNED = st.characters(exclude_categories=["Cs", "Co", "Cn"]).filter(
    lambda character: UNICODE.category(character) not in ("Cn", "Co") and ord(character) not in HANGUL
)
COMPOSED = [c for c in map(chr, range(0x30000)) if UNICODE.normalize("NFD", c) != c and ord(c) not in HANGUL]
TEXTS = st.text(
    st.sampled_from(COMPOSED) | st.sampled_from(sorted(marks())) | st.sampled_from("a\u03b9= \u00a8") | ASSIGNED
)
WORDS, CHARACTERS = (tokenizer(unit, max_length=9) for unit in ("word", "character"))
PLAIN = tokenizer("word", lowercase=False, strip_accents=True)


def assert_equivalent_texts_are_equal(text):
    for known in (WORDS, CHARACTERS, PLAIN):
        forms = [known.split(UNICODE.normalize(form, text)) for form in ("NFC", "NFD")]
        assert forms[0] == forms[1] == known.split(text)


def test_each_character_and_its_canonical_parts_have_the_same_tokens():
    for character in COMPOSED:
        assert_equivalent_texts_are_equal(character)


@given(TEXTS)
def test_canonically_equivalent_texts_have_the_same_tokens(text):
    assert_equivalent_texts_are_equal(text)


@example("ᾳ\u0301")  # an accent that goes before the iota
@example("=\u0338")
@given(TEXTS)
def test_a_text_and_what_the_tokeniser_makes_of_it_have_the_same_tokens(text):
    assert CHARACTERS.split("".join(CHARACTERS.split(text))) == CHARACTERS.split(text)


@given(st.text())
def test_there_are_1_to_max_length_ids_of_the_vocabulary(text):
    for known in (WORDS, CHARACTERS):
        ids = known.encode(text)
        assert 1 <= len(ids) <= 9
        assert all(1 <= token < known.num_tokens for token in ids)


@given(TEXTS)
def test_no_token_is_empty_and_spaces_are_single_and_inside(text):
    assert all(word and " " not in word for word in WORDS.split(text))
    assert all(len(character) == 1 for character in CHARACTERS.split(text))
    joined = "".join(CHARACTERS.split(text))
    assert joined == " ".join(joined.split(" ")).strip() and "  " not in joined


def test_a_text_without_tokens_is_one_unknown_token():
    for text in ("", " \t\n\u00a0", "\u200b"):
        assert WORDS.encode(text) == CHARACTERS.encode(text) == [1]


def test_both_ends_of_a_long_text_are_kept_and_of_an_odd_number_the_beginning_gets_more():
    known = tokenizer("character", max_length=5)
    ids = {letter: known.encode(letter)[0] for letter in "abcdefgh"}
    assert known.encode("abcdefgh") == [ids[letter] for letter in "abcgh"]
    assert known.encode("abcde") == [ids[letter] for letter in "abcde"]
    assert known.model_copy(update={"max_length": 4}).encode("abcdefgh") == [ids[letter] for letter in "abgh"]
    assert known.model_copy(update={"max_length": 1}).encode("abcdefgh") == [ids["a"]]


def test_a_token_outside_the_vocabulary_is_unknown():
    assert CHARACTERS.encode("aжb") == [CHARACTERS.encode("a")[0], 1, CHARACTERS.encode("b")[0]]
    assert WORDS.encode("a xyzzy") == [WORDS.encode("a")[0], 1]


def test_breaks_separate_words():
    assert tokenizer("word", html_breaks=True).split("good<br /><br>bad<br/>ugly") == ["good", "bad", "ugly"]
    assert "br" in WORDS.split("good<br />bad")


def test_punctuation_stands_alone_among_words_only():
    assert WORDS.split("Don't stop, (now)!") == ["don", "'", "t", "stop", ",", "(", "now", ")", "!"]
    assert "".join(CHARACTERS.split("Don't stop!")) == "don't stop!"
