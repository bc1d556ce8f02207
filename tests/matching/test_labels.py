"""What areas are called, as matching learns it from profiles; and which of them a programme may name."""

from collections.abc import AsyncIterator

import pytest
from chassis.translation import Catalogues
from matching.labels import Labels
from matching.programmes.form import ProgrammeForm
from starlette.datastructures import FormData
from taxonomy_news import a_new_version
from web_edge import EdgeSettings, Profiles, a_key, served

LABELS = {"ai-tools": "AI tools in daily work", "cloud": "Cloud services", "fintech": "Fintech"}


@pytest.fixture
def profiles() -> Profiles:
    """Profiles with three areas, of which one is retired."""
    return Profiles([a_key("k1")], areas=dict(LABELS), retired={"cloud"})


@pytest.fixture
async def labels(profiles: Profiles) -> AsyncIterator[Labels]:
    """What a matching api asks for labels."""
    async with served(profiles.app()) as address:
        made = Labels(EdgeSettings(profiles_url=address))
        yield made
        await made.aclose()


async def test_a_retired_area_has_a_label_and_is_offered_to_nobody(labels: Labels) -> None:
    """Pages that name it read as before; whoever chooses does not meet it."""
    assert await labels.areas() == LABELS
    assert await labels.families() == [("all", "All", [("ai-tools", "AI tools in daily work"), ("fintech", "Fintech")])]


async def test_labels_are_asked_once_a_language_as_a_service(labels: Labels, profiles: Profiles) -> None:
    """With matching's own token for the taxonomy."""
    for language in ("en", "de", "en"):
        with Catalogues.of("chassis").speaking(language):
            await labels.areas()

    assert profiles.asked_taxonomy == [("Bearer token 1", "en"), ("Bearer token 1", "de")]
    assert [(each["client_id"], each["purpose"]) for each in profiles.service_tokens] == [("matching", "taxonomy")]


async def test_a_new_version_is_asked_for_at_once(labels: Labels, profiles: Profiles) -> None:
    """Not before somebody looks."""
    await labels.areas()
    profiles.areas["care-work"] = "Care work"
    assert "care-work" not in await labels.areas()

    labels.changed(a_new_version())

    assert (await labels.areas())["care-work"] == "Care work"
    assert len(profiles.asked_taxonomy) == 2


async def test_without_profiles_there_are_no_labels_and_no_failure() -> None:
    """Pages show codes as words instead."""
    labels = Labels(EdgeSettings(profiles_url="http://127.0.0.1:9"))

    assert (await labels.areas(), await labels.families()) == ({}, [])


@pytest.mark.parametrize(
    ("named", "allowed", "says"),
    [
        (["cloud"], {"ai-tools"}, "Cloud services is no longer offered. Untick it"),
        (["cloud"], {"ai-tools", "cloud"}, None),
        (["witchcraft"], {"ai-tools"}, "We do not know the area witchcraft."),
    ],
)
def test_a_programme_keeps_a_retired_area_and_takes_none_on(
    named: list[str], allowed: set[str], says: str | None
) -> None:
    """It may name what is offered, and what it named before."""
    form = ProgrammeForm.read(FormData([("areas", code) for code in named]), LABELS, allowed)

    told = form.error("areas")
    assert told is None if says is None else says in (told or "")
