"""What changed in the taxonomy, and how it was before."""

from typing import Final

from chassis.translation import current
from chassis.translation import gettext as _
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from profiles.api import card_of
from profiles.taxonomy.areas import Areas, Change, Kind, Words
from profiles.taxonomy.pages import PAGE, AtDesk, language_name

router = APIRouter(include_in_schema=False)
_SHOWN: Final = 40


@router.get(f"{PAGE}/versions")
async def versions_page(desk: AtDesk, before: int | None = None) -> HTMLResponse:
    """The changes, the newest first."""
    taxonomy = await desk.taxonomy()
    told = [step for step in taxonomy.steps() if before is None or step[0].number < before]
    shown = told[-_SHOWN:][::-1]
    found = await desk.parts.store.present(desk.caller.tenant, [version.by for version, _was, _became in shown])
    return desk.render(
        "taxonomy_versions.html",
        taxonomy=taxonomy,
        versions=[(version, _what(version.change, was, became)) for version, was, became in shown],
        more=shown[-1][0].number if len(told) > _SHOWN else None,
        people={member.id: card_of(member) for member in found},
    )


@router.get(f"{PAGE}/versions/{{number}}")
async def version_page(desk: AtDesk, number: int) -> HTMLResponse:
    """The taxonomy as it was."""
    taxonomy = await desk.taxonomy()
    at = next((version.at for version in taxonomy.versions if version.number == number), None)
    return desk.render("taxonomy_version.html", areas=taxonomy.at(number), number=number, at=at)


def _what(change: Change, was: Areas, became: Areas) -> list[str]:
    """What a change did, in a sentence for each part of it."""
    if change.kind is Kind.FAMILY_EDITED:
        return _reworded(was.family(change.code).words, change.words)
    if change.kind is Kind.FAMILY_ADDED:
        return [_("The family %(label)s was added.") % {"label": change.words.label(current().tag)}]
    area = became.area(change.code)
    label = {"label": area.words.label(current().tag)}
    if change.kind is Kind.AREA_EDITED:
        before = was.area(change.code)
        told = _reworded(before.words, area.words)
        if before.family != area.family:
            family = became.family(area.family).words.label(current().tag)
            told.append(_("%(label)s was moved to the family %(family)s.") % (label | {"family": family}))
        elif change.behind is not None:
            told.append(_("%(label)s was moved.") % label)
        return told
    if change.kind is Kind.AREA_ADDED:
        return [_("%(label)s was added.") % label]
    return [(_("%(label)s was retired.") if area.retired else _("%(label)s was brought back.")) % label]


def _reworded(was: Words, became: Words) -> list[str]:
    """Which texts are others now, by language."""
    return [
        _("%(language)s: “%(before)s” became “%(after)s”.")
        % {"language": language_name(tag), "before": before.get(tag, ""), "after": after.get(tag, "")}
        for before, after in ((was.labels, became.labels), (was.sentences, became.sentences))
        for tag in dict.fromkeys((*before, *after))
        if before.get(tag) != after.get(tag)
    ]
