"""The pages on which an organiser edits the taxonomy: the list, one area, one family.

What is saved counts at once and is a version of its own. When somebody else was faster, or it cannot be so, the page
shows what was typed and why.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from babel.core import Locale
from chassis.errors import PreconditionError, TurnaboutError
from chassis.translation import current
from chassis.translation import gettext as _
from chassis.web.http import IdempotencyKey, IfMatch
from chassis.web.identity import SignedIn
from chassis.web.pages import Pages, redirect
from chassis.web.policy import Resource
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from profiles.parts import HasParts
from profiles.policy import POLICY
from profiles.taxonomy.api import Command, change, words_of
from profiles.taxonomy.areas import LONGEST_LABEL, LONGEST_SENTENCE, Area, Areas, Family, Words
from profiles.taxonomy.document import Place, Taxonomy

router = APIRouter(include_in_schema=False)
pages: Final = Pages("profiles")
PAGE: Final = "/taxonomy"
_STEP: Final = 5
"""So few people are never told apart: an area can be what somebody has lived through."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an organiser sits: the request, and what may be used for its answer."""

    request: Request
    caller: SignedIn
    parts: HasParts

    async def taxonomy(self) -> Taxonomy:
        """What is edited.

        Raises:
            ForbiddenError: the caller organises nothing.
        """
        POLICY.require(self.caller, "taxonomy.edit", Resource(self.caller.tenant))
        return await self.parts.store.taxonomy_of(self.caller.tenant)

    async def typed(self) -> "Typed":
        """The form as it was sent."""
        form = await self.request.form()

        def texts(name: str) -> dict[str, str]:
            return {tag: str(form.get(f"{name}-{tag}") or "") for tag in self.parts.languages}

        return Typed(texts("label"), texts("sentence"), str(form.get("place") or ""))

    async def naming(self, areas: tuple[Area, ...]) -> dict[str, tuple[int, int]]:
        """How many people offer and seek each area, in fives; nothing below that."""
        found = {}
        for area in areas:  # one after the other: members' pages need the database meanwhile
            offered, sought = await self.parts.store.naming(self.caller.tenant, area.code)
            found[area.code] = (offered - offered % _STEP, sought - sought % _STEP)
        return found

    def render(
        self, template: str, refusal: TurnaboutError | None = None, *, entered: bool = True, **context: Any
    ) -> HTMLResponse:
        """A page, with what keeps the last command from being carried out, and whether that was typed."""
        return pages.render(
            self.request,
            template,
            caller=self.caller,
            status=refusal.status if refusal else 200,
            problem=_problem(refusal, entered=entered) if refusal else None,
            language=current().tag,
            **context,
        )


@dataclass(frozen=True, slots=True)
class Changing:
    """What comes with every command."""

    key: IdempotencyKey
    if_match: IfMatch

    async def do(self, desk: Desk, decide: Command) -> str:
        """Carry it out; returns the code of what it is about."""
        code, _version = await change(desk.parts, desk.caller, self.key, self.if_match or "", decide)
        return code


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of an area or a family, as they stand in the form."""

    labels: dict[str, str]
    sentences: dict[str, str]
    place: str

    @classmethod
    def of(cls, words: Words, place: str = "") -> "Typed":
        """What is stored."""
        return cls(words.labels, words.sentences, place)

    def words(self, desk: Desk, before: Words | None = None) -> Words:
        """What was typed; what no field asks for stays."""
        kept = before or Words(labels={})
        return words_of(desk.parts, self.labels, self.sentences).beside(kept, desk.parts.languages)

    def where(self) -> Place:
        """Where it is to stand."""
        family, _colon, behind = self.place.partition(":")
        return Place(family, behind)

    def fields(self, desk: Desk) -> list[dict[str, str]]:
        """One label and one sentence a language."""
        return [
            {
                "tag": tag,
                "language": language_name(tag),
                "label": self.labels.get(tag, ""),
                "sentence": self.sentences.get(tag, ""),
            }
            for tag in desk.parts.languages
        ]


AtDesk = Annotated[Desk, Depends(Desk)]
IsChanging = Annotated[Changing, Depends(Changing)]


@router.get(PAGE)
async def list_page(desk: AtDesk, count: str = "") -> HTMLResponse:
    """Every area by family, in which language it has no words, and how many people name it if that was asked."""
    taxonomy = await desk.taxonomy()
    return desk.render(
        "taxonomy.html",
        taxonomy=taxonomy,
        naming=await desk.naming(taxonomy.now.areas) if count else None,
        missing=_missing(desk, taxonomy.now.areas),
        missing_families=_missing(desk, taxonomy.now.families),
        step=_STEP,
    )


def _missing(desk: Desk, parts: tuple[Area, ...] | tuple[Family, ...]) -> dict[str, list[str]]:
    return {each.code: [language_name(tag) for tag in each.words.missing(desk.parts.languages)] for each in parts}


# --- Areas ------------------------------------------------------------------------------------------------------------


@router.get(f"{PAGE}/add")
async def new_area_page(desk: AtDesk, family: str = "") -> HTMLResponse:
    """An empty form."""
    taxonomy = await desk.taxonomy()
    return await _area_page(desk, taxonomy, None, Typed({}, {}, _last(taxonomy.now, family)))


@router.post(f"{PAGE}/add")
async def add_area(desk: AtDesk, changing: IsChanging) -> Response:
    """Offers a new area."""
    typed = await desk.typed()
    try:
        words = typed.words(desk)
        code = await changing.do(desk, lambda each, sent: each.add_area(words, typed.where(), sent))
    except TurnaboutError as refusal:
        return await _area_page(desk, await desk.taxonomy(), None, typed, refusal)
    return redirect(f"{PAGE}/areas/{code}", notice=_("Added. Everybody can choose it from now on."))


@router.get(f"{PAGE}/areas/{{code}}")
async def area_page(desk: AtDesk, code: str) -> HTMLResponse:
    """One area as it is, and what retiring it would touch."""
    taxonomy = await desk.taxonomy()
    return await _area_page(desk, taxonomy, taxonomy.now.area(code), None)


@router.post(f"{PAGE}/areas/{{code}}")
async def edit_area(desk: AtDesk, changing: IsChanging, code: str) -> Response:
    """Calls it something else, or puts it elsewhere."""
    typed, area = await desk.typed(), (await desk.taxonomy()).now.area(code)
    try:
        words = typed.words(desk, area.words)
        await changing.do(desk, lambda each, sent: each.edit_area(code, words, typed.where(), sent))
    except TurnaboutError as refusal:
        return await _area_page(desk, await desk.taxonomy(), area, typed, refusal)
    return redirect(f"{PAGE}/areas/{code}", notice=_("Saved."))


@router.post(f"{PAGE}/areas/{{code}}/retire")
async def retire_area(desk: AtDesk, changing: IsChanging, code: str) -> Response:
    """Offers it no longer."""
    notice = _("Retired. Whoever has it keeps it, and nobody can choose it any more.")
    return await _turn(desk, changing, code, lambda each, sent: each.retire_area(code, sent), notice)


@router.post(f"{PAGE}/areas/{{code}}/restore")
async def restore_area(desk: AtDesk, changing: IsChanging, code: str) -> Response:
    """Offers it again."""
    notice = _("It is back. Everybody can choose it again.")
    return await _turn(desk, changing, code, lambda each, sent: each.restore_area(code, sent), notice)


async def _turn(desk: Desk, changing: Changing, code: str, decide: Command, notice: str) -> Response:
    try:
        await changing.do(desk, decide)
    except TurnaboutError as refusal:
        taxonomy = await desk.taxonomy()
        return await _area_page(desk, taxonomy, taxonomy.now.area(code), None, refusal)
    return redirect(f"{PAGE}/areas/{code}", notice=notice)


async def _area_page(
    desk: Desk, taxonomy: Taxonomy, area: Area | None, typed: Typed | None, refusal: TurnaboutError | None = None
) -> HTMLResponse:
    places = _places(taxonomy.now, area)
    now = Typed.of(area.words, _place(taxonomy.now, area)) if area else Typed({}, {}, places[0][0])
    shown = typed or now
    return desk.render(
        "taxonomy_area.html",
        refusal,
        entered=typed is not None,
        area=area,
        version=taxonomy.version,
        fields=shown.fields(desk),
        places=places,
        place=shown.place if shown.place in dict(places) else now.place,
        naming=(await desk.naming((area,)))[area.code] if area else None,
        longest_label=LONGEST_LABEL,
        longest_sentence=LONGEST_SENTENCE,
        step=_STEP,
    )


def _place(areas: Areas, area: Area) -> str:
    return f"{area.family}:{areas.in_front_of(area.code)}"


def _last(areas: Areas, family: str) -> str:
    return f"{family}:{next((each.code for each in reversed(areas.in_family(family))), '')}"


def _places(areas: Areas, area: Area | None) -> list[tuple[str, str]]:
    """Everywhere an area could stand."""
    language, found = current().tag, []
    for family in areas.families:
        title = family.words.label(language)
        found.append((f"{family.code}:", _("%(family)s: first") % {"family": title}))
        found += [
            (
                f"{family.code}:{each.code}",
                _("%(family)s: behind %(area)s") % {"family": title, "area": each.words.label(language)},
            )
            for each in areas.in_family(family.code)
            if area is None or each.code != area.code
        ]
    return found


# --- Families ---------------------------------------------------------------------------------------------------------


@router.get(f"{PAGE}/add-family")
async def new_family_page(desk: AtDesk) -> HTMLResponse:
    """An empty form."""
    return _family_page(desk, await desk.taxonomy(), None, Typed({}, {}, ""))


@router.post(f"{PAGE}/add-family")
async def add_family(desk: AtDesk, changing: IsChanging) -> Response:
    """Opens a further family."""
    typed = await desk.typed()
    try:
        words = typed.words(desk)
        code = await changing.do(desk, lambda each, sent: each.add_family(words, sent))
    except TurnaboutError as refusal:
        return _family_page(desk, await desk.taxonomy(), None, typed, refusal)
    return redirect(f"{PAGE}#{code}", notice=_("Added. It shows on other pages once an area stands in it."))


@router.get(f"{PAGE}/families/{{code}}")
async def family_page(desk: AtDesk, code: str) -> HTMLResponse:
    """One family as it is."""
    taxonomy = await desk.taxonomy()
    family = taxonomy.now.family(code)
    return _family_page(desk, taxonomy, family, Typed.of(family.words))


@router.post(f"{PAGE}/families/{{code}}")
async def edit_family(desk: AtDesk, changing: IsChanging, code: str) -> Response:
    """Calls it something else."""
    typed, family = await desk.typed(), (await desk.taxonomy()).now.family(code)
    try:
        words = typed.words(desk, family.words)
        await changing.do(desk, lambda each, sent: each.edit_family(code, words, sent))
    except TurnaboutError as refusal:
        return _family_page(desk, await desk.taxonomy(), family, typed, refusal)
    return redirect(f"{PAGE}#{code}", notice=_("Saved."))


def _family_page(
    desk: Desk, taxonomy: Taxonomy, family: Family | None, typed: Typed, refusal: TurnaboutError | None = None
) -> HTMLResponse:
    return desk.render(
        "taxonomy_family.html",
        refusal,
        family=family,
        version=taxonomy.version,
        fields=typed.fields(desk),
        longest_label=LONGEST_LABEL,
    )


def language_name(tag: str) -> str:
    """What a language is called in the one of the page."""
    return str(Locale.parse(tag, sep="-").get_display_name(current().locale) or tag)


def _problem(refusal: TurnaboutError, *, entered: bool) -> str:
    if not isinstance(refusal, PreconditionError):
        return refusal.detail
    if entered:
        return _("Somebody else changed the areas meanwhile. This is what you entered: look it over and save again.")
    return _("Somebody else changed the areas meanwhile. This is how it is now: look it over and do it again.")
