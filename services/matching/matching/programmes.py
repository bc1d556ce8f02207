"""What leads do with programmes: set one up, change it, open and close it."""

from chassis.errors import InvalidError
from chassis.state.documents import AlreadyExistsError
from chassis.translation import gettext as _
from chassis.web.identity import Caller

from chassis import telemetry
from matching.commands import Commands, told
from matching.domain.programme import Plan, Programme, programme_id
from matching.policy import may_set_up
from matching.programme_files import find_leads
from matching.settings import MatchingSettings


class ProgrammeCommands:
    """Every command loads the programme, asks the policy, and changes one document."""

    def __init__(self, settings: MatchingSettings, commands: Commands) -> None:
        self._settings = settings
        self._commands = commands
        self._store = commands.store

    async def led(self, caller: Caller, programme: str) -> Programme:
        """A programme that the caller leads."""
        return await self._commands.programme(caller, programme)

    async def set_up(self, caller: Caller, key: str, plan: Plan) -> Programme:
        """Keep a draft, led by whoever sets it up; the same key again finds the same one."""
        with told("set-up-programme"):
            may_set_up(caller)
            name = programme_id(caller.tenant, f"{caller.member}:{key}")
            leads = plan.leads if caller.member in plan.leads else (caller.member, *plan.leads)
            draft = Programme.draft(name, caller.tenant, plan.model_copy(update={"leads": leads}))
            try:
                await self._store.programmes.insert(draft)
            except AlreadyExistsError:
                telemetry.annotate(outcome="again")
            return await self._store.programmes.load(caller.tenant, name)

    async def edit(self, caller: Caller, programme: str, plan: Plan, if_match: str | None) -> bool:
        """Change the plan; of a published programme it counts at once.

        Raises:
            PreconditionError: somebody else has changed it since it was read.
        """
        with told("edit-programme"):
            await self.led(caller, programme)
            if not plan.leads:
                raise InvalidError(_("A programme needs somebody who leads it. Keep at least one lead."))
            return await self._store.programmes.change(
                caller.tenant, programme, lambda subject: subject.edit(plan), if_match=if_match
            )

    async def turn(self, caller: Caller, programme: str, *, open_: bool) -> bool:
        """Open a programme, or close it; what runs goes on."""
        with told("open-programme" if open_ else "close-programme"):
            await self.led(caller, programme)
            return await self._store.programmes.change(
                caller.tenant, programme, lambda subject: subject.turn(open_=open_)
            )

    async def leads(self, emails: tuple[str, ...]) -> tuple[str, ...]:
        """Member ids by e-mail address.

        Raises:
            InvalidError: somebody is not in the directory.
            UnavailableError: profiles could not be asked.
        """
        return await find_leads(self._settings, emails) if emails else ()
