"""The functions of an organisation: what a roster may name, and whose people a member may wish to meet.

They are counted, because whoever matches tells only so many apart. Reading them off the members would look at everybody
each time a profile page is opened, so an import keeps them in a document of their own.
"""

from collections.abc import Collection, Iterable
from typing import Final, Self

from chassis.state.aggregate import Aggregate
from contracts.profiles import MOST_FUNCTIONS

_INITIALS: Final = 2


class Functions(Aggregate):
    """The functions of one tenant: those that somebody has, and those that somebody only wishes for."""

    held: tuple[str, ...] = ()
    wished: tuple[str, ...] = ()

    @classmethod
    def none_yet(cls, tenant: str) -> Self:
        """Before the first import that names any."""
        return cls(id=tenant, tenant=tenant)

    @property
    def named(self) -> frozenset[str]:
        """Every function that an entry or a profile may name now."""
        return frozenset({*self.held, *self.wished})

    def admit(self, functions: Collection[str]) -> bool:
        """Count more functions, before anybody has them; False when there is no room for all."""
        new = sorted(frozenset(functions) - self.named)
        if not has_room(self.named, new):
            return False
        # Nobody is offered what nobody has, and whether anybody has these will be known after the import.
        self.wished = (*self.wished, *new)
        return True

    def recount(self, held: Iterable[str], wished: Iterable[str]) -> None:
        """Keep what somebody has, and what somebody only wishes for; forget the rest."""
        self.held, self.wished = tuple(sorted(held)), tuple(sorted(wished))


def has_room(named: Collection[str], more: Collection[str]) -> bool:
    """Whether further functions may be named beside these."""
    return len(frozenset(named) | frozenset(more)) <= MOST_FUNCTIONS


def function_label(code: str) -> str:
    """A function's code as words. Spelling with large letters stands as it is; two small letters are initials."""
    words = code.replace("-", " ").replace("_", " ")
    if not words.islower():
        return words
    return words.upper() if len(words) <= _INITIALS else words[0].upper() + words[1:]
