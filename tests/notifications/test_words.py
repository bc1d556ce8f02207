"""What people read: every kind has words, role and focus stand in them, and a mail names nobody but its reader."""

import pytest
from chassis.translation import Catalogues
from contracts.envelope import Event
from contracts.matching import MemberInvited, MentorshipEnded, PlanChange, Side
from english_words import english_left
from notification_facts import CLOSED, PLANS, a_proposal, a_session, a_start, an_invitation, delegated, planned, yes
from notifications.domain.notice import FOR_DELEGATES, MAILED, Kind
from notifications.domain.thread import Thread
from notifications.kinds import name_of
from notifications.words import Letter, letter, line, link, over, role

from chassis import zones

AT = "2026-03-02T09:00:00.000Z"


def a_letter(member: str, kind: Kind = Kind.MATCH_PROPOSED) -> Letter:
    """The mail of one kind to mia, who mentors, or to dan, who learns; of some kinds to sam, who arranges his times."""
    others = Side.MENTEE if member == "mia" else Side.MENTOR
    facts: dict[Kind, tuple[Event, ...]] = {
        Kind.MATCH_PROPOSED: (),
        Kind.ASKED: (a_proposal(origin=others.value),),
        Kind.ANSWER_AWAITED: (yes(others),),
        Kind.MENTORSHIP_STARTED: (a_start(),),
        Kind.DELEGATED: (delegated("sam"),),
        Kind.TIMES_TO_PICK: (delegated("sam"), planned(PlanChange.TIMES_PROPOSED, by=Side.MENTOR, delegate="sam")),
        Kind.PLAN_CHANGED: (delegated("sam"), planned(PlanChange.ARRANGED, by=Side.MENTOR, delegate="sam")),
        Kind.DELEGATE_GONE: (delegated("sam"), planned(PlanChange.DELEGATED)),
    } | {each: (planned(change),) for change, each in PLANS.items()}
    opening = an_invitation(member) if kind is Kind.INVITED else a_proposal()
    thread = Thread.opened_by(opening, "acme")
    for number, fact in enumerate((opening, *facts.get(kind, ()))):
        thread.hear(fact, f"e{number}", AT)
    reader = "sam" if kind in FOR_DELEGATES else "dan" if kind is Kind.DELEGATE_GONE else member
    notice = next(each for each in thread.of(reader) if each.kind is kind)
    return letter(
        thread,
        notice,
        name="Mia Okafor",
        areas=["AI tools" for _ in thread.focus_of(reader)],
        public_url="https://turnabout.example/",
        session=a_session() if notice.entry else None,
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_line_with_the_partners_name(kind: Kind) -> None:
    """No kind is without words, and the name stands in them once."""
    for side in Side:
        assert line(kind, side, "Dan 100%").count("Dan 100%") == 1


def test_a_proposal_reads_differently_on_each_side() -> None:
    """Who mentors and who learns can't be mistaken."""
    assert line(Kind.MATCH_PROPOSED, Side.MENTOR, "Dan") == "You could mentor Dan."
    assert line(Kind.MATCH_PROPOSED, Side.MENTEE, "Mia") == "You could learn from Mia."
    assert (role(Side.MENTOR), role(Side.MENTEE)) == ("You mentor", "You learn")
    assert role(Side.MENTOR, Kind.INVITED) == "You would mentor"


def test_notices_lead_to_the_page_where_something_can_be_done() -> None:
    """Open proposals to the list of proposals, pairs to their own page."""
    assert link(Kind.ANSWER_AWAITED, "m-1") == "/proposals"
    assert link(Kind.MATCH_ACCEPTED, "m-1") == "/mentorships/m-1"


def test_a_notice_says_why_it_asks_for_nothing_any_more() -> None:
    """Open, then answered by both, or closed without a word on why."""
    for fact, words in ((None, ""), (yes(Side.MENTOR, complete=True), "Answered"), (CLOSED, "No longer open")):
        thread = Thread.opened_by(a_proposal(), "acme")
        thread.hear(a_proposal(), "e1", AT)
        if fact is not None:
            thread.hear(fact, "e2", AT)
        assert over(thread, thread.notices[0]) == words


def test_a_pair_that_has_agreed_is_not_asked_to_agree() -> None:
    """From the second yes to the start it waits for them; then it is read, and nothing remains to be done."""
    thread = Thread.opened_by(a_proposal(), "acme")
    for number, fact in enumerate((a_proposal(), yes(Side.MENTEE), yes(Side.MENTOR, complete=True))):
        thread.hear(fact, f"e{number}", AT)
    (asked,) = (notice for notice in thread.of("mia") if notice.kind is Kind.MATCH_ACCEPTED)
    assert (over(thread, asked), asked.unread) == ("", True)
    thread.hear(a_start(), "e9", AT)
    assert (over(thread, asked), asked.unread) == ("Agreed", False)
    thread.hear(MentorshipEnded(mentorship="m-1"), "e10", AT)
    assert over(thread, asked) == "No longer open"


def test_the_mail_of_a_proposal_in_full() -> None:
    """Greeting, role, focus, date and one link; the focus stays off the subject."""
    mail = a_letter("mia")
    assert mail.subject == "A new proposal for you"
    assert mail.text.splitlines()[0] == "Hello Mia Okafor,"
    assert "Your role: mentor: you share what you know\nFocus: AI tools\nPlease answer by: 12 March 2026" in mail.text
    assert "https://turnabout.example/proposals\n" in mail.text


def test_the_mail_about_an_awaited_answer_asks_for_it() -> None:
    """Each side reads who waits, by when to answer and where; that a "not now" needs no reason is said again."""
    mentor, mentee = (a_letter(member, Kind.ANSWER_AWAITED) for member in ("mia", "dan"))
    assert mentor.subject == mentee.subject == "Your answer is waited for"
    assert mentor.text.endswith(
        "Give your answer:\nhttps://turnabout.example/proposals\n\n-- \n"
        "You get this mail because you get mail of the kind “Somebody waits for your answer”. "
        "Switch it off, or choose when mail may come:\n"
        "https://turnabout.example/preferences?kind=answer-awaited\n"
    )
    assert "The colleague who would like to learn from you has said yes" in mentor.text
    assert "The colleague who can show you something has said yes" in mentee.text
    assert "a “not now” needs no reason" in mentee.text
    assert mentee.facts[2] == ("Please answer by", "12 March 2026")


@pytest.mark.parametrize("kind", list(MAILED))
def test_every_mail_says_why_it_came_and_where_to_change_that(kind: Kind) -> None:
    """By the name that the page of preferences has for the kind, and with a link that marks it there."""
    mail = a_letter("mia", kind)
    assert f"“{name_of(kind)}”" in mail.why
    assert mail.preferences == f"https://turnabout.example/preferences?kind={kind.value}"


def test_a_mail_tells_days_in_its_readers_zone() -> None:
    """To be answered by 12 March, 09:00 UTC: that is still the eleventh in Honolulu's evening."""
    thread = Thread.opened_by(a_proposal(), "acme")
    thread.hear(a_proposal(), "e1", AT)
    with zones.reading_in("Pacific/Honolulu"):
        mail = letter(thread, thread.notices[0], name="Mia", areas=[], public_url="https://turnabout.example")
    assert ("Please answer by", "11 March 2026") in mail.facts


def test_the_mail_of_a_start_leads_to_the_mentorship() -> None:
    """The mentee's mail says their role and the agreed focus, and has no date to answer by."""
    mail = a_letter("dan", Kind.MENTORSHIP_STARTED)
    assert mail.subject == "Your mentorship has started"
    assert [name for name, _ in mail.facts] == ["Your role", "Focus"]
    assert mail.facts[0][1] == "mentee: you learn"
    assert mail.link == "https://turnabout.example/mentorships/m-1"


@pytest.mark.parametrize("kind", list(MAILED))
def test_a_mail_holds_no_ids_of_people(kind: Kind) -> None:
    """Every kind that is mailed has a letter; neither the reader's nor the partner's member id is in it."""
    text = a_letter("dan", kind).text
    assert "mia" not in text
    assert " dan" not in text
    assert " sam" not in text


def test_the_mail_of_an_invitation_says_why_and_that_a_no_is_told_to_nobody() -> None:
    """The reasons in words, role, focus and last day; it leads to the invitation, and asks in nobody's name."""
    mail = a_letter("mia", Kind.INVITED)
    assert mail.subject == "You are invited"
    assert mail.paragraphs[1:3] == (
        "You joined lately, and still see what others no longer see.",
        "Few people of your function take part so far, so your view is missing.",
    )
    assert "a “not for me” needs no reason, and nobody is told of it" in mail.paragraphs[-1]
    assert mail.facts == (
        ("Your role", "mentor: you share what you know"),
        ("Focus", "AI tools"),
        ("Open until", "31 December 2026"),
    )
    assert mail.link == "https://turnabout.example/invitations/i-1"


def test_a_reason_of_a_newer_matching_is_left_out() -> None:
    """There is no sentence for it, and the mail goes out all the same."""
    told = an_invitation("mia").model_dump_json().replace("few-of-function", "walks-on-water")
    thread = Thread.opened_by(fact := MemberInvited.model_validate_json(told), "acme")
    thread.hear(fact, "e0", AT)
    mail = letter(thread, thread.notices[0], name="Mia", areas=[], public_url="https://turnabout.example")
    assert len(mail.paragraphs) == 3


def test_a_proposal_of_times_asks_for_a_pick_until_something_newer_is_heard() -> None:
    """Your turn; afterwards it is no longer open."""
    assert line(Kind.TIMES_PROPOSED, Side.MENTOR, "Dan") == "Your turn: Dan proposes times to meet."
    thread = Thread.opened_by(a_start(), "acme")
    thread.hear(planned(PlanChange.TIMES_PROPOSED, by=Side.MENTEE), "e1", AT)
    (asked,) = thread.notices
    assert (over(thread, asked), link(asked.kind, "m-1")) == ("", "/mentorships/m-1")
    thread.hear(planned(PlanChange.ARRANGED, by=Side.MENTOR), "e2", AT)
    assert over(thread, asked) == "No longer open"


@pytest.mark.parametrize(
    ("kind", "subject", "entry"),
    [
        (Kind.SESSION_ARRANGED, "Your session is arranged", True),
        (Kind.SESSION_MOVED, "Your session has moved", True),
        (Kind.SESSION_CALLED_OFF, "Your session is cancelled", True),
        (Kind.SESSION_NEAR, "Your session is a day away", False),
    ],
)
def test_the_mail_of_a_session_tells_role_focus_time_and_place(kind: Kind, subject: str, entry: bool) -> None:
    """The time is by the reader's clock; the subject holds none of it; a reminder leaves the calendar alone."""
    mail = a_letter("mia", kind)
    assert mail.subject == subject
    assert mail.facts == (
        ("Your role", "mentor: you share what you know"),
        ("Focus", "AI tools"),
        ("When", "Tuesday, 10 March 2026, 05:00 (America/New York)"),
        ("Length", "50 minutes"),
        ("Where", "https://meet.example/j/1"),
    )
    assert (mail.entry is not None) is entry


def test_a_mentee_without_a_delegate_is_led_to_where_they_name_another() -> None:
    """Neither who stepped down stands in it, nor why; the page of the pair is opened at the very place."""
    mail = a_letter("dan", Kind.DELEGATE_GONE)
    assert mail.subject == "Nobody arranges your times for you now"
    assert "Whatever is arranged stays arranged." in mail.paragraphs[1]
    assert mail.link == "https://turnabout.example/mentorships/m-1#delegate"
    assert mail.entry is None


@pytest.mark.parametrize("kind", sorted(MAILED))
def test_a_mail_in_german_is_german_throughout(kind: Kind) -> None:
    """Subject, sentences, names of facts, dates and the way to one's preferences."""
    with Catalogues.of("notifications", "chassis").speaking("de"):
        mail = a_letter("mia", kind)
    assert english_left([mail.subject, *mail.text.splitlines()]) == set()
    assert mail.greeting == "Guten Tag Mia Okafor,"
    told = dict.fromkeys(FOR_DELEGATES, "Sie vereinbaren Treffen für die lernende Person")
    told[Kind.DELEGATE_GONE] = "Mentee: Sie lernen"
    assert ("Ihre Rolle", told.get(kind, "Begleitung: Sie geben Ihr Wissen weiter")) in mail.facts
    if kind is Kind.SESSION_ARRANGED:
        assert ("Wann", "Dienstag, 10. März 2026, 05:00 (America/New York)") in mail.facts


@pytest.mark.parametrize("kind", sorted(FOR_DELEGATES))
def test_a_delegates_mail_says_neither_whose_times_they_are_nor_what_it_is_about(kind: Kind) -> None:
    """A role that is neither side's, no focus, no calendar entry, and the way to the page of a delegate."""
    mail = a_letter("sam", kind)
    assert mail.facts == (("Your role", "you arrange times for the mentee"),)
    assert mail.link == "https://turnabout.example/arranging/m-1"
    assert mail.entry is None
    assert "AI" not in mail.text
    assert role(None) == "You arrange times"
