"""Failures that a caller is expected to meet; everything else is a bug and pages somebody."""

from datetime import datetime
from typing import ClassVar

from chassis.translation import gettext, mark, wall_clock


class TurnaboutError(Exception):
    """A refusal with a plain sentence on what to do; its status is the HTTP answer.

    The sentence is written in English where it is raised, which marks it for translation, and told in the language of
    whoever reads it. What differs from case to case fills its gaps:

        raise InvalidError("Choose at most {most} areas.", most=MAX_AREAS)
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = mark("That did not work")

    def __init__(self, sentence: str, **values: str | int | datetime) -> None:
        super().__init__(sentence)
        self._sentence = sentence
        self._values = values

    @property
    def detail(self) -> str:
        """The sentence in the current language; a time is told as clocks on the wall show it."""
        told = gettext(self._sentence)
        if not self._values:
            return told
        values = {
            name: wall_clock(value) if isinstance(value, datetime) else value for name, value in self._values.items()
        }
        return told.format(**values)

    def __str__(self) -> str:
        return self.detail


class InvalidError(TurnaboutError):
    """The request can never succeed as it stands."""

    status = 422
    title = mark("Please check what you entered")


class NotFoundError(TurnaboutError):
    """It does not exist, or the caller may not know that it does."""

    status = 404
    title = mark("Not found")


class ForbiddenError(TurnaboutError):
    """The caller is known but may not do this."""

    status = 403
    title = mark("Not allowed")


class UnauthenticatedError(TurnaboutError):
    """The caller has to sign in first."""

    status = 401
    title = mark("Please sign in")


class ConflictError(TurnaboutError):
    """The state has moved on, so the command no longer applies."""

    status = 409
    title = mark("This has changed in the meantime")


class PreconditionError(TurnaboutError):
    """`If-Match` names an older version."""

    status = 412
    title = mark("Someone changed this while you were editing")


class VersionNeededError(TurnaboutError):
    """An edit came without the version that it is based on."""

    status = 428
    title = mark("Say which version you are editing")


class UnavailableError(TurnaboutError):
    """A dependency is away; the same request can succeed later."""

    status = 503
    title = mark("Briefly unavailable")


class StaleError(Exception):
    """The fence already holds this sequence or a newer one: the event was applied before."""


class TransientError(Exception):
    """An infrastructure fault: try the same thing again later, in place."""


class DeniedError(TransientError):
    """The broker refuses us, until somebody grants what the message names."""
