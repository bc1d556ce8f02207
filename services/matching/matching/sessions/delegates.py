"""What a mentee does about who arranges their times, and what such a delegate has to arrange."""

from typing import Final

from chassis.errors import InvalidError, NotFoundError
from chassis.translation import gettext as _
from chassis.web.identity import Caller

from matching.addresses import members_by_address
from matching.commands import Commands, told
from matching.domain.mentorship import Mentorship
from matching.policy import may_step_down
from matching.settings import MatchingSettings

LONGEST_ADDRESS: Final = 254
_SHORTEST_ADDRESS: Final = 3


class Delegates:
    """Each pair has one delegate at most, and the policy says what that one may."""

    def __init__(self, settings: MatchingSettings, commands: Commands) -> None:
        self._settings = settings
        self._commands = commands

    async def name(self, caller: Caller, mentorship: str, key: str, email: str) -> Mentorship:
        """Let whoever has this address arrange the caller's times.

        Raises:
            InvalidError: it is nobody's, the caller's own or the mentor's.
            UnavailableError: profiles could not be asked.
        """
        await self._commands.pair(caller, mentorship, "delegate.name")
        member = await self._member(email.strip())
        return await self._commands.act(
            caller,
            mentorship,
            key,
            lambda pair, _side: pair.name_delegate(member),
            name="name-delegate",
            action="delegate.name",
        )

    async def dismiss(self, caller: Caller, mentorship: str, key: str) -> Mentorship:
        """Take it back."""
        return await self._commands.act(
            caller,
            mentorship,
            key,
            lambda pair, _side: pair.dismiss_delegate(),
            name="dismiss-delegate",
            action="delegate.name",
        )

    async def step_down(self, caller: Caller, mentorship: str, key: str) -> None:
        """Stop arranging the mentee's times; the same key again finds that the caller has stopped.

        Raises:
            NotFoundError: the caller arranges nothing here; the two of the pair read the same as any stranger.
        """
        with told("step-down"):
            store, receipt = self._commands.store, f"delegate:{key}"
            pair = await store.mentorships.get(caller.tenant, mentorship)
            if pair is None or not (may_step_down(caller, pair) or pair.receipt_of(receipt)):
                raise NotFoundError("You arrange no times here, so there is nothing that you could stop doing.")
            await store.command(pair, receipt, lambda subject: subject.step_down(caller.member))

    async def arranged(self, caller: Caller) -> list[Mentorship]:
        """The pairs in which the caller arranges the mentee's times."""
        return await self._commands.store.arranged_by(caller.tenant, caller.member)

    async def _member(self, email: str) -> str:
        if "@" not in email or not _SHORTEST_ADDRESS <= len(email) <= LONGEST_ADDRESS:
            raise InvalidError(_("Write one e-mail address, for example sam.jones@example.com."))
        found = await members_by_address(self._settings, [email])
        if email not in found:
            raise InvalidError(
                "Nobody in the directory has the address {email}. Check it, or ask for the right one.", email=email
            )
        return found[email]
