"""Failures that a caller is expected to meet; everything else is a bug and pages somebody."""

from typing import ClassVar


class TurnaboutError(Exception):
    """A refusal with a plain sentence on what to do; its status is the HTTP answer."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "That did not work"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidError(TurnaboutError):
    """The request can never succeed as it stands."""

    status = 422
    title = "Please check what you entered"


class NotFoundError(TurnaboutError):
    """It does not exist, or the caller may not know that it does."""

    status = 404
    title = "Not found"


class ForbiddenError(TurnaboutError):
    """The caller is known but may not do this."""

    status = 403
    title = "Not allowed"


class UnauthenticatedError(TurnaboutError):
    """The caller has to sign in first."""

    status = 401
    title = "Please sign in"


class ConflictError(TurnaboutError):
    """The state has moved on, so the command no longer applies."""

    status = 409
    title = "This has changed in the meantime"


class PreconditionError(TurnaboutError):
    """`If-Match` names an older version."""

    status = 412
    title = "Someone changed this while you were editing"


class VersionNeededError(TurnaboutError):
    """An edit came without the version that it is based on."""

    status = 428
    title = "Say which version you are editing"


class UnavailableError(TurnaboutError):
    """A dependency is away; the same request can succeed later."""

    status = 503
    title = "Briefly unavailable"


class StaleError(Exception):
    """The fence already holds this sequence or a newer one: the event was applied before."""


class TransientError(Exception):
    """An infrastructure fault: try the same thing again later, in place."""


class DeniedError(TransientError):
    """The broker refuses us, until somebody grants what the message names."""
