"""Why somebody could be invited, in words: for the lead about them, and for whoever is invited about themselves."""

from chassis.translation import gettext as _
from contracts.matching import InvitationReason


def for_lead(reason: InvitationReason) -> str:
    """As the lead reads it: it tells of groups and of time, of nothing that is the person's own."""
    words = {
        InvitationReason.NEW_JOINER: _("Joined lately, and still sees what others no longer see"),
        InvitationReason.SOUGHT: _("Their function often knows what more people seek than anybody offers"),
        InvitationReason.FUNCTION: _("Few people of their function share anything yet"),
        InvitationReason.SITE: _("Few people of their site share anything yet"),
        InvitationReason.LEVEL: _("Nobody of their level shares anything yet"),
    }
    return words[reason]


def for_invited(reason: InvitationReason) -> str:
    """As the one who is invited reads it."""
    words = {
        InvitationReason.NEW_JOINER: _("You joined lately, and still see what others no longer see."),
        InvitationReason.SOUGHT: _("Colleagues of your function often know what many people here would like to learn."),
        InvitationReason.FUNCTION: _("Few people of your function take part so far, so your view is missing."),
        InvitationReason.SITE: _("Few people of your site take part so far, so your view is missing."),
        InvitationReason.LEVEL: _("Nobody of your level shares anything yet, so your view is missing."),
    }
    return words[reason]
