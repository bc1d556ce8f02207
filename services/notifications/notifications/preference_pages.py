"""The page on which a member chooses what reaches them, by which channel and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Final

from chassis.errors import InvalidError, PreconditionError, TurnaboutError
from chassis.translation import gettext as _
from chassis.web.http import IfMatch
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, redirect
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from chassis import translation
from notifications.domain.notice import AWAITING, Kind
from notifications.kinds import PREFERENCES_PAGE, name_of
from notifications.parts import HasParts, Parts
from notifications.preferences import SWITCHABLE, Channel, Choice, Preferences, Quiet, QuietHours, Weekday, minute

router = APIRouter(include_in_schema=False)
pages: Final = Pages("notifications")
SUGGESTED: Final = ("20:00", "07:00")
"""Quiet hours that the page offers to whoever has none."""

Word = Annotated[str, StringConstraints(max_length=64)]
Words = Annotated[list[Word], Field(max_length=100)]


class PreferencesForm(BaseModel):
    """The choice as the page sends it: a box that is not ticked is not sent, so the form says which ones it showed."""

    shown: Words = []
    mail: Words = []
    inbox: Words = []
    quiet: bool = False
    begins: Word = ""
    ends: Word = ""
    days: Annotated[list[Weekday], Field(max_length=20)] = []

    @classmethod
    def of(cls, preferences: Preferences) -> "PreferencesForm":
        """As the page shows what was chosen before."""
        hours = preferences.quiet.hours
        begins, ends = (f"{hours.begins:%H:%M}", f"{hours.ends:%H:%M}") if hours else SUGGESTED
        on = {
            channel: [kind.value for kind in kinds if preferences.allows(kind, channel)]
            for channel, kinds in SWITCHABLE.items()
        }
        return cls(
            mail=on[Channel.MAIL],
            inbox=on[Channel.INBOX],
            quiet=hours is not None,
            begins=begins,
            ends=ends,
            days=list(preferences.quiet.days),
        )

    def choice(self, before: Choice) -> Choice:
        """What was chosen; a kind that the form did not show, since it is newer than the page, stays as it was.

        Raises:
            InvalidError: the quiet hours are not times of day.
        """
        ticked = {Channel.MAIL: self.mail, Channel.INBOX: self.inbox}
        off = {
            channel: tuple(
                kind
                for kind in kinds
                if (kind not in ticked[channel] if box(channel, kind) in self.shown else kind in before.off[channel])
            )
            for channel, kinds in SWITCHABLE.items()
        }
        hours = QuietHours(begins=_time(self.begins), ends=_time(self.ends)) if self.quiet else None
        return Choice(off=off, quiet=Quiet(hours=hours, days=tuple(sorted(set(self.days)))))


@dataclass(frozen=True, slots=True)
class Marked:
    """The kind that a mail's link leads to."""

    kind: Kind
    name: str
    on: bool


@router.get(PREFERENCES_PAGE)
async def preferences_page(
    request: Request, caller: SignedIn, parts: HasParts, kind: Annotated[str, Query(max_length=64)] = ""
) -> HTMLResponse:
    """One's own preferences; a mail's link leads here with its kind marked."""
    found = await parts.store.preferences_of(caller.tenant, caller.member)
    return _page(request, caller, found, PreferencesForm.of(found), kind=kind)


@router.post(PREFERENCES_PAGE)
async def save(
    request: Request, caller: SignedIn, parts: HasParts, if_match: IfMatch, form: Annotated[PreferencesForm, Form()]
) -> Response:
    """Saves the choice; when it changed meanwhile or cannot be so, the page shows what was entered and why."""
    before = await parts.store.preferences_of(caller.tenant, caller.member)
    try:
        choice = form.choice(before.choice)
        await parts.store.change_preferences(
            caller.tenant, caller.member, lambda each: each.choose(choice), if_match=if_match
        )
    except PreconditionError as refusal:
        problem = _(
            "Your preferences were changed elsewhere meanwhile. This is what you entered: look it over and save again."
        )
        now = await parts.store.preferences_of(caller.tenant, caller.member)
        return _page(request, caller, now, form, problem=problem, refusal=refusal)
    except InvalidError as refusal:
        return _page(request, caller, before, form, problem=refusal.detail, refusal=refusal)
    parts.streams.nudge(caller.tenant, caller.member)
    return redirect(PREFERENCES_PAGE, notice=_("Saved."))


@router.post(f"{PREFERENCES_PAGE}/mail-off")
async def switch_mail_off(caller: SignedIn, parts: HasParts, kind: Annotated[Word, Form()] = "") -> Response:
    """No more mail of the kind that is marked."""
    return redirect(PREFERENCES_PAGE, notice=await _switched_off(caller, parts, _kind(kind)))


async def _switched_off(caller: Caller, parts: Parts, kind: Kind | None) -> str:
    if kind is None or kind not in SWITCHABLE[Channel.MAIL]:
        raise InvalidError(_("There is no mail of this kind. Choose below which mails you get, and save."))
    await parts.store.change_preferences(caller.tenant, caller.member, lambda each: each.switch_mail_off(kind))
    return _("Saved. You get no more mail of the kind “%(kind)s”.") % {"kind": name_of(kind)}


def box(channel: Channel, kind: Kind) -> str:
    """How the form names one of its boxes."""
    return f"{channel.value}~{kind.value}"


def _kind(word: str) -> Kind | None:
    return next((kind for kind in Kind if kind.value == word), None)


def _time(text: str) -> time:
    try:
        return minute(time.fromisoformat(text))
    except ValueError as error:
        raise InvalidError(_("Write quiet hours in hours and minutes, for example 20:00 and 07:00.")) from error


def _page(
    request: Request,
    caller: Caller,
    preferences: Preferences,
    form: PreferencesForm,
    *,
    kind: str = "",
    problem: str | None = None,
    refusal: TurnaboutError | None = None,
) -> HTMLResponse:
    marked, mailed = _kind(kind), SWITCHABLE[Channel.MAIL]
    return pages.render(
        request,
        "preferences.html",
        caller=caller,
        status=refusal.status if refusal else 200,
        problem=problem,
        etag=preferences.version,
        form=form,
        marked=Marked(marked, name_of(marked), preferences.allows(marked, Channel.MAIL)) if marked in mailed else None,
        mail=_options(mailed),
        inbox=_options(SWITCHABLE[Channel.INBOX]),
        always=[_("“%(kind)s”") % {"kind": name_of(each)} for each in Kind if each in AWAITING],
        shown=[box(channel, each) for channel, kinds in SWITCHABLE.items() for each in kinds],
        days=_weekdays(),
    )


def _options(kinds: Iterable[Kind]) -> list[tuple[str, str]]:
    return [(kind.value, name_of(kind)) for kind in kinds]


def _weekdays() -> list[tuple[int, str]]:
    names: Any = translation.current().locale.days["stand-alone"]["wide"]
    return [(number + 1, names[number]) for number in range(7)]
