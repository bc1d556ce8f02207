"""Members, their functions, the taxonomy, imports and signing keys in this service's database."""

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self, TypeVar

from chassis.delivery import Delivery
from chassis.state.documents import AlreadyExistsError, Documents
from chassis.state.mongo import IN_LIMIT, Index

from profiles.domain import Member
from profiles.functions import Functions
from profiles.keys import KeySet
from profiles.rosters.columns import Columns
from profiles.rosters.jobs import ImportJob, JobStatus
from profiles.taxonomy.document import Taxonomy

R = TypeVar("R")

_PORTION: Final = 100_000
_MOST_IMPORTS: Final = 5_000
MEMBER_INDEXES: Final = (
    Index((("tenant", 1), ("email", 1)), unique=True),
    Index((("tenant", 1), ("employee_id", 1)), unique=True),
    Index((("tenant", 1), ("directory.function", 1))),
    Index((("tenant", 1), ("profile.wishes", 1))),
    Index((("tenant", 1), ("profile.offers", 1))),
    Index((("tenant", 1), ("profile.seeks", 1))),
)


@dataclass(frozen=True, slots=True)
class Store:
    """What the service may ask of its database."""

    members: Documents[Member]
    functions: Documents[Functions]
    taxonomies: Documents[Taxonomy]
    imports: Documents[ImportJob]
    keys: Documents[KeySet]

    @classmethod
    def on(cls, delivery: Delivery) -> Self:
        """The collections, registered with the process's delivery."""
        return cls(
            members=delivery.documents(Member, "members", indexes=MEMBER_INDEXES),
            functions=delivery.documents(Functions, "functions"),
            taxonomies=delivery.documents(Taxonomy, "taxonomies"),
            imports=delivery.documents(ImportJob, "imports", indexes=[Index((("tenant", 1),))]),
            keys=delivery.documents(KeySet, "keys"),
        )

    async def by_email(self, tenant: str, emails: Iterable[str]) -> dict[str, Member]:
        """Members by their address in lower case."""
        return {member.email: member for member in await self._by(tenant, "email", emails)}

    async def by_employee_id(self, tenant: str, employee_ids: Iterable[str]) -> dict[str, Member]:
        """Members by their number in the organisation."""
        return {member.employee_id: member for member in await self._by(tenant, "employee_id", employee_ids)}

    async def present(self, tenant: str, ids: Sequence[str]) -> list[Member]:
        """The members of these ids who were not removed, in the order asked for."""
        found = await self.members.find_ids(tenant, ids)
        return [found[each] for each in dict.fromkeys(ids) if each in found and not found[each].removed]

    async def missing(self, tenant: str, known: Container[str]) -> list[str]:
        """Ids of members without a role whose employee numbers are not among the known ones."""
        gone: list[str] = []
        for begin, end in pairwise(("", *"123456789abcdef", "~")):  # ids are random: portions of about the same size
            found = await self.members.find(tenant, {"_id": {"$gte": begin, "$lt": end}}, limit=_PORTION)
            gone += [each.id for each in found if not each.removed and not each.roles and each.employee_id not in known]
        return gone

    async def imports_of(self, tenant: str, count: int) -> list[ImportJob]:
        """The newest imports."""
        found = await self.imports.find(tenant, {}, limit=_MOST_IMPORTS)
        return sorted(found, key=lambda job: job.started_at, reverse=True)[:count]

    async def columns_chosen(self, tenant: str, header: tuple[str, ...]) -> Columns | None:
        """What was chosen last for a file with this first line."""
        done = {"wish.columns.header": list(header), "status": JobStatus.DONE.value}
        found = await self.imports.find(tenant, done, limit=_MOST_IMPORTS)
        return max(found, key=lambda job: job.started_at).wish.columns if found else None

    async def functions_of(self, tenant: str) -> Functions:
        """The functions of a tenant, as of its last import."""
        return await self.functions.get(tenant, tenant) or Functions.none_yet(tenant)

    async def admit_functions(self, tenant: str, functions: Collection[str]) -> bool:
        """Count more functions; False when there is no room for all of them."""
        return await self.functions.change(
            tenant, tenant, lambda each: each.admit(functions), create=lambda: Functions.none_yet(tenant)
        )

    async def recount_functions(self, tenant: str, named: Iterable[str]) -> None:
        """Look which functions somebody has or wishes for, among those known and those that an import named."""
        known = sorted((await self.functions_of(tenant)).named.union(named))
        held = [code for code in known if await self.members.find(tenant, {"directory.function": code}, limit=1)]
        wished = [
            code
            for code in known
            if code not in held and await self.members.find(tenant, {"profile.wishes": code}, limit=1)
        ]
        await self.functions.change(
            tenant, tenant, lambda each: each.recount(held, wished), create=lambda: Functions.none_yet(tenant)
        )

    async def taxonomy_of(self, tenant: str) -> Taxonomy:
        """The taxonomy of a tenant; whoever asks first makes it."""
        if found := await self.taxonomies.get(tenant, tenant):
            return found
        with suppress(AlreadyExistsError):  # somebody else asked at the same moment
            await self.taxonomies.insert(Taxonomy.starter(tenant))
        return await self.taxonomies.load(tenant, tenant)

    async def change_taxonomy(self, tenant: str, decide: Callable[[Taxonomy], R]) -> R:
        """Change the taxonomy in one compare-and-set."""
        return await self.taxonomies.change(tenant, tenant, decide, create=lambda: Taxonomy.starter(tenant))

    async def naming(self, tenant: str, area: str) -> tuple[int, int]:
        """How many profiles offer an area now, and how many seek it."""
        offered, sought = await asyncio.gather(
            *(self.members.count(tenant, {f"profile.{side}": area}) for side in ("offers", "seeks"))
        )
        return offered, sought

    async def change_member(
        self, tenant: str, member: str, decide: Callable[[Member], R], *, if_match: str | None = None
    ) -> R:
        """Change one member in one compare-and-set."""
        return await self.members.change(tenant, member, decide, if_match=if_match)

    async def _by(self, tenant: str, field: str, values: Iterable[str]) -> list[Member]:
        unique = list(dict.fromkeys(values))
        found: list[Member] = []
        for start in range(0, len(unique), IN_LIMIT):
            chunk = unique[start : start + IN_LIMIT]
            found += await self.members.find(tenant, {field: {"$in": chunk}}, limit=IN_LIMIT)
        return found
