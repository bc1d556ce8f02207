"""The part of the JSON API that runs a programme, and with which its leads look over what a run has found."""

from typing import Self

from chassis.errors import InvalidError
from chassis.translation import gettext as _
from chassis.web.identity import SignedIn
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from matching.api import PAGE, PREFIX, Cursor, Limit
from matching.commands import Commands
from matching.domain.proposal import Term
from matching.domain.run import Result, Run, RunState
from matching.domain.suggestion import Suggestion


class RunView(BaseModel):
    """Where a run stands."""

    id: str
    programme: str
    state: RunState
    step: str
    progress: int
    result: Result | None

    @classmethod
    def of(cls, run: Run) -> Self:
        """A run as its programme's leads see it."""
        return cls.model_validate(run.model_dump(include=set(cls.model_fields)))


class SuggestionView(BaseModel):
    """A pair that a run has found, as its programme's leads see it."""

    rank: int
    mentor: str
    mentee: str
    areas: tuple[str, ...]
    score: int
    points: tuple[Term, ...]
    left_out: bool

    @classmethod
    def of(cls, rank: int, suggestion: Suggestion) -> Self:
        """With the rank under which it is left out, or taken in again."""
        terms = suggestion.terms
        return cls(
            rank=rank,
            mentor=suggestion.mentor,
            mentee=suggestion.mentee,
            areas=terms.areas,
            score=terms.score,
            points=terms.points,
            left_out=suggestion.left_out,
        )


class SuggestionList(BaseModel):
    """One page of what a run has found, the best first; `next` continues it."""

    items: list[SuggestionView]
    next: str | None = None


class LeftOut(BaseModel):
    """Whether a suggestion goes out with the others."""

    model_config = ConfigDict(extra="forbid")
    left_out: bool


def router(commands: Commands) -> APIRouter:
    """The routes of runs."""
    api = APIRouter(prefix=PREFIX, tags=["runs"])
    _add_runs(api, commands)
    _add_review(api, commands)
    return api


def _add_runs(api: APIRouter, commands: Commands) -> None:
    @api.post("/programmes/{programme}/runs", status_code=202)
    async def run(caller: SignedIn, programme: str) -> RunView:
        """Ask for a run; an unfinished one is the answer as long as there is one."""
        return RunView.of(await commands.request_run(caller, programme))

    @api.get("/runs/{run}")
    async def progress(caller: SignedIn, run: str) -> RunView:
        """Where a run stands."""
        found, _programme = await commands.run(caller, run)
        return RunView.of(found)

    @api.post("/runs/{run}/cancel")
    async def cancel(caller: SignedIn, run: str) -> RunView:
        """Stop a run."""
        return RunView.of(await commands.cancel_run(caller, run))


def _add_review(api: APIRouter, commands: Commands) -> None:
    @api.get("/runs/{run}/suggestions")
    async def suggestions(caller: SignedIn, run: str, after: Cursor = None, limit: Limit = PAGE) -> SuggestionList:
        """What a run has found for its leads to look over; nothing any more once it is over."""
        found, _programme = await commands.run(caller, run)
        if found.state is not RunState.REVIEW:
            return SuggestionList(items=[])
        if after is not None and not (after.isascii() and after.isdigit()):
            raise InvalidError(_("Send as `after` what `next` of the page before said."))
        first = int(after or 0) + 1
        shown = await commands.store.suggested(found, first, limit + 1)
        items = [SuggestionView.of(first + at, each) for at, each in enumerate(shown[:limit])]
        return SuggestionList(items=items, next=str(items[-1].rank) if len(shown) > limit else None)

    @api.put("/runs/{run}/suggestions/{rank}", status_code=204)
    async def leave_out(caller: SignedIn, run: str, rank: int, choice: LeftOut) -> Response:
        """Leave one out, or take it in again."""
        await commands.leave_out(caller, run, rank, left_out=choice.left_out)
        return Response(status_code=204)

    @api.post("/runs/{run}/send", status_code=202)
    async def send(caller: SignedIn, run: str) -> RunView:
        """Let what a run has found, and a lead has looked over, go out."""
        return RunView.of(await commands.send_run(caller, run))

    @api.post("/runs/{run}/discard")
    async def discard(caller: SignedIn, run: str) -> RunView:
        """Let what a run has found go, before anybody heard of it."""
        return RunView.of(await commands.discard_run(caller, run))
