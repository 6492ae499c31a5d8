"""The table by which texts are normalised: compatible characters, case, accents, spaces and punctuation."""

import unicodedata
from functools import lru_cache

#: Every Python has this version, and what it assigned never changes, so the table is the same in all of them.
UNICODE = unicodedata.ucd_3_2_0
#: Syllables of Korean are left as they are: to take 11,172 of them apart into their letters needs no table.
HANGUL = range(0xAC00, 0xD7A4)


@lru_cache(maxsize=1)
def _assigned() -> tuple[str, ...]:
    characters = (chr(code) for code in range(0x110000) if code not in HANGUL)
    # Without unassigned, private and surrogate code points.
    return tuple(c for c in characters if UNICODE.category(c) not in ("Cn", "Co", "Cs"))


def replacements(lowercase: bool, strip_accents: bool, split_punctuation: bool) -> dict[str, str]:
    """What stands for each character of Unicode 3.2 that doesn't stand for itself.

    Characters are taken apart into their compatible parts (NFKD: ``é`` is ``e`` and an accent, ``ﬁ`` is ``fi``), which
    makes canonically equivalent texts equal once marks are in order. Every space and control character becomes a
    space; characters that only guide the layout go.

    Args:
        lowercase: letters lose their case, as Unicode's case folding has it.
        strip_accents: combining marks go.
        split_punctuation: a space goes before and after each mark of punctuation and each symbol.
    """
    table = {}
    for character in _assigned():
        # Canonical parts are replaced one by one: so a character and its parts, ``≠`` and ``=`` with a stroke, agree.
        parts = UNICODE.normalize("NFD", character)
        text = "".join(_replacement(part, lowercase, strip_accents, split_punctuation) for part in parts)
        if text != character:
            table[character] = text
    return table


def _replacement(character: str, lowercase: bool, strip_accents: bool, split_punctuation: bool) -> str:
    category = UNICODE.category(character)
    if category[0] == "Z" or category == "Cc":
        return " "
    if category == "Cf":
        return ""
    text = UNICODE.normalize("NFKD", character)
    # The iota below a Greek letter would become a letter, and no longer be sorted among the marks.
    if lowercase and not UNICODE.combining(character):
        text = UNICODE.normalize("NFKD", text.casefold())
    if strip_accents:
        text = "".join(part for part in text if UNICODE.category(part) != "Mn")
    return f" {text} " if split_punctuation and category[0] in "PS" else text


def marks() -> dict[str, int]:
    """Every combining character with its canonical combining class (Unicode Standard, section 3.11)."""
    return {character: order for character in _assigned() if (order := UNICODE.combining(character))}
