"""The part of the JSON API with which a mentee says who arranges their times, and a delegate reads what there is."""

from typing import Annotated

from chassis.web.http import IdempotencyKey
from chassis.web.identity import SignedIn
from contracts.matching import Status
from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from matching.api import PREFIX, MentorshipView, view_of
from matching.sessions.api import PlanView
from matching.sessions.delegates import LONGEST_ADDRESS, Delegates


class Named(BaseModel):
    """Who arranges the mentee's times."""

    model_config = ConfigDict(extra="forbid")
    email: Annotated[str, Field(max_length=LONGEST_ADDRESS)]


class ArrangingView(BaseModel):
    """A pair as the mentee's delegate sees it: who the two are, and when they meet."""

    mentorship: str
    status: Status
    mentor: str
    mentee: str
    plan: PlanView


def router(delegates: Delegates) -> APIRouter:
    """The routes of delegates."""
    api = APIRouter(prefix=PREFIX, tags=["delegates"])

    @api.put("/mentorships/{mentorship}/delegate")
    async def name(caller: SignedIn, mentorship: str, key: IdempotencyKey, named: Named) -> MentorshipView:
        """Let somebody arrange your times as the mentee, in place of whoever does so now."""
        return view_of(await delegates.name(caller, mentorship, key, named.email), caller.member)

    @api.delete("/mentorships/{mentorship}/delegate")
    async def dismiss(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> MentorshipView:
        """Arrange your times yourself again."""
        return view_of(await delegates.dismiss(caller, mentorship, key), caller.member)

    @api.get("/arranging")
    async def arranging(caller: SignedIn) -> list[ArrangingView]:
        """The pairs in which you arrange the mentee's times; their plans take your commands as they take theirs."""
        return [
            ArrangingView(
                mentorship=pair.id,
                status=pair.status,
                mentor=pair.mentor,
                mentee=pair.mentee,
                plan=PlanView.of(pair, caller.member),
            )
            for pair in await delegates.arranged(caller)
        ]

    @api.delete("/arranging/{mentorship}", status_code=status.HTTP_204_NO_CONTENT)
    async def step_down(caller: SignedIn, mentorship: str, key: IdempotencyKey) -> None:
        """Stop arranging the mentee's times: it ends at once, and they are told."""
        await delegates.step_down(caller, mentorship, key)

    return api
