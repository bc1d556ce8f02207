"""A roster's way into the directory: check the whole file, settle who manages whom, then write what changed.

Nothing is written before the whole file has been read once. Each written row is one member's document; a second
import of the same file finds everything unchanged and writes nothing, so an interrupted one is simply run again.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from chassis.ids import new_member_id
from chassis.state.documents import AlreadyExistsError
from contracts.profiles import MOST_FUNCTIONS

from chassis import clock
from profiles.domain import Imported, Member, Profile, RosterRow
from profiles.functions import has_room
from profiles.rosters.columns import RosterError
from profiles.rosters.jobs import Counts, Wish
from profiles.rosters.roster import Roster, RowError, unfit_managers
from profiles.store import Store
from profiles.taxonomy.areas import Areas

AS_IT_IS: Final = Wish()
_BATCH: Final = 100
_CHECKING: Final = 40  # percent of the progress that reading and checking takes

_TAKEN: Final = "was taken by another import just now; import the file again"

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """What an import came to so far."""

    percent: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    missing: int = 0
    left: int = 0

    @property
    def counts(self) -> Counts:
        """The figures that a page or a command shows."""
        return Counts(
            created=self.created,
            updated=self.updated,
            unchanged=self.unchanged,
            refused=len({error.line for error in self.errors}),
            missing=self.missing,
            left=self.left,
        )

    def count(self, outcome: Imported) -> None:
        """Add one row."""
        if outcome is Imported.CREATED:
            self.created += 1
        elif outcome is Imported.UPDATED:
            self.updated += 1
        else:
            self.unchanged += 1


Progress = Callable[[Report], Awaitable[None]]


@dataclass(slots=True)
class _People:
    """Who is who, by employee id: the rows that are right by themselves, and what the directory holds of them."""

    lines: dict[str, int] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    stored_managers: dict[str, str | None] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # member id → employee id, of stored people
    functions: set[str] = field(default_factory=set)  # that entries and profiles name, or will after this import

    def remember(self, members: Iterable[Member]) -> list[str]:
        """Keep what is known of stored people; returns the managers' member ids that are not known yet."""
        wanted = []
        for member in members:
            self.members[member.employee_id] = member.id
            self.numbers[member.id] = member.employee_id
            self.stored_managers[member.employee_id] = member.directory.manager
            if member.directory.manager:
                wanted.append(member.directory.manager)
        return [each for each in wanted if each not in self.numbers]


async def import_roster(store: Store, tenant: str, path: Path, progress: Progress, wish: Wish = AS_IT_IS) -> Report:
    """Import every row that stands and report why the others do not; a trial only reports.

    Raises:
        RosterError: the file as a whole is not readable, or holds no row; or another import was faster.
    """
    roster, report = Roster(path, (await store.taxonomy_of(tenant)).now, wish.columns), Report()
    people = await _check(store, tenant, roster, report, progress)
    if not people.lines and not report.errors:
        raise RosterError("The file names its columns but holds no people.")
    await _settle_managers(store, tenant, people, report)
    if not wish.trial and not await store.admit_functions(tenant, people.functions):
        raise RosterError("Another import named new functions just now. Import the file again.")
    refused = {error.line for error in report.errors}
    standing = (row for row in roster.rows() if isinstance(row, RosterRow) and row.line not in refused)
    for batch in _batches(standing):
        if wish.trial:
            await _try(store, tenant, batch, people, report)
        else:
            await _write(store, tenant, batch, people, report)
        report.percent = _CHECKING + int((100 - _CHECKING) * roster.share)
        await progress(report)
    await _part_with_leavers(store, tenant, people, report, wish)
    if not wish.trial:
        await store.recount_functions(tenant, people.functions)
    report.errors.sort(key=lambda error: error.line)
    report.percent = 100
    await progress(report)
    return report


async def _check(store: Store, tenant: str, roster: Roster, report: Report, progress: Progress) -> _People:
    people = _People(functions=set((await store.functions_of(tenant)).named))
    for batch in _batches(roster.rows()):
        rows = []
        for item in batch:
            if isinstance(item, RosterRow):
                rows.append(item)
            else:
                report.errors.extend(item)
        stored = await store.by_employee_id(tenant, (row.contact.employee_id for row in rows))
        people.remember(stored.values())
        owners = await store.by_email(tenant, (row.contact.email for row in rows))
        for row in rows:
            problems = [
                *_doubles(row, people, owners.get(row.contact.email)),
                *_too_many(row, people.functions),
                *_no_longer_offered(row, stored.get(row.contact.employee_id), roster.areas),
            ]
            report.errors.extend(problems)
            if not problems:
                people.lines[row.contact.employee_id] = people.emails[row.contact.email] = row.line
                people.managers[row.contact.employee_id] = row.manager_id
                people.functions |= row.functions
        report.percent = int(_CHECKING * roster.share)
        await progress(report)
    return people


def _doubles(row: RosterRow, people: _People, owner: Member | None) -> Iterator[RowError]:
    employee_id, email = row.contact.employee_id, row.contact.email
    if employee_id in people.lines:
        yield RowError(row.line, "employee_id", f"stands on line {people.lines[employee_id]} too; the first one counts")
    if email in people.emails:
        yield RowError(row.line, "email", f"stands on line {people.emails[email]} too; the first one counts")
    elif owner is not None and owner.employee_id != employee_id:
        yield RowError(row.line, "email", "belongs to another person in the directory")


def _too_many(row: RosterRow, functions: set[str]) -> Iterator[RowError]:
    if not has_room(functions, row.functions):
        column = "likes" if has_room(functions, row.functions - {*row.profile.wishes}) else "function"
        reason = f"names a function more than the {MOST_FUNCTIONS} that can be told apart in an organisation"
        yield RowError(row.line, column, reason)


def _no_longer_offered(row: RosterRow, member: Member | None, areas: Areas) -> Iterator[RowError]:
    """Areas that are retired and would be chosen anew; those of somebody who edited their profile are not followed."""
    if member is not None and member.edited:
        return
    before = member.profile if member is not None else Profile()
    for column, named, had in (
        ("offers", row.profile.offers, before.offers),
        ("seeks", row.profile.seeks, before.seeks),
    ):
        for code in sorted(frozenset(named).difference(areas.offered, had)):
            yield RowError(row.line, column, f"names '{code}', which is no longer offered to anybody new")


async def _settle_managers(store: Store, tenant: str, people: _People, report: Report) -> None:
    named = {manager for manager in people.managers.values() if manager and manager not in people.members}
    found = await store.by_employee_id(tenant, named - people.lines.keys())
    above = people.remember(found.values()) + [
        manager for manager in people.stored_managers.values() if manager and manager not in people.numbers
    ]
    while above:  # up the stored chains, one level a round
        above = people.remember((await store.members.find_ids(tenant, above)).values())
    stored = {
        person: None if manager is None else people.numbers.get(manager)
        for person, manager in people.stored_managers.items()
    }
    for person, reason in unfit_managers(people.managers, stored).items():
        report.errors.append(RowError(people.lines[person], "manager_id", reason))
    for person in people.lines:
        people.members.setdefault(person, new_member_id())


async def _part_with_leavers(store: Store, tenant: str, people: _People, report: Report, wish: Wish) -> None:
    """Take out who is missing from the file, if that was asked for, and they are no more than was expected.

    A row that is wrong may be anybody's, so as long as there is one nobody leaves. Whoever has a role stays: nobody is
    to lock themselves out with a file that does not name them.
    """
    missing = await store.missing(tenant, people.lines)
    report.missing = len(missing)
    if report.errors or not 0 < len(missing) <= wish.most_leavers:
        return
    report.left = len(missing)
    if not wish.trial:
        for member in missing:
            await store.change_member(tenant, member, Member.remove)


async def _try(store: Store, tenant: str, rows: list[RosterRow], people: _People, report: Report) -> None:
    """Count what `_write` would do."""
    stored, at = await store.by_employee_id(tenant, (row.contact.employee_id for row in rows)), clock.timestamp()
    for row in rows:
        member = stored.get(row.contact.employee_id)
        manager = people.members[row.manager_id] if row.manager_id else None
        report.count(Imported.CREATED if member is None else member.import_row(row, manager, at))


async def _write(store: Store, tenant: str, rows: list[RosterRow], people: _People, report: Report) -> None:
    stored, at = await store.by_employee_id(tenant, (row.contact.employee_id for row in rows)), clock.timestamp()
    fresh: dict[str, RosterRow] = {}
    new: list[Member] = []
    for row in rows:
        manager = people.members[row.manager_id] if row.manager_id else None
        if (member := stored.get(row.contact.employee_id)) is None:
            created = Member.from_row(people.members[row.contact.employee_id], tenant, row, manager, at)
            fresh[created.id] = row
            new.append(created)
        elif member.import_row(row, manager, at) is Imported.UNCHANGED:  # on a copy that is thrown away
            report.count(Imported.UNCHANGED)
        else:
            try:
                report.count(await store.change_member(tenant, member.id, _importing(row, manager, at)))
            except AlreadyExistsError:
                report.errors.append(RowError(row.line, "email", _TAKEN))
    taken = await store.members.insert_many(new)
    for created_id, row in fresh.items():
        if created_id in taken:
            report.errors.append(RowError(row.line, "employee_id", _TAKEN))
        else:
            report.count(Imported.CREATED)


def _importing(row: RosterRow, manager: str | None, at: str) -> Callable[[Member], Imported]:
    return lambda member: member.import_row(row, manager, at)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
