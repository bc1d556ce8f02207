"""The words of every notice: one line in the inbox and, for some kinds, a mail.

Whoever reads one can tell their role and the focus without opening anything, except on the subject of a mail: it
shows on locked screens, and an area can say something about a person. A mail names nobody but its reader.
"""

from dataclasses import dataclass

from chassis.translation import gettext as _
from chassis.web.calendar import Entry
from chassis.web.pages import day, when
from contracts.matching import InvitationReason, Side, Status

from notifications import kinds
from notifications.calendars import Session
from notifications.domain.notice import ASKING, FOR_DELEGATES, Kind, Notice
from notifications.domain.thread import Thread


def role(side: Side | None, kind: Kind | None = None) -> str:
    """What a person does in the pair, or would do in the one that a notice of this kind is about."""
    if side is None:
        return _("You arrange times")
    if kind is Kind.INVITED:
        return _("You would mentor")
    return _("You mentor") if side is Side.MENTOR else _("You learn")


def line(kind: Kind, side: Side | None, partner: str) -> str:
    """A notice in one sentence, for the side that reads it, or the delegate."""
    sentences = {
        Kind.MATCH_PROPOSED: (
            _("You could mentor %(name)s.") if side is Side.MENTOR else _("You could learn from %(name)s.")
        ),
        Kind.ASKED: (
            _("%(name)s asks you to mentor them.") if side is Side.MENTOR else _("%(name)s offers to mentor you.")
        ),
        Kind.ANSWER_AWAITED: _("Your turn: %(name)s has said yes."),
        Kind.MATCH_ACCEPTED: _("You and %(name)s have both said yes. Agree now how you want to work."),
        Kind.MATCH_CLOSED: _("The proposal with %(name)s is not available any more."),
        Kind.MENTORSHIP_STARTED: _("Your mentorship with %(name)s has started."),
        Kind.SESSION_HELD: _("A session with %(name)s was logged as held."),
        Kind.SESSION_CANCELLED: _("A session with %(name)s was logged as cancelled."),
        Kind.MENTORSHIP_PAUSED: _("Your mentorship with %(name)s is paused."),
        Kind.MENTORSHIP_RESUMED: _("Your mentorship with %(name)s goes on."),
        Kind.MENTORSHIP_ENDED: _("Your mentorship with %(name)s has ended."),
        Kind.TIMES_PROPOSED: _("Your turn: %(name)s proposes times to meet."),
        Kind.SESSION_ARRANGED: _("Your session with %(name)s is arranged."),
        Kind.SESSION_MOVED: _("Your session with %(name)s has moved to another time."),
        Kind.SESSION_CALLED_OFF: _("Your session with %(name)s is cancelled."),
        Kind.SESSION_NEAR: _("Your session with %(name)s is a day away."),
        Kind.INVITED: _("%(name)s thinks that people like you know something that senior colleagues lack."),
        Kind.DELEGATED: _("%(name)s lets you arrange their times."),
        Kind.TIMES_TO_PICK: _("Your turn: pick a time for %(name)s."),
        Kind.PLAN_CHANGED: _("What is arranged for %(name)s has changed."),
        Kind.DELEGATE_GONE: _("Whoever arranged your times with %(name)s does not do so any more."),
    }
    return sentences[kind] % {"name": partner}


def over(thread: Thread, notice: Notice) -> str:
    """Why a notice asks for nothing any more; empty while it does."""
    if not thread.is_over(notice):
        return ""
    if notice.kind is Kind.MATCH_ACCEPTED and thread.status in (Status.STARTED, Status.PAUSED):
        return _("Agreed")
    unanswered = thread.status is Status.CLOSED or notice.kind not in ASKING
    return _("No longer open") if unanswered else _("Answered")


def next_step(kind: Kind) -> str:
    """What the link of a notice leads to."""
    steps = {
        Kind.MATCH_PROPOSED: _("See the proposal"),
        Kind.ASKED: _("See who asks, and answer"),
        Kind.ANSWER_AWAITED: _("Give your answer"),
        Kind.MATCH_ACCEPTED: _("Agree how to work"),
        Kind.MATCH_CLOSED: _("See your proposals"),
        Kind.TIMES_PROPOSED: _("Pick a time"),
        Kind.INVITED: _("See what it is about"),
        Kind.DELEGATED: _("See what there is to arrange"),
        Kind.TIMES_TO_PICK: _("Pick a time"),
        Kind.PLAN_CHANGED: _("See how it stands"),
        Kind.DELEGATE_GONE: _("Let somebody else arrange my times"),
    }
    return steps.get(kind) or _("Open the mentorship")


def link(kind: Kind, thread: str) -> str:
    """Where a notice leads: a path of matching's. The thread's id is that of the mentorship, or of the invitation."""
    if kind in {Kind.MATCH_PROPOSED, Kind.ASKED, Kind.ANSWER_AWAITED, Kind.MATCH_CLOSED}:
        return "/proposals"
    if kind is Kind.INVITED:
        return f"/invitations/{thread}"
    if kind in FOR_DELEGATES:
        return f"/arranging/{thread}"
    if kind is Kind.DELEGATE_GONE:
        return f"/mentorships/{thread}#delegate"
    return f"/mentorships/{thread}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail without its envelope."""

    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    step: str
    link: str
    why: str
    preferences: str
    entry: Entry | None = None
    """What calendars shall do about it."""

    @property
    def text(self) -> str:
        """As plain text."""
        facts = "\n".join(f"{name}: {value}" for name, value in self.facts)
        footer = f"-- \n{self.why}\n{self.preferences}"
        parts = (self.greeting, *self.paragraphs, facts, f"{self.step}:\n{self.link}", footer)
        return "\n\n".join(part for part in parts if part) + "\n"


def letter(
    thread: Thread,
    notice: Notice,
    *,
    name: str,
    areas: list[str],
    public_url: str,
    session: Session | None = None,
) -> Letter:
    """The mail about one notice of a kind that is mailed, to the member whom the notice is for.

    Args:
        thread: the pair.
        notice: what the mail is about.
        name: the reader's own name.
        areas: labels of the focus areas; none for a delegate.
        public_url: where people reach Turnabout.
        session: the session that it is about, as it stands now.
    """
    side = thread.role_of(notice.member)
    subject, paragraphs = _paragraphs(thread, notice.kind, side)
    facts = [(_("Your role"), _role_in_full(side)), *([(_("Focus"), ", ".join(areas))] if areas else [])]
    if notice.kind in ASKING and thread.answer_by:
        facts.append((_("Please answer by"), day(thread.answer_by)))
    if notice.kind is Kind.INVITED and thread.answer_by:
        facts.append((_("Open until"), day(thread.answer_by[:10])))
    if session is not None:
        facts.append((_("When"), when(session.time.at, session.reader_zone)))
        facts.append((_("Length"), _("%(number)s minutes") % {"number": session.minutes}))
        facts.append((_("Where"), session.place))
    return Letter(
        subject=subject,
        greeting=_("Hello %(name)s,") % {"name": name},
        paragraphs=paragraphs,
        facts=tuple(facts),
        step=next_step(notice.kind),
        link=f"{public_url.rstrip('/')}{link(notice.kind, thread.id)}",
        why=kinds.why(notice.kind),
        preferences=kinds.preferences_link(public_url, notice.kind),
        entry=session.entry if session is not None and notice.kind is not Kind.SESSION_NEAR else None,
    )


def _role_in_full(side: Side | None) -> str:
    if side is None:
        return _("you arrange times for the mentee")
    return _("mentor: you share what you know") if side is Side.MENTOR else _("mentee: you learn")


def _content(kind: Kind, side: Side) -> tuple[str, tuple[str, ...]]:
    """Subject and paragraphs of each kind of mail, for the side that reads it."""
    contents = {
        Kind.MATCH_PROPOSED: (_("A new proposal for you"), _proposed),
        Kind.ASKED: (_("Somebody asks you"), _asked),
        Kind.ANSWER_AWAITED: (_("Your answer is waited for"), _awaited),
        Kind.MENTORSHIP_STARTED: (_("Your mentorship has started"), _started),
        Kind.SESSION_ARRANGED: (_("Your session is arranged"), _arranged),
        Kind.SESSION_MOVED: (_("Your session has moved"), _moved),
        Kind.SESSION_CALLED_OFF: (_("Your session is cancelled"), _called_off),
        Kind.SESSION_NEAR: (_("Your session is a day away"), _near),
        Kind.DELEGATE_GONE: (_("Nobody arranges your times for you now"), _delegate_gone),
    }
    subject, paragraphs = contents[kind]
    return subject, paragraphs(side)


def _paragraphs(thread: Thread, kind: Kind, side: Side | None) -> tuple[str, tuple[str, ...]]:
    if kind is Kind.INVITED:
        return _invitation(thread)
    return _to_delegate(kind) if side is None else _content(kind, side)


def _invitation(thread: Thread) -> tuple[str, tuple[str, ...]]:
    reasons = [words for code, words in _reasons().items() if code in thread.reasons]
    return _("You are invited"), (
        _("The lead of a programme thinks that people like you know something that senior colleagues lack."),
        *reasons,
        _("Nobody needs a rank to mentor. Have a look; a “not for me” needs no reason, and nobody is told of it."),
    )


def _reasons() -> dict[str, str]:
    """Why somebody is invited; what a newer matching tells beyond these is left out."""
    return {
        InvitationReason.NEW_JOINER: _("You joined lately, and still see what others no longer see."),
        InvitationReason.SOUGHT: _("Colleagues of your function often know what many people here would like to learn."),
        InvitationReason.FUNCTION: _("Few people of your function take part so far, so your view is missing."),
        InvitationReason.SITE: _("Few people of your site take part so far, so your view is missing."),
        InvitationReason.LEVEL: _("Nobody of your level shares anything yet, so your view is missing."),
    }


def _to_delegate(kind: Kind) -> tuple[str, tuple[str, ...]]:
    """Subject and paragraphs for whoever arranges the mentee's times: neither whose they are nor what it is about."""
    contents = {
        Kind.DELEGATED: (
            _("You may arrange times for a colleague"),
            (
                _("A colleague who is being mentored lets you propose, pick, move and cancel times for them."),
                _("You see names, times and the link of the call, and nothing else."),
            ),
        ),
        Kind.TIMES_TO_PICK: (
            _("Times wait for you to pick one"),
            (_("The mentor of a colleague for whom you arrange times proposes when to meet."),),
        ),
        Kind.PLAN_CHANGED: (
            _("A session that you arrange has changed"),
            (_("The mentor of a colleague for whom you arrange times has picked a time, or cancelled the session."),),
        ),
    }
    return contents[kind]


def _proposed(side: Side) -> tuple[str, ...]:
    first = (
        _("We found a colleague who would like to learn something that you know.")
        if side is Side.MENTOR
        else _("We found a colleague who can show you something that you would like to learn.")
    )
    return first, _("Have a look and say yes or not now. Nothing begins unless you both say yes.")


def _asked(side: Side) -> tuple[str, ...]:
    first = (
        _("A colleague would like to learn from you and has asked you to mentor them.")
        if side is Side.MENTOR
        else _("A colleague has something to show you and offers to mentor you.")
    )
    return first, _("Say yes or not now; either is fine, and a “not now” needs no reason.")


def _awaited(side: Side) -> tuple[str, ...]:
    first = (
        _("The colleague who would like to learn from you has said yes to your proposal.")
        if side is Side.MENTOR
        else _("The colleague who can show you something has said yes to your proposal.")
    )
    return first, _("Now it is your turn. Either answer is fine, and a “not now” needs no reason.")


def _started(side: Side) -> tuple[str, ...]:
    second = (
        _("You set the agenda. A first question to prepare: what should your partner see differently afterwards?")
        if side is Side.MENTOR
        else _("Your mentor sets the agenda. A good first step from you: propose a time for the first session.")
    )
    return _("You have both confirmed the agreement, so your mentorship has started."), second


def _arranged(side: Side) -> tuple[str, ...]:
    return _("You have agreed on a time. The entry for your calendar comes with this mail."), _prepare(side)


def _moved(_side: Side) -> tuple[str, ...]:
    return (_("You have agreed on another time. The entry in your calendar moves with this mail."),)


def _called_off(_side: Side) -> tuple[str, ...]:
    return (
        _("The session at this time does not take place. The entry in your calendar goes with this mail."),
        _("That needs no reason, and none is told."),
    )


def _near(side: Side) -> tuple[str, ...]:
    return _("You meet a day from now. If that does not suit you any more, propose another time."), _prepare(side)


def _delegate_gone(_side: Side) -> tuple[str, ...]:
    return (
        _("The colleague who arranged your times in one of your mentorships does not do so any more."),
        _("Whatever is arranged stays arranged. Arrange the next times yourself, or let somebody else do it."),
    )


def _prepare(side: Side) -> str:
    return (
        _("You set the agenda: note down one thing that your partner should see differently afterwards.")
        if side is Side.MENTOR
        else _("Your mentor sets the agenda. Keep the time free, and come with a question.")
    )
