"""The part of the JSON API that sets programmes up, changes them, and says how far rules would reach."""

import datetime as dt
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final, Self

from chassis.errors import InvalidError, VersionNeededError
from chassis.translation import gettext as _
from chassis.web.http import IdempotencyKey, IfMatch, set_etag
from chassis.web.identity import Caller, SignedIn
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from matching.api import PREFIX
from matching.commands import Commands
from matching.domain.programme import AREAS_AT_MOST, LEADS_AT_MOST, Plan, Programme, Stage
from matching.engine.rules import Rule, Rules
from matching.labels import Labels
from matching.policy import may_set_up
from matching.programmes.commands import ProgrammeCommands, usual_plan
from matching.programmes.form import Entered, sentence_of, unfit_area
from matching.programmes.reach import Crowd, Reach

_BODY: Final = "body"
_LEADS: Final = "leads"


class PlanFields(Entered):
    """A programme's plan in the fields of the form, and who leads it."""

    model_config = ConfigDict(extra="forbid")

    areas: Annotated[tuple[str, ...], Field(min_length=1, max_length=AREAS_AT_MOST)]
    leads: Annotated[
        tuple[str, ...], Field(max_length=LEADS_AT_MOST, description="Member ids; when sent also e-mail addresses.")
    ] = ()

    @classmethod
    def of(cls, plan: Plan) -> "PlanFields":
        """A plan as it is. That of a file may hold what the form would refuse, so nothing is checked."""
        parts = (plan.rules, plan.customs, plan)
        return cls.model_construct(
            **{name: getattr(part, name) for part in parts for name in cls.model_fields if hasattr(part, name)}
        )


class ProgrammeView(BaseModel):
    """A programme; its plan is for its leads."""

    id: str
    title: str
    areas: tuple[str, ...]
    opens_on: dt.date
    closes_on: dt.date
    open: bool
    stage: Stage
    you_lead: bool
    plan: PlanFields | None

    @classmethod
    def of(cls, programme: Programme, member: str) -> Self:
        """What one member may see."""
        plan, leads = programme.plan, programme.led_by(member)
        return cls(
            id=programme.id,
            title=plan.title,
            areas=plan.rules.areas,
            opens_on=plan.opens_on,
            closes_on=plan.closes_on,
            open=plan.open,
            stage=programme.stage,
            you_lead=leads,
            plan=PlanFields.of(plan) if leads else None,
        )


class SideReachView(BaseModel):
    """One side: who takes part, who could have somebody, and who could if it were not for one rule."""

    model_config = ConfigDict(from_attributes=True)

    people: int
    possible: int
    but_for: dict[Rule, int]


class ReachView(BaseModel):
    """What rules mean for the people who take part now."""

    model_config = ConfigDict(from_attributes=True)

    mentors: SideReachView
    mentees: SideReachView
    pairs: Annotated[int, Field(description="Every mentor with every mentee, themselves aside.")]
    possible: Annotated[int, Field(description="Those that pass every rule.")]
    apart: Annotated[dict[Rule, int], Field(description="Those that a rule keeps apart, another one or not.")]
    sampled: Annotated[bool, Field(description="Counted among some people of a large organisation.")]
    in_the_way: Annotated[Rule | None, Field(description="When nobody may be paired: the rule that does most of it.")]


class _InWords(APIRoute):
    """Says about a field of a programme what the form says beside it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_in_words(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as refused:
                raise RequestValidationError([_in_words(each) for each in refused.errors()]) from refused

        return handle_in_words


def router(programmes: ProgrammeCommands, commands: Commands, crowd: Crowd, labels: Labels) -> APIRouter:
    """The routes of programmes."""
    api = APIRouter(prefix=PREFIX, tags=["programmes"], route_class=_InWords)
    _add_reading(api, commands)
    _add_setting_up(api, programmes, labels)
    _add_reach(api, programmes, crowd)
    return api


def _add_reading(api: APIRouter, commands: Commands) -> None:
    @api.get("/programmes")
    async def programmes(caller: SignedIn) -> list[ProgrammeView]:
        """Every programme of the organisation; drafts are for their leads."""
        return [ProgrammeView.of(each, caller.member) for each in await commands.programmes(caller)]

    @api.get("/programmes/{programme}")
    async def programme(caller: SignedIn, programme: str, response: Response) -> ProgrammeView:
        """One programme; its ETag is what an edit is based on."""
        return _answer(await commands.known_programme(caller, programme), caller, response)


def _add_setting_up(api: APIRouter, programmes: ProgrammeCommands, labels: Labels) -> None:
    @api.post("/programmes", status_code=201)
    async def set_up(caller: SignedIn, key: IdempotencyKey, fields: PlanFields, response: Response) -> ProgrammeView:
        """Keep a draft, which its leads alone know of; you are one of them."""
        may_set_up(caller)
        with _about_leads():
            plan = await _plan(caller, fields, usual_plan(), programmes, labels)
            made = await programmes.set_up(caller, key, plan)
        return _answer(made, caller, response)

    @api.put("/programmes/{programme}")
    async def edit(
        caller: SignedIn, programme: str, seen: IfMatch, fields: PlanFields, response: Response
    ) -> ProgrammeView:
        """Change it, of an open programme for everybody at once; `If-Match` names the version that was read."""
        before = await programmes.led(caller, programme)
        if seen is None:
            raise VersionNeededError(_("Send If-Match with the ETag that you read, so that no other edit is lost."))
        with _about_leads():
            plan = await _plan(caller, fields, before.plan, programmes, labels)
            await programmes.edit(caller, programme, plan, seen)
        return _answer(await programmes.changed(caller, programme), caller, response)

    @api.post("/programmes/{programme}/open")
    async def open_(caller: SignedIn, programme: str, response: Response) -> ProgrammeView:
        """Let people be proposed; what was a draft is everybody's to read."""
        await programmes.turn(caller, programme, open_=True)
        return _answer(await programmes.changed(caller, programme), caller, response)

    @api.post("/programmes/{programme}/close")
    async def close(caller: SignedIn, programme: str, response: Response) -> ProgrammeView:
        """Propose nobody any more; what runs goes on."""
        await programmes.turn(caller, programme, open_=False)
        return _answer(await programmes.changed(caller, programme), caller, response)


def _add_reach(api: APIRouter, programmes: ProgrammeCommands, crowd: Crowd) -> None:
    async def told(caller: Caller, rules: Rules) -> ReachView:
        found: Reach = await crowd.reach(caller.tenant, rules)
        return ReachView.model_validate(found)

    @api.post("/programmes/reach")
    async def of_new(caller: SignedIn, rules: Rules) -> ReachView:
        """How far the rules of a new programme would reach among the people who take part now."""
        may_set_up(caller)
        return await told(caller, rules)

    @api.post("/programmes/{programme}/reach")
    async def of_programme(caller: SignedIn, programme: str, rules: Rules | None = None) -> ReachView:
        """How far a programme's rules reach, or how far others would; nothing is changed."""
        found = await programmes.led(caller, programme)
        return await told(caller, rules or found.plan.rules)


async def _plan(
    caller: Caller, fields: PlanFields, before: Plan, programmes: ProgrammeCommands, labels: Labels
) -> Plan:
    """The plan of these fields; what they do not ask stays as it was before."""
    allowed = {*await labels.offered(), *before.rules.areas}
    if wrong := unfit_area(fields.areas, await labels.areas(), allowed):
        raise _refused("areas", wrong)
    leads = await programmes.named(caller, fields.leads, before.leads)
    try:
        return fields.plan(before, leads)
    except ValidationError as refusal:  # what single fields do not tell: an area that is named twice
        errors = [{**each, "loc": (_BODY, *each["loc"])} for each in refusal.errors()]
        raise RequestValidationError(errors) from refusal


@contextmanager
def _about_leads() -> Iterator[None]:
    """Whatever else is refused of a plan is about who leads it, as on the form."""
    try:
        yield
    except InvalidError as refusal:
        raise _refused(_LEADS, refusal.detail) from refusal


def _answer(programme: Programme, caller: Caller, response: Response) -> ProgrammeView:
    set_etag(response, programme.etag)
    return ProgrammeView.of(programme, caller.member)


def _in_words(error: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with a field, as the form says it; of others what the validation says."""
    place = error["loc"]
    name = str(place[1]) if len(place) > 1 and place[0] == _BODY else ""
    said = dict(error)
    if name in Entered.model_fields:
        said["msg"] = sentence_of(name, error["type"], error.get("ctx", {}), error["msg"])
    elif name == _LEADS and error["type"] == "too_long":
        said["msg"] = _("At most %(most)s people lead a programme.") % {"most": LEADS_AT_MOST}
    return said


def _refused(field: str, why: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": (_BODY, field), "msg": why, "ctx": {"error": why}}])
