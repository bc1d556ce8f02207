"""The messages of the source and the catalogues that translate them: extracted, and brought up to date in place.

A message is what stands in a call that translates or marks, in code and in templates, and the sentence of a refusal
where it is raised. The rehearsal of a programme is left out: it is a command line, and those speak English alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from chassis import errors
from local.places import ROOT

LANGUAGES: Final = ("de",)
PACKAGES: Final = {
    path.name: path
    for path in (ROOT / "chassis/chassis", *sorted(ROOT.glob("services/*/*")))
    if (path / "app.py").exists()
}
"""What has texts for people; each package has its own catalogues."""
KEYWORDS: Final[dict[str, Any]] = {
    **DEFAULT_KEYWORDS,
    "mark": None,
    **{name: None for name, value in vars(errors).items() if isinstance(value, type) and hasattr(value, "detail")},
}
"""Calls whose texts are messages, refusals among them."""
_METHODS: Final = [
    ("rehearsal/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
]
_WIDTH: Final = 120
_TERMS: Final = "chassis/chassis/locale/{language}/LC_MESSAGES/messages.po"


def source(package: Path) -> Catalog:
    """Every message of a package, without translations."""
    found = Catalog(fuzzy=False)
    for name, _line, message, comments, context in extract_from_dir(package, _METHODS, {}, KEYWORDS):
        found.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return found


def catalogue_of(package: Path, language: str) -> Path:
    """Where a package keeps its translations."""
    return package / "locale" / language / "LC_MESSAGES" / "messages.po"


def read(path: Path, language: str) -> Catalog:
    """A catalogue as it is written, or an empty one."""
    if not path.exists():
        return Catalog(
            locale=language,
            header_comment=f"# Terms and form of address: {_TERMS.format(language=language)}",
            project="Turnabout",
            version="1",
            msgid_bugs_address="Turnabout",
            last_translator="Turnabout",
            language_team="Turnabout",
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update() -> Iterator[str]:
    """Bring all catalogues up to date, and say what each still misses."""
    for name, package in PACKAGES.items():
        for language in LANGUAGES:
            catalogue = update_one(package, language)
            missing = [message for message in catalogue if message.id and not is_told(message)]
            yield f"{name}, {language}: {len(catalogue)} messages, {len(missing)} to translate"


def update_one(package: Path, language: str) -> Catalog:
    """Bring one catalogue up to date, or begin it.

    What is translated stays. A message whose English changed a little keeps its old translation, marked as fuzzy: it is
    not shown until somebody has looked at it and taken the mark away. What the source has no more is left out.
    """
    path = catalogue_of(package, language)
    catalogue = read(path, language)
    catalogue.update(source(package), update_creation_date=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=_WIDTH, ignore_obsolete=True, include_lineno=False, sort_by_file=True)
    return catalogue


def is_told(message: Message) -> bool:
    """Whether every form of a message has a translation that somebody has looked at."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(forms) and not message.fuzzy
