"""What leads do with programmes: set one up, change it, open and close it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from chassis.errors import InvalidError
from chassis.state.documents import AlreadyExistsError
from chassis.translation import gettext as _
from chassis.web.identity import Caller

from chassis import clock, telemetry
from matching.commands import Commands, told
from matching.domain.agreement import Customs
from matching.domain.programme import Plan, Programme, Scheme, programme_id
from matching.engine.rules import Rules
from matching.policy import may_set_up
from matching.programmes.files import find_leads
from matching.settings import MatchingSettings

_DAYS_OPEN: Final = 365


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

    async def changed(self, caller: Caller, programme: str) -> Programme:
        """A programme as it is now, for whoever has just changed it and may lead it no longer."""
        return await self._store.programmes.load(caller.tenant, programme)

    async def named(self, caller: Caller, names: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
        """Member ids of leads whom somebody names by id or by e-mail address.

        Args:
            caller: who names them.
            names: ids and addresses.
            before: who leads already, and may have left meanwhile.

        Raises:
            InvalidError: one of them is nobody's.
            UnavailableError: profiles could not be asked.
        """
        emails = tuple(name for name in names if "@" in name)
        found = dict(zip(emails, await self.leads(emails), strict=True))
        fresh = [name for name in names if name not in found and name not in before and name != caller.member]
        if {*fresh} - {*await self._store.members.find_ids(caller.tenant, fresh)}:
            raise InvalidError(_("We could not find that person. They may have left."))
        return tuple(dict.fromkeys(found.get(name, name) for name in names))

    async def leads(self, emails: tuple[str, ...]) -> tuple[str, ...]:
        """Member ids by e-mail address.

        Raises:
            InvalidError: somebody is not in the directory.
            UnavailableError: profiles could not be asked.
        """
        return await find_leads(self._settings, emails) if emails else ()


def usual_plan() -> Plan:
    """What a new programme begins with: a draft from today on, for a year."""
    today = clock.today()
    return Plan.model_construct(
        title="",
        about="",
        scheme=Scheme.REVERSE,
        opens_on=today,
        closes_on=today + timedelta(days=_DAYS_OPEN),
        open=True,
        review=True,
        leads=(),
        rules=Rules(),
        customs=Customs(),
    )
