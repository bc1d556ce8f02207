"""One invitation and one round, without any store."""

import datetime as dt

import pytest
from contracts.matching import InvitationReason, MemberInvited
from matching.domain.invitation import Invitation, InvitationRound, Pick, invitation_id, round_id
from matching.domain.programme import Plan, Programme
from matching.engine.rules import Rules
from matching.invitations.commands import Tally
from matching.invitations.words import for_invited, for_lead

PLAN = Plan(
    title="Fresh Eyes",
    opens_on=dt.date(2026, 1, 1),
    closes_on=dt.date(2026, 12, 31),
    leads=("lena",),
    rules=Rules(areas=("ai-tools", "social-media")),
)
PROGRAMME = Programme.draft("p-1", "demo", PLAN)
PICK = Pick(member="ana", reasons=(InvitationReason.NEW_JOINER,))
AT, LATER = "2026-03-01T09:00:00.000Z", "2026-03-02T09:00:00.000Z"


def test_an_invitation_says_whom_why_and_until_when() -> None:
    """One event under an id that follows from programme and member."""
    invitation = Invitation.send(PROGRAMME, PICK, "lena", AT)
    assert invitation.id == invitation_id("p-1", "ana") != invitation_id("p-2", "ana")
    assert invitation.take_uncommitted().said == [
        MemberInvited(
            invitation=invitation.id,
            programme="p-1",
            member="ana",
            by="lena",
            areas=("ai-tools", "social-media"),
            reasons=(InvitationReason.NEW_JOINER,),
            until="2026-12-31",
        )
    ]


def test_what_somebody_answers_is_told_to_nobody() -> None:
    """A no is kept with its first moment; it says nothing and asks for nothing."""
    invitation = Invitation.send(PROGRAMME, PICK, "lena", AT)
    invitation.take_uncommitted()
    invitation.decline(AT)
    invitation.decline(LATER)
    done = invitation.take_uncommitted()
    assert (invitation.declined_at, done.said, done.asked) == (AT, [], [])


def test_a_round_goes_forward_only_and_forgets_whom_it_was_for() -> None:
    """Its work may be done again from where it stood."""
    picks = [Pick(member=f"m{number}", reasons=PICK.reasons) for number in range(120)]
    round_ = InvitationRound.ask_for(round_id(PROGRAMME.id, "lena", "k"), PROGRAMME, "lena", picks)
    assert [ask.kind for ask in round_.take_uncommitted().asked] == ["send-invitations"]
    round_.advance(100)
    round_.advance(50)
    assert (round_.done, round_.sending) == (100, True)
    round_.finish()
    assert (round_.done, round_.count, round_.picks, round_.sending) == (120, 120, [], False)


@pytest.mark.parametrize(
    ("invited", "enrolled", "told"),
    [(4, 4, None), (5, 4, None), (5, 5, 5), (40, 9, 5), (40, 10, 10), (40, 0, None)],
)
def test_how_many_have_enrolled_is_told_in_steps_of_five(invited: int, enrolled: int, told: int | None) -> None:
    """So that nobody can tell one person's answer by looking before and after."""
    assert Tally.of(invited, enrolled) == Tally(invited, told)


def test_every_reason_has_words_for_both() -> None:
    """For the lead about them, for the invited about themselves."""
    for reason in InvitationReason:
        assert for_lead(reason) != for_invited(reason)
