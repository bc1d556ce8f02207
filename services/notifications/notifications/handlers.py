"""What notifications does about each fact of a mentorship, and the mails that follow.

any fact of matching.mentorship.v1   the thread tells whom it concerns    threads
a member is invited                  the same                             threads
a session's plan changed             the same                             threads
send-mail                            one mail, at most once               work
mails_due                            what waited is asked for again       timer
"""

from typing import Any, Final

from chassis.consuming.handlers import Handlers
from chassis.consuming.outcomes import Outcome, Skipped
from chassis.consuming.records import Received
from chassis.errors import NotFoundError, TransientError
from chassis.state.outbox import Work
from chassis.state.works import Works
from contracts.matching import (
    MatchAccepted,
    MatchClosed,
    MatchProposed,
    MemberInvited,
    MentorshipEnded,
    MentorshipPaused,
    MentorshipResumed,
    MentorshipStarted,
    SessionLogged,
    SessionPlanChanged,
)

from chassis import clock, logs, telemetry, zones
from notifications.channels import Envelope, Recipient
from notifications.domain.notice import Notice
from notifications.domain.thread import Thread
from notifications.ledger import TO_DO, Fate
from notifications.parts import Parts
from notifications.preferences import Channel, Preferences
from notifications.unsubscribe import Permission
from notifications.words import letter

handlers: Final[Handlers[Parts]] = Handlers("notifications")
works: Final[Works[Parts]] = Works()
log = logs.get()


@handlers.on(
    MatchProposed,
    MatchAccepted,
    MatchClosed,
    MentorshipStarted,
    SessionLogged,
    SessionPlanChanged,
    MentorshipPaused,
    MentorshipResumed,
    MentorshipEnded,
    MemberInvited,
    group="threads",
)
async def tell(event: Received[Any], parts: Parts) -> Outcome | None:
    """Tell the people of a pair what happened; the first fact that names them opens their thread."""
    fact = event.data
    if fact is None:
        return Skipped("facts have no tombstones")
    names_people = isinstance(fact, MatchProposed | MentorshipStarted | MemberInvited)
    try:
        await parts.store.threads.change(
            event.tenant,
            event.key,
            lambda thread: thread.hear(fact, event.id, clock.rfc3339(event.time)),
            fence=event.fence,
            create=(lambda: Thread.opened_by(fact, event.tenant)) if names_people else None,
        )
    except NotFoundError:
        # The proposal has left the topic before this service first read it: whom to tell is not known.
        return Skipped("nobody is known")
    return None


@works.on("send-mail")
async def send_mail(work: Work, parts: Parts) -> None:
    """Send the mail about one notice, at most once, as long as it is of use."""
    ledger, notice_id = parts.store.ledger, work.arguments["notice"]
    fate = await ledger.fate(work.tenant, notice_id)
    if fate is Fate.CLAIMED:
        log.warning("mail.fate-unknown", document=work.document)
        await ledger.settle(work.tenant, notice_id, Fate.UNKNOWN)
    if fate not in TO_DO:
        return
    thread = await parts.store.threads.get(work.tenant, work.document)
    notice = None if thread is None else thread.notice(notice_id)
    if thread is None or notice is None or thread.mail_is_moot(notice, clock.now()):
        await ledger.settle(work.tenant, notice_id, Fate.MOOT)
        return
    wishes = await parts.store.preferences_of(work.tenant, notice.member)
    if not wishes.allows(notice.kind, Channel.MAIL):
        await ledger.settle(work.tenant, notice_id, Fate.SWITCHED_OFF)
        return
    recipient = await parts.addresses.recipient(notice.member)
    if recipient and (until := wishes.quiet.until(clock.now(), zones.named(recipient.time_zone))):
        await parts.store.threads.change(work.tenant, thread.id, lambda each: each.postpone_mail(notice_id, until))
        return
    with telemetry.span(f"mail {notice.kind.value}", kind="client", attributes={"notice": notice.id}):
        fate = await _send(thread, notice, recipient, wishes, parts)
        telemetry.annotate(outcome=fate.value if fate else "claimed elsewhere")
    if fate is Fate.WAITING:
        raise TransientError("mail server: not now")


def release_mails(thread: Thread) -> None:
    """What the clock does to a thread whose mails have waited for the end of quiet hours."""
    thread.release_mails(clock.now())


async def _send(
    thread: Thread, notice: Notice, recipient: Recipient | None, wishes: Preferences, parts: Parts
) -> Fate | None:
    if recipient is None:
        fate: Fate | None = Fate.NO_ADDRESS
    else:
        permission = Permission(
            tenant=thread.tenant, member=notice.member, kind=notice.kind, round=wishes.round_of(notice.kind)
        )
        with parts.catalogues.speaking(recipient.language), zones.reading_in(recipient.time_zone):
            session = await parts.calendars.session(thread, notice)
            if notice.entry is not None and session is None:
                fate = Fate.MOOT
            else:
                words = letter(
                    thread,
                    notice,
                    name=recipient.name,
                    areas=await parts.areas.labels(thread.focus_of(notice.member)),
                    public_url=parts.settings.public_url,
                    session=session,
                )
                fate = await parts.mailer.send(
                    Envelope(recipient, notice.id, parts.seal.address(permission)),
                    words,
                    lambda: parts.store.ledger.claim(thread.tenant, notice.id),
                )
    if fate is not None:
        await parts.store.ledger.settle(thread.tenant, notice.id, fate)
        log.info("mail.done", kind=notice.kind.value, outcome=fate.value, document=thread.id)
    return fate
