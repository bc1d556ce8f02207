"""The catalogues say everything that the source says, with the same gaps, and nothing else."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from local.messages import KEYWORDS, LANGUAGES, PACKAGES, catalogue_of, is_told, read, source, update_one
from local.places import ROOT

_GAP = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
BOTH = [(package, language) for package in PACKAGES for language in LANGUAGES]
MAKE = "run `make messages`, then translate"


def told(package: str, language: str) -> dict[object, Message]:
    """The messages of a catalogue by their English, the header aside."""
    return {
        key(message): message for message in read(catalogue_of(PACKAGES[package], language), language) if message.id
    }


def key(message: Message) -> tuple[object, object]:
    """What tells two messages apart."""
    return message.context, tuple(message.id) if isinstance(message.id, list) else message.id


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The one text, or singular and plural."""
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


def lost_or_invented(message: Message) -> list[str]:
    """Forms whose gaps are not those of the same form in English; further forms have those of its plural."""
    english = [set(_GAP.findall(form)) for form in forms(message.id)]
    wrong = []
    for number, form in enumerate(forms(message.string)):
        gaps, expected = set(_GAP.findall(form)), english[min(number, len(english) - 1)]
        if gaps != expected:
            wrong.append(f"{form!r} has {sorted(gaps)}, the source {sorted(expected)}")
    return wrong


@pytest.mark.parametrize(("package", "language"), BOTH)
def test_every_message_is_translated(package: str, language: str) -> None:
    """Each message of the source stands in the catalogue, in every plural form, and nobody doubts it."""
    catalogue = told(package, language)
    missing = [
        message.id
        for message in source(PACKAGES[package])
        if message.id and not (key(message) in catalogue and is_told(catalogue[key(message)]))
    ]
    assert missing == [], MAKE


@pytest.mark.parametrize(("package", "language"), BOTH)
def test_no_translation_outlives_its_message(package: str, language: str) -> None:
    """What the source no longer says is gone from the catalogue."""
    known = {key(message) for message in source(PACKAGES[package]) if message.id}
    assert set(told(package, language)) - known == set(), MAKE


@pytest.mark.parametrize(("package", "language"), BOTH)
def test_a_translation_has_the_gaps_of_its_message(package: str, language: str) -> None:
    """A name or a number that English tells is told; none is asked for that is not given."""
    assert [wrong for message in told(package, language).values() for wrong in lost_or_invented(message)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_has_all_forms_of_its_language(language: str) -> None:
    """Some languages have one form, some four: each is written."""
    for package in PACKAGES:
        catalogue = read(catalogue_of(PACKAGES[package], language), language)
        counted = Counter(len(forms(message.string)) for message in catalogue if isinstance(message.id, tuple | list))
        assert set(counted) <= {catalogue.num_plurals}, package


def test_what_is_said_in_a_refusal_of_a_domain_is_a_message() -> None:
    """A domain knows no translation; its sentences are found where they are raised."""
    assert "Propose one, two or three times." in source(PACKAGES["matching"])
    assert "Choose at most {most} areas to offer and {most} to seek." in source(PACKAGES["profiles"])


def test_a_domain_refuses_in_sentences_that_can_be_translated() -> None:
    """No f-string is raised: what differs is given beside the sentence, for its gaps."""
    modules = [
        path for package in PACKAGES.values() for path in (*package.glob("domain.py"), *package.glob("domain/*.py"))
    ]
    assert modules
    made = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in KEYWORDS
        and isinstance(node.args[0] if node.args else None, ast.JoinedStr)
    ]
    assert made == []


def test_an_update_keeps_translations_and_changes_nothing_twice(tmp_path: Path) -> None:
    """A changed sentence keeps its old translation until somebody has looked at it; one that is gone is left out."""
    package = tmp_path / "shop"
    package.mkdir()
    catalogue = catalogue_of(package, "de")
    says(package, "Your basket is empty.", "Pay now")
    update_one(package, "de")
    text = catalogue.read_text().replace('msgid "Pay now"\nmsgstr ""', 'msgid "Pay now"\nmsgstr "Jetzt bezahlen"')
    catalogue.write_text(text.replace('empty."\nmsgstr ""', 'empty."\nmsgstr "Ihr Korb ist leer."'))

    says(package, "Your basket is empty now.", "Pay now")
    update_one(package, "de")

    read_again = {message.id: message for message in read(catalogue, "de") if message.id}
    assert set(read_again) == {"Your basket is empty now.", "Pay now"}
    assert is_told(read_again["Pay now"])
    doubted = read_again["Your basket is empty now."]
    assert (doubted.string, doubted.fuzzy, is_told(doubted)) == ("Ihr Korb ist leer.", True, False)
    before = catalogue.read_bytes()
    update_one(package, "de")
    assert catalogue.read_bytes() == before


def says(package: Path, *sentences: str) -> None:
    """A module that says these."""
    (package / "words.py").write_text("".join(f"_({sentence!r})\n" for sentence in sentences))
