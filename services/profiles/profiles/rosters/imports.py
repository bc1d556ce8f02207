"""Bringing in rosters: the page for operators, and the API for them and for services that import."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from chassis.errors import ConflictError, InvalidError, NotFoundError
from chassis.translation import current
from chassis.translation import gettext as _
from chassis.web.http import body_limit
from chassis.web.identity import Caller, SignedIn
from chassis.web.pages import Pages, redirect
from chassis.web.policy import Resource
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from chassis import clock
from profiles.api import V1, PersonCard, card_of, member_or_service
from profiles.parts import HasParts, Parts
from profiles.policy import POLICY
from profiles.rosters import column_pages, staging
from profiles.rosters.columns import OPTIONAL, REQUIRED
from profiles.rosters.jobs import Counts, ImportJob, JobStatus, Problem, Wish
from profiles.rosters.uploads import MOST_BYTES, Ask, read_upload, receive

router = APIRouter()
_pages: Final = Pages("profiles")
_HISTORY: Final = 20
_DIGITS: Final = 6

Leavers = Annotated[int, Field(ge=0, le=10**_DIGITS - 1)]


class ImportAnswer(BaseModel):
    """How far an import is and what it came to."""

    id: str
    status: JobStatus
    percent: int
    counts: Counts
    errors: tuple[Problem, ...]
    reason: str

    @classmethod
    def of(cls, job: ImportJob) -> "ImportAnswer":
        """The job as its reader should understand it now."""
        return cls(
            id=job.id,
            status=job.seen_at(clock.now()),
            percent=job.percent,
            counts=job.counts,
            errors=job.problems,
            reason=job.reason,
        )


async def may_import(request: Request) -> None:
    """Lets through operators, and services with a token for imports."""
    if caller := await member_or_service(request, "import"):
        POLICY.require(caller, "roster.import", Resource(caller.tenant))


@router.post(f"{V1}/imports", status_code=202, dependencies=[Depends(may_import)])
@body_limit(MOST_BYTES)
async def start_import(
    request: Request, parts: HasParts, response: Response, *, trial: bool = False, most_leavers: Leavers = 0
) -> ImportAnswer:
    """Begin to import a roster: the CSV as the body, or as the form field `file`.

    A `trial` changes nothing. People who are missing from the file are taken out if they are at most `most_leavers`.
    """
    wish = Wish(trial=trial, most_leavers=most_leavers)
    job = await parts.uploads.start(await receive(_content(request)), wish)
    response.headers["Location"] = f"{V1}/imports/{job.id}"
    return ImportAnswer.of(job)


@router.get(f"{V1}/imports/{{job_id}}", dependencies=[Depends(may_import)])
async def import_progress(job_id: str, parts: HasParts) -> ImportAnswer:
    """How far an import is, and every row that it refused."""
    return ImportAnswer.of(await parts.store.imports.load(parts.settings.tenant, job_id))


@router.get("/import", include_in_schema=False)
async def import_page(
    request: Request, caller: SignedIn, parts: HasParts, job: str = "", part: str = ""
) -> HTMLResponse:
    """Choose a roster, or follow the import of one; htmx asks for the part that moves."""
    await may_import(request)
    found = await _job(parts, job) if job else None
    if part and found:
        return _pages.fragment(request, "import_progress.html", caller=caller, **_shown(found))
    return await _import_page(request, caller, parts, found)


@router.get("/import/problems.csv", include_in_schema=False)
async def problems(caller: SignedIn, parts: HasParts, job: str) -> Response:
    """The rows that were left out, with line, column and reason, to work through beside the roster."""
    POLICY.require(caller, "roster.import", Resource(caller.tenant))
    found = await _job(parts, job)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("line", "column", "reason"))
    writer.writerows((each.line, each.column, each.reason) for each in found.problems)
    headers = {"Content-Disposition": f'attachment; filename="rows-left-out-{found.id}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/import", include_in_schema=False)
@body_limit(MOST_BYTES)
async def upload_roster(request: Request, caller: SignedIn, parts: HasParts) -> Response:
    """Begins the import of the chosen file and shows its progress."""
    POLICY.require(caller, "roster.import", Resource(caller.tenant))
    form = await request.form()
    file, leavers = form.get("file"), str(form.get("most_leavers") or "0")
    if not isinstance(file, UploadFile) or not file.size:
        return redirect("/import", notice=_("Choose a file first."), kind="warning")
    if not leavers.isdecimal() or len(leavers) > _DIGITS:
        notice = _("Say with a whole number how many people may leave at most; 0 lets everybody stay.")
        return redirect("/import", notice=notice, kind="warning")
    wish = Wish(trial=form.get("do") == "try", most_leavers=int(leavers))
    ask = Ask.ALWAYS if form.get("do") == "look" else Ask.WHEN_UNCLEAR
    job = await parts.uploads.start(await receive(read_upload(file)), wish, caller.member, ask=ask)
    return redirect(f"/import?job={job.id}")


@router.post("/import/columns", include_in_schema=False)
async def choose_columns(request: Request, caller: SignedIn, parts: HasParts, job: str) -> Response:
    """Imports a file that waited, or tries it out, with its columns read as the form says."""
    POLICY.require(caller, "roster.import", Resource(caller.tenant))
    found, form = await _job(parts, job), await request.form()
    columns = column_pages.chosen(found, form)
    try:
        column_pages.check(columns)
        wish = found.wish.model_copy(update={"trial": form.get("do") == "try", "columns": columns})
        await parts.uploads.go_on(found.id, wish)
    except InvalidError as refusal:
        context = await column_pages.shown(found, columns, refusal.detail)
        return await _import_page(request, caller, parts, found, status=refusal.status, **context)
    except (ConflictError, NotFoundError) as refusal:
        return redirect(f"/import?job={found.id}", notice=refusal.detail, kind="warning")
    return redirect(f"/import?job={found.id}")


@router.post("/import/after-trial", include_in_schema=False)
async def import_after_trial(caller: SignedIn, parts: HasParts, job: str) -> Response:
    """Imports the file of a trial, without another upload."""
    POLICY.require(caller, "roster.import", Resource(caller.tenant))
    trial = await _job(parts, job)
    if not trial.wish.trial or trial.status is not JobStatus.DONE:
        notice = _("Only a file that was tried out waits here.")
        return redirect(f"/import?job={trial.id}", notice=notice, kind="warning")
    try:
        begun = await parts.uploads.after_trial(trial, caller.member)
    except NotFoundError as refusal:
        return redirect("/import", notice=refusal.detail, kind="warning")
    return redirect(f"/import?job={begun.id}")


async def _import_page(
    request: Request, caller: Caller, parts: Parts, job: ImportJob | None, *, status: int = 200, **context: Any
) -> HTMLResponse:
    earlier = [_shown(each) for each in await parts.store.imports_of(caller.tenant, _HISTORY)]
    areas = (await parts.store.taxonomy_of(caller.tenant)).now
    if job and job.status is JobStatus.WAITING and not context:
        context = await column_pages.shown(job)
    return _pages.render(
        request,
        "import.html",
        caller=caller,
        status=status,
        required=REQUIRED,
        optional=OPTIONAL,
        areas=[(each.words.label(current().tag), each.code) for each in areas.areas if not each.retired],
        earlier=earlier,
        people={card.member: card for card in await _cards(parts, caller, earlier)},
        **_shown(job),
        **context,
    )


async def _cards(parts: Parts, caller: Caller, earlier: list[dict[str, Any]]) -> list[PersonCard]:
    """Who began the earlier imports, as far as they are still there."""
    ids = [str(each["job"].by) for each in earlier if each["job"].by]
    return [card_of(member) for member in await parts.store.present(caller.tenant, ids)]


async def _job(parts: Parts, job: str) -> ImportJob:
    if (found := await parts.store.imports.get(parts.settings.tenant, job)) is None:
        raise NotFoundError(_("There is no such import. Choose the file again."))
    return found


def _shown(job: ImportJob | None) -> dict[str, Any]:
    return {
        "job": job,
        "standing": job.seen_at(clock.now()).value if job else "",
        "waits": job is not None and staging.kept(job.id) is not None,
    }


async def _content(request: Request) -> AsyncIterator[bytes]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        async for chunk in request.stream():
            yield chunk
        return
    file = (await request.form()).get("file")
    if isinstance(file, UploadFile):
        async for chunk in read_upload(file):
            yield chunk
