"""The taxonomy of one tenant as a document: what is offered now, and every change that led there.

Each command makes the next version and says so, or changes nothing and says nothing. Versions are numbered without a
gap, and the number is what an edit names as the one that it is based on: of two people who edit at the same time the
second is told.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from chassis.errors import InvalidError, NotFoundError, PreconditionError
from chassis.state.aggregate import Aggregate
from contracts.profiles import KnownArea, TaxonomyPublished
from pydantic import BaseModel, ConfigDict

from profiles.taxonomy.areas import Areas, Change, Kind, Words, new_code
from profiles.taxonomy.starter import STARTER

VERSIONS_KEPT: Final = 400
"""So many changes can be looked at again; an array in a document is bounded."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A command on its way: who sends it and when, under which key, and which version they have seen."""

    by: str
    at: str
    key: str
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an area stands: in a family, behind another area of it; empty puts it first, none at the end."""

    family: str
    behind: str | None = None


class Version(BaseModel):
    """One change, with who made it and when."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    at: str
    by: str
    change: Change
    key: str


class Taxonomy(Aggregate):
    """What the members of one tenant may offer and seek."""

    version: int = 1
    now: Areas
    begins_with: Areas
    """What the oldest kept version changed."""
    versions: tuple[Version, ...] = ()

    @classmethod
    def starter(cls, tenant: str) -> Self:
        """What every tenant begins with."""
        begun = cls(id=tenant, tenant=tenant, now=STARTER, begins_with=STARTER)
        begun._publish()
        return begun

    def add_area(self, words: Words, place: Place, sent: Sent) -> str:
        """Offer a new area; returns its code, which is made from its first label and stays.

        Raises:
            InvalidError: it cannot be read, there is one like it, or there is no room for it.
            PreconditionError: somebody else was faster.
        """
        return self._do(sent, lambda: self._added(words, place))

    def edit_area(self, code: str, words: Words, place: Place, sent: Sent) -> str:
        """Call an area something else, or put it elsewhere; its code stays.

        Raises:
            InvalidError: it cannot be read, or there is one like it.
            NotFoundError: there is no such area.
            PreconditionError: somebody else was faster.
        """
        return self._do(sent, lambda: self._edited(code, words, place))

    def retire_area(self, code: str, sent: Sent) -> str:
        """Offer an area no longer; where it stands it can be read as before.

        Raises:
            NotFoundError: there is no such area.
            PreconditionError: somebody else was faster.
        """
        return self._do(sent, lambda: Change(kind=Kind.AREA_RETIRED, code=self.now.area(code).code))

    def restore_area(self, code: str, sent: Sent) -> str:
        """Offer an area again.

        Raises:
            InvalidError: another one is called like it meanwhile, or there is no room for it.
            NotFoundError: there is no such area.
            PreconditionError: somebody else was faster.
        """
        return self._do(sent, lambda: Change(kind=Kind.AREA_RESTORED, code=self.now.area(code).code))

    def add_family(self, words: Words, sent: Sent) -> str:
        """Open a further family; returns its code.

        Raises:
            InvalidError: it cannot be read, there is one like it, or there is no room for it.
            PreconditionError: somebody else was faster.
        """
        return self._do(sent, lambda: self._family_added(words))

    def edit_family(self, code: str, words: Words, sent: Sent) -> str:
        """Call a family something else; its code stays.

        Raises:
            InvalidError: it cannot be read, or there is one like it.
            NotFoundError: there is no such family.
            PreconditionError: somebody else was faster.
        """
        return self._do(
            sent, lambda: Change(kind=Kind.FAMILY_EDITED, code=self.now.family(code).code, words=_readable(words))
        )

    def at(self, number: int) -> Areas:
        """What a version offered.

        Raises:
            NotFoundError: there is no such version, or it is not kept any more.
        """
        oldest = self.version - len(self.versions)
        if number == oldest:
            return self.begins_with
        for version, _was, became in self.steps():
            if version.number == number:
                return became
        raise NotFoundError("This version is not kept. Look for it in the list of versions.")

    def steps(self) -> Iterator[tuple[Version, Areas, Areas]]:
        """Each kept version, what there was before it, and what it made of that."""
        was = self.begins_with
        for version in self.versions:
            became = was.after(version.change)
            yield version, was, became
            was = became

    def _do(self, sent: Sent, make: Callable[[], Change]) -> str:
        """Make a change the next version, once; returns the code of what it is about."""
        if done := [each.change.code for each in self.versions if each.key == sent.key]:
            return done[0]
        if sent.seen is not None and sent.seen != self.version:
            raise PreconditionError("The areas were changed meanwhile. Load the page again and make your change anew.")
        change = make()
        areas = self.now.after(change)
        if areas == self.now:
            return change.code
        areas.check()
        self.now, self.version = areas, self.version + 1
        self.versions += (Version(number=self.version, at=sent.at, by=sent.by, change=change, key=sent.key),)
        while len(self.versions) > VERSIONS_KEPT:
            self.begins_with = self.begins_with.after(self.versions[0].change)
            self.versions = self.versions[1:]
        self._publish()
        return change.code

    def _added(self, words: Words, place: Place) -> Change:
        code = new_code(_readable(words), self.now.known, "area")
        behind = self._behind(place)
        return Change(kind=Kind.AREA_ADDED, code=code, words=words, family=place.family, behind=behind)

    def _edited(self, code: str, words: Words, place: Place) -> Change:
        before, behind = self.now.area(code), self._behind(place)
        if code == behind:
            raise InvalidError("An area cannot stand behind itself. Choose another place.")
        if place.family == before.family and behind == self.now.in_front_of(code):
            behind = None
        elif place.family != before.family and behind is None:
            behind = next((each.code for each in reversed(self.now.in_family(place.family))), "")
        return Change(kind=Kind.AREA_EDITED, code=code, words=_readable(words), family=place.family, behind=behind)

    def _family_added(self, words: Words) -> Change:
        code = new_code(_readable(words), (each.code for each in self.now.families), "family")
        return Change(kind=Kind.FAMILY_ADDED, code=code, words=words)

    def _behind(self, place: Place) -> str | None:
        family = self.now.family(place.family)
        if place.behind and self.now.area(place.behind).family != family.code:
            raise InvalidError("The area in front of it has moved to another family. Choose where it stands anew.")
        return place.behind

    def _publish(self) -> None:
        self.say(
            TaxonomyPublished(
                taxonomy=self.id,
                version=self.version,
                families=tuple(family.code for family in self.now.families),
                areas=tuple(
                    KnownArea(code=area.code, family=area.family, retired=area.retired) for area in self.now.areas
                ),
            )
        )


def _readable(words: Words) -> Words:
    words.check()
    return words
