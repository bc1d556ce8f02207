"""Rosters that come through the API or the page: received to disk, then imported while a job tells how far it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from enum import Enum, auto
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from chassis.errors import InvalidError, TransientError
from chassis.ids import new_id
from starlette.datastructures import UploadFile

from chassis import clock, logs, telemetry
from profiles.rosters import staging
from profiles.rosters.columns import Columns, RosterError, documented
from profiles.rosters.file import header_of
from profiles.rosters.importing import AS_IT_IS, Progress, Report, import_roster
from profiles.rosters.jobs import ImportJob, JobStatus, Problem, Wish
from profiles.store import Store

MOST_BYTES: Final = 64 * 1024 * 1024  # some 300,000 people
_CHUNK: Final = 256 * 1024
_TOLD_SECONDS: Final = 0.5
_ATTEMPTS: Final = 8
log = logs.get()


async def receive(chunks: AsyncIterator[bytes]) -> Path:
    """Write an upload to a file of its own.

    Raises:
        InvalidError: it is larger than any roster.
    """
    with NamedTemporaryFile(prefix="roster-", suffix=".csv", delete=False) as file:
        path = Path(file.name)
        try:
            async for chunk in chunks:
                file.write(chunk)
                _refuse_too_much(file.tell())
        except BaseException:
            await asyncio.to_thread(path.unlink)
            raise
    return path


async def read_upload(file: UploadFile) -> AsyncIterator[bytes]:
    """The content of a form's file, piece by piece."""
    while chunk := await file.read(_CHUNK):
        yield chunk


def _refuse_too_much(size: int) -> None:
    if size > MOST_BYTES:
        raise InvalidError(
            "The file is larger than {most} MB. Split it and import each part.", most=MOST_BYTES // 1024**2
        )


class Ask(Enum):
    """When somebody is to say what a file's columns tell, before it is imported."""

    NEVER = auto()
    WHEN_UNCLEAR = auto()
    ALWAYS = auto()


class Uploads:
    """The imports that this process runs."""

    def __init__(self, store: Store, tenant: str) -> None:
        self._store = store
        self._tenant = tenant
        self._tasks: set[asyncio.Task[None]] = set()
        staging.tidy()

    async def start(self, path: Path, wish: Wish = AS_IT_IS, by: str = "", *, ask: Ask = Ask.NEVER) -> ImportJob:
        """Begin to import a received file, or let it wait until somebody has said what its columns tell."""
        header = await asyncio.to_thread(header_of, path)
        known = await self._store.columns_chosen(self._tenant, header)
        unclear = known is None and not documented(header)
        if header and (ask is Ask.ALWAYS or (ask is Ask.WHEN_UNCLEAR and unclear)):
            return await self._wait(path, wish.model_copy(update={"columns": known or Columns.suggested(header)}), by)
        return await self._begin(self._job(wish.model_copy(update={"columns": known}), by), path)

    async def go_on(self, job: str, wish: Wish) -> None:
        """Import a file that waited, in this way.

        Raises:
            ConflictError: it has begun already.
            NotFoundError: the file is not kept any more.
        """
        (await self._store.imports.load(self._tenant, job)).begin(wish, clock.timestamp())  # refuses before the file
        path = staging.take(job)
        try:
            await self._change(job, lambda each: each.begin(wish, clock.timestamp()))
        except BaseException:
            staging.keep(path, job)
            raise
        self._spawn(await self._store.imports.load(self._tenant, job), path)

    async def after_trial(self, trial: ImportJob, by: str) -> ImportJob:
        """Import the file of a trial, read in the same way.

        Raises:
            NotFoundError: the file is not kept any more.
        """
        job = self._job(trial.wish.model_copy(update={"trial": False}), by)
        return await self._begin(job, staging.take(trial.id))

    def _job(self, wish: Wish, by: str) -> ImportJob:
        at = clock.timestamp()
        return ImportJob(id=new_id(), tenant=self._tenant, started_at=at, touched_at=at, wish=wish, by=by)

    async def _wait(self, path: Path, wish: Wish, by: str) -> ImportJob:
        job = self._job(wish, by)
        job.status = JobStatus.WAITING
        await asyncio.to_thread(staging.tidy)
        staging.keep(path, job.id)
        await self._store.imports.insert(job)
        return job

    async def _begin(self, job: ImportJob, path: Path) -> ImportJob:
        await self._store.imports.insert(job)
        self._spawn(job, path)
        return job

    def _spawn(self, job: ImportJob, path: Path) -> None:
        task = asyncio.create_task(self._run(job, path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: ImportJob, path: Path) -> None:
        told_at = time.monotonic()

        async def tell(report: Report) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= _TOLD_SECONDS:
                told_at = time.monotonic()
                await self._change(job.id, lambda each: each.advance(report.percent, report.counts, clock.timestamp()))

        try:
            with telemetry.span("import roster"):
                report = await self._persistently(path, tell, job)
        except RosterError as error:
            reason = error.detail
            await self._change(job.id, lambda each: each.refuse(reason, clock.timestamp()))
        else:
            problems = [
                Problem(line=each.line, column=job.told(each.column), reason=each.reason) for each in report.errors
            ]
            if job.wish.trial:
                staging.keep(path, job.id)
            await self._change(job.id, lambda each: each.finish(report.counts, problems, clock.timestamp()))
            log.info("import.done", rows=report.counts.imported, bad_rows=report.counts.refused)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _persistently(self, path: Path, tell: Progress, job: ImportJob) -> Report:
        """Import; when the database goes away midway, wait and begin again, which doubles nothing."""
        for attempt in range(_ATTEMPTS):
            try:
                return await import_roster(self._store, self._tenant, path, tell, job.wish)
            except TransientError as error:
                log.warning("import.waiting", attempt=attempt, error=str(error))
                await asyncio.sleep(min(0.5 * 2**attempt, 5))
        return await import_roster(self._store, self._tenant, path, tell, job.wish)

    async def _change(self, job: str, decide: Callable[[ImportJob], None]) -> None:
        await self._store.imports.change(self._tenant, job, decide)
