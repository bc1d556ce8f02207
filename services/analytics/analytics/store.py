"""Rows, one an aggregate, and the reports published from them."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from chassis.delivery import Delivery
from chassis.state.mongo import Index

from analytics.disclosure import Figure, Report, Table
from analytics.measures import Cell
from analytics.months import Period
from analytics.standing import Asked, Time, Times

Row = dict[str, Any]

MENTORSHIPS: Final = "mentorships"
DIRECTORY: Final = "directory"
KINDS: Final = (MENTORSHIPS, DIRECTORY)
_ALL: Final = 10_000_000
_BY_TENANT: Final = (Index((("tenant", 1),)),)


class Store:
    """The database of analytics."""

    def __init__(self, delivery: Delivery) -> None:
        self._rows = {kind: delivery.collection(kind, _BY_TENANT) for kind in KINDS}
        self._reports = delivery.collection("reports", (Index((("tenant", 1), ("period", 1)), unique=True),))
        self.tenants: set[str] = set()  # seen by this process; only decides when a report is made unasked

    async def save(self, kind: str, rows: Sequence[Row]) -> None:
        """Write rows in one round trip; a row that is stored with the same or a newer sequence stays."""
        self.tenants.update(row["tenant"] for row in rows)
        await self._rows[kind].replace_newest(rows)

    async def rows(self, kind: str, tenant: str) -> list[Row]:
        """Every living row of a tenant."""
        return living(await self._rows[kind].find(tenant, {}, limit=_ALL))

    async def everything(self, kind: str) -> list[Row]:
        """Every row of every tenant, markers of gone ones included: for rebuilding."""
        return await self._rows[kind].sweep({}, limit=_ALL)

    async def replace(self, kind: str, old: Row, new: Row | None) -> None:
        """Put a rebuilt row in place of the stored one, unless that has changed since it was read."""
        await self._rows[kind].delete(old["tenant"], {"_id": old["_id"], "sequence": old["sequence"]})
        if new is not None:
            await self._rows[kind].replace_newest([new])

    async def forget_markers(self, tenant: str, before: str) -> None:
        """Drop the markers of rows that have been gone since before a day."""
        for collection in self._rows.values():
            await collection.delete(tenant, {"gone": True, "gone_on": {"$lt": before}})

    async def remember_tenants(self) -> None:
        """Learn which tenants there are, once at start; later ones come with their events."""
        found = await self._rows[DIRECTORY].sweep({}, limit=_ALL, projection={"tenant": 1})
        self.tenants.update(row["tenant"] for row in found)

    async def reports(self, tenant: str) -> list[Report]:
        """Every published report, oldest first."""
        return sorted(map(_report, await self._reports.find(tenant, {}, limit=_ALL)), key=lambda each: each.period)

    async def publish(self, tenant: str, report: Report) -> bool:
        """Keep a report for ever; False when another replica was first, whose report then stands."""
        return not await self._reports.insert_many([_stored(tenant, report)])


def living(rows: Iterable[Row]) -> list[Row]:
    """Rows without the markers of those that are gone."""
    return [row for row in rows if not row["gone"]]


def fingerprint(kinds: Iterable[tuple[str, Iterable[Row]]]) -> str:
    """SHA-256 over the canonical bytes of all living rows."""
    digest = hashlib.sha256()
    for kind, rows in kinds:
        for row in sorted(living(rows), key=lambda row: str(row["_id"])):
            line = json.dumps([kind, row], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _stored(tenant: str, report: Report) -> Row:
    return {
        "_id": f"{tenant}:{report.period}",
        "tenant": tenant,
        "period": report.period,
        "k": report.k,
        "people": _stored_table(report.people),
        "waiting": _stored_table(report.waiting),
        "held": report.held,
        "cancelled": report.cancelled,
        "asked": asdict(report.asked),
        "times": [[str(cell), asdict(times)] for cell, times in report.times.items()],
    }


def _stored_table(table: Table) -> Row:
    return {
        "figures": [[str(cell), each.shown, each.basis, each.since] for cell, each in table.figures.items()],
        "counts": [[str(cell), count] for cell, count in table.counts.items()],
    }


def _report(raw: Row) -> Report:
    period: Period = raw["period"]
    return Report(
        period=period,
        k=raw["k"],
        people=_table(raw["people"]),
        waiting=_table(raw["waiting"]),
        held=raw["held"],
        cancelled=raw["cancelled"],
        asked=Asked(**raw["asked"]),
        times={Cell.parse(cell): _times(times) for cell, times in raw["times"]},
    )


def _table(raw: Row) -> Table:
    return Table(
        figures={Cell.parse(cell): Figure(*values) for cell, *values in raw["figures"]},
        counts={Cell.parse(cell): count for cell, count in raw["counts"]},
    )


def _times(raw: Row) -> Times:
    return Times(Time(**raw["median"]), Time(**raw["ninetieth"]), raw["since"])
