"""Where a lead looks over what a run has found, leaves out what should not be, and sends the others."""

from dataclasses import dataclass
from typing import Annotated

from chassis.translation import gettext as _
from chassis.web.identity import SignedIn
from chassis.web.pages import after, redirect
from fastapi import APIRouter, Form
from fastapi.responses import Response
from pydantic import BaseModel

from matching.commands import Commands
from matching.domain.run import Run, RunState
from matching.labels import Labels
from matching.programmes.lead_rows import PAIRS, Row, suggested_row
from matching.store import Store


@dataclass(frozen=True, slots=True)
class Review:
    """One page of what a run has found, the best first, and how much of it there is."""

    waiting: bool = False
    """Whether there is a run to look over."""
    rows: tuple[Row, ...] = ()
    rank: int = 1
    """Of the first row."""
    count: int = 0
    left_out: int = 0
    following: int | None = None
    """The rank with which the next page begins."""

    @property
    def to_send(self) -> int:
        """What goes out if it is sent as it stands."""
        return self.count - self.left_out


async def review_of(store: Store, labels: Labels, run: Run | None, rank: int) -> Review:
    """What there is to look over of a programme's newest run, from a rank on."""
    if run is None or run.state is not RunState.REVIEW or run.result is None:
        return Review()
    best = next((each.terms.score for each in await store.suggested(run, 1, 1)), 0)
    found, areas = await store.suggested(run, rank, PAIRS + 1), await labels.areas()
    return Review(
        waiting=True,
        rows=tuple(suggested_row(rank + at, each, best, areas) for at, each in enumerate(found[:PAIRS])),
        rank=rank,
        count=run.result.proposed,
        left_out=await store.left_out(run),
        following=rank + PAIRS if len(found) > PAIRS else None,
    )


class _Choice(BaseModel):
    do: str
    page: int = 1


def add(routes: APIRouter, commands: Commands) -> None:
    """Add the routes."""

    @routes.post("/programmes/{programme}/runs/{run}/send")
    async def send(caller: SignedIn, programme: str, run: str) -> Response:
        """Let what was looked over go out."""
        return await after(commands.send_run(caller, run), f"/programmes/{programme}")

    @routes.post("/programmes/{programme}/runs/{run}/discard")
    async def discard(caller: SignedIn, programme: str, run: str) -> Response:
        """Let it go."""
        await commands.discard_run(caller, run)
        notice = _("Nobody has heard of it. You can run it again.")
        return redirect(f"/programmes/{programme}", notice=notice, kind="info")

    @routes.post("/programmes/{programme}/runs/{run}/suggestions/{rank}")
    async def choose(
        caller: SignedIn, programme: str, run: str, rank: int, choice: Annotated[_Choice, Form()]
    ) -> Response:
        """Leave one out, or take it in again."""
        chosen = commands.leave_out(caller, run, rank, left_out=choice.do == "leave-out")
        return await after(chosen, f"/programmes/{programme}?rank={choice.page}#pair-{rank}")
