"""A taxonomy is the fold of its changes: codes stay for ever, versions grow by one, nothing is taken out."""

from collections.abc import Callable
from itertools import count, pairwise

import pytest
from chassis.errors import InvalidError, NotFoundError, PreconditionError
from contracts.profiles import TaxonomyPublished
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles.taxonomy.areas import MOST_IN_USE, Area, Areas, Family, Words, new_code
from profiles.taxonomy.document import VERSIONS_KEPT, Place, Sent, Taxonomy
from profiles.taxonomy.starter import STARTER

_KEYS = count(1)


def sent(seen: int | None = None, key: str = "") -> Sent:
    """A command of Ora's; each has a key of its own unless it is given."""
    return Sent(by="ora", at="2026-11-27T22:00:00Z", key=key or f"key-{next(_KEYS)}", seen=seen)


def words(english: str = "", german: str = "", sentence: str = "") -> Words:
    """What an organiser typed; an empty field says nothing."""
    return Words.of({"en": english, "de": german}, {"en": sentence})


@pytest.fixture
def taxonomy() -> Taxonomy:
    """The one with which a tenant begins, told already."""
    made = Taxonomy.starter("demo")
    made.take_uncommitted()
    return made


def technology(taxonomy: Taxonomy) -> list[str]:
    """Codes of one family's areas in their order."""
    return [area.code for area in taxonomy.now.in_family("technology")]


def test_a_tenant_begins_with_four_families_in_two_languages() -> None:
    """Version 1 is said at once, codes alone."""
    made = Taxonomy.starter("demo")

    (event,) = made.take_uncommitted().said
    assert isinstance(event, TaxonomyPublished)
    assert (event.taxonomy, event.version, len(event.areas)) == ("demo", 1, 24)
    assert event.families == ("technology", "inclusion", "ground", "trends")
    assert {each.code for each in event.areas if each.family == "trends"} == {
        *("sustainability", "gen-z-consumers", "creator-economy", "fintech", "remote-collaboration"),
    }
    assert "Wolke" not in event.model_dump_json()
    assert made.now.area("cloud").words.labels == {"en": "Cloud services", "de": "Cloud-Dienste"}
    assert [area.code for area in made.now.areas if area.words.missing(["en", "de"])] == []


def test_a_new_area_gets_the_next_version_and_a_code_from_its_first_label(taxonomy: Taxonomy) -> None:
    """At the end of its family, or where it was asked for."""
    last = taxonomy.add_area(words("Prompt writing", "Gute Anfragen"), Place("technology"), sent())
    first = taxonomy.add_area(words(german="Führung über Grenzen"), Place("technology", ""), sent())
    middle = taxonomy.add_area(words("R&D"), Place("technology", "cloud"), sent())

    assert (last, first, middle) == ("prompt-writing", "fuehrung-ueber-grenzen", "r-and-d")
    assert technology(taxonomy) == [
        *("fuehrung-ueber-grenzen", "ai-tools", "data-literacy", "social-media", "cyber-hygiene", "cloud"),
        *("r-and-d", "automation", "prompt-writing"),
    ]
    assert (taxonomy.version, [each.number for each in taxonomy.versions]) == (4, [2, 3, 4])
    assert [(each.by, each.at) for each in taxonomy.versions] == [("ora", "2026-11-27T22:00:00Z")] * 3


def test_a_missing_language_reads_the_other_one() -> None:
    """And it is known to be missing; a sentence in one language is missing in the other."""
    one, both = words(german="Pflege", sentence=""), words("Care", "Pflege", "Who cares for whom.")

    assert (one.label("en"), one.label("de"), one.missing(["en", "de"])) == ("Pflege", "Pflege", ("en",))
    assert (both.label("en"), both.sentence("de"), both.missing(["en", "de"])) == (
        "Care",
        "Who cares for whom.",
        ("de",),
    )


@pytest.mark.parametrize(
    ("label", "taken", "code"),
    [
        ("AI tools", (), "ai-tools"),
        ("AI tools", ("ai-tools",), "ai-tools-2"),
        ("AI tools", ("ai-tools", "ai-tools-2"), "ai-tools-3"),
        ("  Crème brûlée!  ", (), "creme-brulee"),
        ("生成AI", (), "ai"),
        ("生成", (), "area"),
        ("=cmd|calc", (), "cmd-calc"),
        ("a" * 60, ("a" * 40,), "a" * 38 + "-2"),
    ],
)
def test_a_code_is_the_label_in_plain_letters(label: str, taken: tuple[str, ...], code: str) -> None:
    """Short enough for everywhere, no spreadsheet takes it for a formula, and none is given twice."""
    assert new_code(Words.of({"en": label}), taken, "area") == code


def test_an_edit_changes_words_and_place_and_never_the_code(taxonomy: Taxonomy) -> None:
    """Behind another area, first, or in another family at the end."""
    taxonomy.edit_area("cloud", words("Cloud and edge"), Place("technology", "ai-tools"), sent())
    assert technology(taxonomy)[:3] == ["ai-tools", "cloud", "data-literacy"]
    taxonomy.edit_area("automation", taxonomy.now.area("automation").words, Place("technology", ""), sent())
    assert technology(taxonomy)[:3] == ["automation", "ai-tools", "cloud"]
    taxonomy.edit_area("cloud", words("Cloud and edge"), Place("trends"), sent())

    assert taxonomy.now.area("cloud") == Area(code="cloud", family="trends", words=words("Cloud and edge"))
    assert [area.code for area in taxonomy.now.in_family("trends")][-1] == "cloud"
    assert taxonomy.version == 4


def test_a_save_that_changes_nothing_is_no_version(taxonomy: Taxonomy) -> None:
    """The form sends the place where it stands; retiring what is retired is no news either."""
    cloud = taxonomy.now.area("cloud")
    taxonomy.edit_area("cloud", cloud.words, Place("technology", "cyber-hygiene"), sent())
    taxonomy.restore_area("cloud", sent())

    assert (taxonomy.version, taxonomy.versions, taxonomy.take_uncommitted().said) == (1, (), [])


def test_a_retired_area_is_known_and_not_offered_and_comes_back(taxonomy: Taxonomy) -> None:
    """Its place and its words are as they were."""
    before = taxonomy.now
    taxonomy.retire_area("cloud", sent())

    (event,) = taxonomy.take_uncommitted().said
    assert isinstance(event, TaxonomyPublished)
    assert [each.code for each in event.areas if each.retired] == ["cloud"]
    assert "cloud" not in taxonomy.now.offered
    assert "cloud" in taxonomy.now.known
    assert taxonomy.now.area("cloud").words.label("de") == "Cloud-Dienste"
    taxonomy.restore_area("cloud", sent())
    assert taxonomy.now == before


def test_of_two_who_saw_the_same_version_the_second_is_told(taxonomy: Taxonomy) -> None:
    """Nothing of theirs is stored; having seen the new one, they go on."""
    taxonomy.retire_area("cloud", sent(seen=1))

    with pytest.raises(PreconditionError):
        taxonomy.add_area(words("Care"), Place("ground"), sent(seen=1))
    assert taxonomy.version == 2
    assert taxonomy.add_area(words("Care"), Place("ground"), sent(seen=2)) == "care"


def test_the_same_key_again_changes_nothing(taxonomy: Taxonomy) -> None:
    """A client that lost the answer gets it again, although its version is old by then."""
    first = taxonomy.add_area(words("Care"), Place("ground"), sent(seen=1, key="once-only"))
    again = taxonomy.add_area(words("Care"), Place("ground"), sent(seen=1, key="once-only"))

    assert (first, again, taxonomy.version) == ("care", "care", 2)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (words(), "at least one language"),
        (words("x" * 61), "is too long"),
        (words("Care", sentence="x" * 201), "is too long"),
        (words("Care\u202e"), "control character"),
        (words("Ca\nre"), "control character"),
        (words("cloud SERVICES"), "called 'cloud SERVICES' already"),
        (words("Clouds", "Cloud-Dienste"), "called 'Cloud-Dienste' already"),
        (words("Cloud-Dienste"), "called 'Cloud-Dienste' already"),
    ],
)
def test_words_that_cannot_be_read_or_told_apart_are_refused(taxonomy: Taxonomy, typed: Words, says: str) -> None:
    """In one sentence, and nothing is stored; the last shows the same to German readers as another area."""
    with pytest.raises(InvalidError, match=says):
        taxonomy.add_area(typed, Place("technology"), sent())
    assert (taxonomy.version, taxonomy.take_uncommitted().said) == (1, [])


def test_a_retired_areas_label_is_free_until_it_comes_back(taxonomy: Taxonomy) -> None:
    """The new one has a code of its own."""
    taxonomy.retire_area("cloud", sent())
    assert taxonomy.add_area(words("Cloud services"), Place("technology"), sent()) == "cloud-services"

    with pytest.raises(InvalidError, match="called 'Cloud services' already"):
        taxonomy.restore_area("cloud", sent())


def test_sixty_areas_are_in_use_at_most(taxonomy: Taxonomy) -> None:
    """Retiring one makes room, and the retired one waits outside."""
    for number in range(MOST_IN_USE - len(taxonomy.now.areas)):
        taxonomy.add_area(words(f"Area {number}"), Place("ground"), sent())
    with pytest.raises(InvalidError, match="At most 60 areas"):
        taxonomy.add_area(words("One more"), Place("ground"), sent())

    taxonomy.retire_area("cloud", sent())
    taxonomy.add_area(words("One more"), Place("ground"), sent())
    with pytest.raises(InvalidError, match="At most 60 areas"):
        taxonomy.restore_area("cloud", sent())


def test_families_are_added_and_renamed(taxonomy: Taxonomy) -> None:
    """Twelve at most, each with a label of its own; the code stays."""
    assert taxonomy.add_family(words("Skills", "Fertigkeiten"), sent()) == "skills"
    taxonomy.edit_family("skills", words("Crafts"), sent())
    assert taxonomy.now.families[-1] == Family(code="skills", words=words("Crafts"))
    with pytest.raises(InvalidError, match="family called 'Technik' already"):
        taxonomy.add_family(words("Technik"), sent())
    for number in range(7):
        taxonomy.add_family(words(f"Family {number}"), sent())
    with pytest.raises(InvalidError, match="At most 12 families"):
        taxonomy.add_family(words("Too many"), sent())


@pytest.mark.parametrize(
    "command",
    [
        lambda each: each.retire_area("witchcraft", sent()),
        lambda each: each.edit_area("witchcraft", words("X"), Place("ground"), sent()),
        lambda each: each.add_area(words("X"), Place("witchcraft"), sent()),
        lambda each: each.add_area(words("X"), Place("ground", "witchcraft"), sent()),
        lambda each: each.edit_family("witchcraft", words("X"), sent()),
    ],
)
def test_what_is_not_there_cannot_be_changed(taxonomy: Taxonomy, command: Callable[[Taxonomy], str]) -> None:
    """A sentence says so."""
    with pytest.raises(NotFoundError, match="There is no"):
        command(taxonomy)
    assert taxonomy.version == 1


def test_an_area_stands_behind_one_of_its_own_family_and_not_behind_itself(taxonomy: Taxonomy) -> None:
    """A form that was open while the other one moved is told."""
    with pytest.raises(InvalidError, match="moved to another family"):
        taxonomy.add_area(words("Care"), Place("ground", "cloud"), sent())
    with pytest.raises(InvalidError, match="behind itself"):
        taxonomy.edit_area("cloud", words("Care"), Place("technology", "cloud"), sent())


def test_only_the_newest_versions_are_kept(taxonomy: Taxonomy) -> None:
    """The oldest of them can still be looked at, and what it changed; the ones before can't."""
    for number in range(VERSIONS_KEPT + 2):
        taxonomy.edit_family("ground", words(f"Ground {number}"), sent())

    assert (taxonomy.version, len(taxonomy.versions)) == (403, 400)
    assert taxonomy.at(403) == taxonomy.now
    assert taxonomy.at(3).family("ground").words.label("en") == "Ground 1"
    for gone in (2, 404):
        with pytest.raises(NotFoundError, match="not kept"):
            taxonomy.at(gone)


CODES = st.sampled_from([*sorted(STARTER.known)[:6], "care", "care-2", "nobody"])
FAMILIES = st.sampled_from(["technology", "ground", "skills", "nowhere"])
WORDS = st.builds(words, st.sampled_from(["Care", "Skills", "Cloud services", ""]), st.sampled_from(["Pflege", ""]))
PLACES = st.builds(Place, FAMILIES, st.one_of(st.none(), st.just(""), CODES))
COMMANDS = st.one_of(
    st.builds(lambda typed, place: lambda each: each.add_area(typed, place, sent()), WORDS, PLACES),
    st.builds(lambda code, typed, place: lambda each: each.edit_area(code, typed, place, sent()), CODES, WORDS, PLACES),
    st.builds(lambda code: lambda each: each.retire_area(code, sent()), CODES),
    st.builds(lambda code: lambda each: each.restore_area(code, sent()), CODES),
    st.builds(lambda typed: lambda each: each.add_family(typed, sent()), WORDS),
    st.builds(lambda code, typed: lambda each: each.edit_family(code, typed, sent()), FAMILIES, WORDS),
)


@settings(max_examples=200, deadline=None)
@given(commands=st.lists(COMMANDS, max_size=25))
def test_whatever_is_commanded_codes_stay_and_versions_grow(commands: list[Callable[[Taxonomy], str]]) -> None:
    """Every code that was ever said is said again; what is published is what the kept changes make of the start."""
    taxonomy = Taxonomy.starter("demo")
    told = [event for event in taxonomy.take_uncommitted().said if isinstance(event, TaxonomyPublished)]
    seen: list[Areas] = [taxonomy.now]
    for command in commands:
        try:
            command(taxonomy)
        except (InvalidError, NotFoundError):
            continue
        news = [event for event in taxonomy.take_uncommitted().said if isinstance(event, TaxonomyPublished)]
        told += news
        seen += [taxonomy.now] * len(news)

    assert [event.version for event in told] == list(range(1, len(told) + 1))
    for before, after in pairwise(told):
        assert {each.code for each in before.areas} <= {each.code for each in after.areas}
        assert set(before.families) <= set(after.families)
        assert len({each.code for each in after.areas}) == len(after.areas) <= len(before.areas) + 1
    assert [taxonomy.at(number) for number in range(1, len(told) + 1)] == seen
    folded = STARTER
    for version in taxonomy.versions:
        folded = folded.after(version.change)
    assert folded == taxonomy.now
    labels = [area.words.label("de").casefold() for area in taxonomy.now.areas if not area.retired]
    assert len(set(labels)) == len(labels) <= MOST_IN_USE
