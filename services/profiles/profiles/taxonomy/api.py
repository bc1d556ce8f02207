"""The JSON API of the taxonomy: every member reads it, other services read its labels, organisers change it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from chassis.errors import InvalidError, VersionNeededError
from chassis.translation import current
from chassis.translation import gettext as _
from chassis.web.http import IdempotencyKey, IfMatch, set_etag
from chassis.web.identity import Caller, SignedIn
from chassis.web.policy import Resource
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis import clock
from profiles.api import V1, AreaCode, member_or_service
from profiles.levels import LEVEL_NAMES
from profiles.parts import HasParts, Parts
from profiles.policy import POLICY
from profiles.taxonomy.areas import Area, Areas, Kind, Words
from profiles.taxonomy.document import Place, Sent, Taxonomy

router = APIRouter(prefix=f"{V1}/taxonomy", tags=["taxonomy"])
PURPOSE: Final = "taxonomy"
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_NO_VERSION: Final = 0
"""Nobody has seen it."""

Texts = Annotated[dict[str, str], Field(description="By language tag, as en or de.", max_length=20)]
Command = Callable[[Taxonomy, Sent], str]


class AreaTold(BaseModel):
    """One area, in the reader's language and in all of them."""

    code: str
    label: str
    sentence: str
    retired: bool = Field(description="Nobody can choose it any more; whoever names it goes on doing so.")
    labels: Texts
    sentences: Texts
    missing: tuple[str, ...] = Field(description="Languages whose readers get the words of another one.")


class FamilyTold(BaseModel):
    """One family with all of its areas."""

    code: str
    label: str
    labels: Texts
    areas: list[AreaTold]


class TaxonomyAnswer(BaseModel):
    """What can be offered and sought, and everything that once could."""

    version: int
    families: list[FamilyTold]
    areas: dict[str, str] = Field(description="The label of each code, retired ones included.")
    levels: dict[str, str]


class VersionTold(BaseModel):
    """One change of the taxonomy."""

    number: int
    at: str
    by: str = Field(description="The member who made it.")
    kind: Kind
    code: str


class VersionsAnswer(BaseModel):
    """The changes that are kept, the newest first."""

    versions: list[VersionTold]


class AreaEntered(BaseModel):
    """What an area is to be called, and where it is to stand."""

    model_config = ConfigDict(extra="forbid")

    family: AreaCode
    labels: Texts
    sentences: Texts = {}
    behind: Annotated[
        str | None, Field(max_length=40, description="An area of the family; empty for the first place.")
    ] = None

    @property
    def place(self) -> Place:
        """Where it is to stand."""
        return Place(self.family, self.behind)


class FamilyEntered(BaseModel):
    """What a family is to be called."""

    model_config = ConfigDict(extra="forbid")

    labels: Texts


class ChangedAnswer(BaseModel):
    """What was changed, and the version since when."""

    code: str
    version: int


async def may_read(request: Request) -> None:
    """Lets through every member, and our services with a token for the taxonomy."""
    if caller := await member_or_service(request, PURPOSE):
        POLICY.require(caller, "taxonomy.read", Resource(caller.tenant))


@router.get("", dependencies=[Depends(may_read)])
async def taxonomy(parts: HasParts, response: Response) -> TaxonomyAnswer:
    """Areas by family, with their labels in the reader's language, and the names of levels; the version is the ETag."""
    found = await parts.store.taxonomy_of(parts.settings.tenant)
    response.headers["Cache-Control"] = "private, no-cache"
    set_etag(response, str(found.version))
    return _told(found.now, found.version, parts)


@router.get("/versions", dependencies=[Depends(may_read)])
async def versions(parts: HasParts) -> VersionsAnswer:
    """Who changed what, and when."""
    found = await parts.store.taxonomy_of(parts.settings.tenant)
    return VersionsAnswer(
        versions=[
            VersionTold(number=each.number, at=each.at, by=each.by, kind=each.change.kind, code=each.change.code)
            for each in reversed(found.versions)
        ]
    )


@router.get("/versions/{number}", dependencies=[Depends(may_read)])
async def version(number: int, parts: HasParts) -> TaxonomyAnswer:
    """The taxonomy as it was in one version."""
    return _told((await parts.store.taxonomy_of(parts.settings.tenant)).at(number), number, parts)


@dataclass(frozen=True, slots=True)
class Editing:
    """A command on its way in: whose it is, and the version that it is based on."""

    caller: SignedIn
    parts: HasParts
    key: IdempotencyKey
    if_match: IfMatch
    response: Response

    async def do(self, decide: Command) -> ChangedAnswer:
        """Carry it out.

        Raises:
            VersionNeededError: it does not say which version it is based on.
        """
        if self.if_match is None:
            raise VersionNeededError(_("Send If-Match with the ETag that you read, so that no other edit is lost."))
        code, number = await change(self.parts, self.caller, self.key, self.if_match, decide)
        set_etag(self.response, str(number))
        return ChangedAnswer(code=code, version=number)


IsEditing = Annotated[Editing, Depends(Editing)]


@router.post("/areas", status_code=201)
async def add_area(entered: AreaEntered, editing: IsEditing) -> ChangedAnswer:
    """Offer a new area; its code is made from its first label and stays."""
    words = words_of(editing.parts, entered.labels, entered.sentences)
    return await editing.do(lambda each, sent: each.add_area(words, entered.place, sent))


@router.put("/areas/{code}")
async def edit_area(code: str, entered: AreaEntered, editing: IsEditing) -> ChangedAnswer:
    """Call an area something else, or put it elsewhere."""
    words = words_of(editing.parts, entered.labels, entered.sentences)
    return await editing.do(lambda each, sent: each.edit_area(code, words, entered.place, sent))


@router.post("/areas/{code}/retire")
async def retire_area(code: str, editing: IsEditing) -> ChangedAnswer:
    """Offer an area no longer; where it stands it can be read as before."""
    return await editing.do(lambda each, sent: each.retire_area(code, sent))


@router.post("/areas/{code}/restore")
async def restore_area(code: str, editing: IsEditing) -> ChangedAnswer:
    """Offer an area again."""
    return await editing.do(lambda each, sent: each.restore_area(code, sent))


@router.post("/families", status_code=201)
async def add_family(entered: FamilyEntered, editing: IsEditing) -> ChangedAnswer:
    """Open a further family."""
    words = words_of(editing.parts, entered.labels)
    return await editing.do(lambda each, sent: each.add_family(words, sent))


@router.put("/families/{code}")
async def edit_family(code: str, entered: FamilyEntered, editing: IsEditing) -> ChangedAnswer:
    """Call a family something else."""
    words = words_of(editing.parts, entered.labels)
    return await editing.do(lambda each, sent: each.edit_family(code, words, sent))


async def change(parts: Parts, caller: Caller, key: str, if_match: str, decide: Command) -> tuple[str, int]:
    """Let an organiser's command change the taxonomy; returns the code of what it is about, and the version now.

    Raises:
        ForbiddenError: the caller organises nothing.
    """
    POLICY.require(caller, "taxonomy.edit", Resource(caller.tenant))
    seen = int(if_match) if _NUMBER.fullmatch(if_match) else _NO_VERSION
    sent = Sent(by=caller.member, at=clock.timestamp(), key=key, seen=seen)
    return await parts.store.change_taxonomy(caller.tenant, lambda each: (decide(each, sent), each.version))


def words_of(parts: Parts, labels: Mapping[str, str], sentences: Mapping[str, str] | None = None) -> Words:
    """What somebody typed.

    Raises:
        InvalidError: it is for readers of a language that no page is written in.
    """
    if unknown := sorted({*labels, *(sentences or {})}.difference(parts.languages)):
        raise InvalidError(
            "No page is written in the language '{language}'. Use these: {spoken}.",
            language=unknown[0],
            spoken=", ".join(parts.languages),
        )
    return Words.of(labels, sentences)


def _told(areas: Areas, number: int, parts: Parts) -> TaxonomyAnswer:
    language = current().tag
    return TaxonomyAnswer(
        version=number,
        families=[
            FamilyTold(
                code=family.code,
                label=family.words.label(language),
                labels=family.words.labels,
                areas=[_area(each, language, parts) for each in areas.areas if each.family == family.code],
            )
            for family in areas.families
        ],
        areas={area.code: area.words.label(language) for area in areas.areas},
        levels={str(level): _(name) for level, name in LEVEL_NAMES.items()},
    )


def _area(area: Area, language: str, parts: Parts) -> AreaTold:
    words = area.words
    return AreaTold(
        code=area.code,
        label=words.label(language),
        sentence=words.sentence(language),
        retired=area.retired,
        labels=words.labels,
        sentences=words.sentences,
        missing=words.missing(parts.languages),
    )
