"""Surnames of 14 languages, bundled with the package faker: which language is a name from? No download.

Source: the surname lists of faker's locales (https://github.com/joke2k/faker); the task is that of PyTorch's tutorial
NLP From Scratch: Classifying Names with a Character-Level RNN.
"""

from collections import Counter
from pathlib import Path
from typing import Literal

from pipeline.core.schema import Schema
from pipeline.core.spec import DataSpec
from pipeline.core.storage import of_texts
from pipeline.source import texts
from pipeline.source.loaded import Fraction, Loaded
from pipeline.source.texts import Text

FILE = "surnames.csv"
#: Language -> faker's locales: those in Latin script with at least 400 names, but for Icelandic, whose list has no
#: surnames (faker makes them from first names), and countries of several languages.
LOCALES = {
    "croatian": ("hr_HR",),
    "dutch": ("nl_NL",),
    "english": ("en_GB", "en_US"),
    "estonian": ("et_EE",),
    "finnish": ("fi_FI",),
    "french": ("fr_CA", "fr_FR"),
    "german": ("de_AT", "de_DE"),
    "irish": ("ga_IE",),
    "italian": ("it_IT",),
    "polish": ("pl_PL",),
    "slovak": ("sk_SK",),
    "spanish": ("es_AR", "es_CL", "es_CO", "es_ES", "es_MX"),
    "swedish": ("sv_SE",),
    "zulu": ("zu_ZA",),
}


class Options(Schema):
    """The whole entry under ``datasets``.

    Attributes:
        path: the file with the md5 of the written table.
        text: how names become token ids.
        test_fraction: of all examples; ``val_fraction``: of the others.
    """

    kind: Literal["surnames"]
    path: str
    text: Text = Text(unit="character", max_length=30, vocabulary_size=200)
    test_fraction: Fraction = 0.2
    val_fraction: Fraction = 0.1


def spec(options: Options) -> DataSpec:
    """Short texts of 14 classes."""
    return texts.spec(options.text, len(LOCALES))


def download(path: Path, raw: Path) -> None:
    """Write ``surnames.csv`` into ``raw``: every surname of every language, as faker has them.

    Raises:
        ValueError: faker's lists are not those of the checksum file ``path``.
    """
    from pipeline.downloading import checksums
    from pipeline.downloading.texts import write

    write(raw / FILE, ((language, name) for language in LOCALES for name in sorted(_names(language))))
    checksums.verify(raw, path, "faker bundles other names: install the version in requirements.txt")


def _names(language: str) -> set[str]:
    from importlib import import_module

    providers = [import_module(f"faker.providers.person.{locale}").Provider for locale in LOCALES[language]]
    # Lists, and mappings from names to their frequencies: for all, for men, for women.
    lists = [value for provider in providers for name, value in vars(provider).items() if "last_names" in name]
    return {name for names in lists for name in names}


def load(raw: Path, options: Options) -> Loaded:
    """Read what :func:`download` wrote, without the names that several languages claim: they have no right answer.

    Raises:
        ValueError: the file is damaged.
    """
    from pipeline.preprocessing.damage import damaged
    from pipeline.preprocessing.texts import read

    classes = tuple(LOCALES)
    try:
        names, languages = read(raw / FILE, "text", "label")
        labels = [classes.index(language) for language in languages]
    except (OSError, ValueError) as error:
        raise damaged(raw, FILE, error) from None
    claims = Counter(names)
    kept = [(name, label) for name, label in zip(names, labels, strict=True) if claims[name] == 1]
    return Loaded(of_texts(*zip(*kept, strict=True)), options.test_fraction, classes, options.text)
