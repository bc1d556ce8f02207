"""Rosters that come through the API or the page: received to disk, then imported while a job tells how far it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from chassis.errors import InvalidError, TransientError
from chassis.ids import new_id
from starlette.datastructures import UploadFile

from chassis import clock, logs, telemetry
from profiles.importing import AS_IT_IS, Progress, Report, import_roster
from profiles.jobs import ImportJob, Problem, Wish
from profiles.roster import RosterError
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


class Uploads:
    """The imports that this process runs."""

    def __init__(self, store: Store, tenant: str) -> None:
        self._store = store
        self._tenant = tenant
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, path: Path, wish: Wish = AS_IT_IS, by: str = "") -> ImportJob:
        """Begin to import a received file, which is deleted afterwards."""
        at = clock.timestamp()
        job = ImportJob(id=new_id(), tenant=self._tenant, started_at=at, touched_at=at, wish=wish, by=by)
        await self._store.imports.insert(job)
        task = asyncio.create_task(self._run(job.id, path, wish))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await self._store.imports.load(self._tenant, job.id)

    async def _run(self, job: str, path: Path, wish: Wish) -> None:
        told_at = time.monotonic()

        async def tell(report: Report) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= _TOLD_SECONDS:
                told_at = time.monotonic()
                await self._change(job, lambda each: each.advance(report.percent, report.counts, clock.timestamp()))

        try:
            with telemetry.span("import roster"):
                report = await self._persistently(path, tell, wish)
        except RosterError as error:
            reason = error.detail
            await self._change(job, lambda each: each.refuse(reason, clock.timestamp()))
        else:
            problems = [Problem(line=each.line, column=each.column, reason=each.reason) for each in report.errors]
            await self._change(job, lambda each: each.finish(report.counts, problems, clock.timestamp()))
            log.info("import.done", rows=report.counts.imported, bad_rows=report.counts.refused)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _persistently(self, path: Path, tell: Progress, wish: Wish) -> Report:
        """Import; when the database goes away midway, wait and begin again, which doubles nothing."""
        for attempt in range(_ATTEMPTS):
            try:
                return await import_roster(self._store, self._tenant, path, tell, wish)
            except TransientError as error:
                log.warning("import.waiting", attempt=attempt, error=str(error))
                await asyncio.sleep(min(0.5 * 2**attempt, 5))
        return await import_roster(self._store, self._tenant, path, tell, wish)

    async def _change(self, job: str, decide: Callable[[ImportJob], None]) -> None:
        await self._store.imports.change(self._tenant, job, decide)
