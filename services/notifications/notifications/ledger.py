"""The ledger of mails: each is claimed under an id of its own before it is handed over.

    (none) ──> claimed ──> sent | refused        the mail server answered
                  └──────> waiting ──> claimed   it said "not now": the mail was certainly not taken
                  └──────> unknown               the claim outlived its process: the mail may have been taken
    (none) ──> moot | no-address                 nothing was handed over

A claim that is found is never sent again: between losing a mail at a crash, in the milliseconds between the last
line of a mail and the server's answer, and sending it twice, the inbox makes the loss the lesser harm.
"""

from enum import StrEnum
from typing import Final

from chassis.mongo import Collection

from chassis import clock


class Fate(StrEnum):
    """What became of a mail."""

    CLAIMED = "claimed"
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    MOOT = "moot"
    NO_ADDRESS = "no-address"


TO_DO: Final = frozenset({None, Fate.WAITING})


class Ledger:
    """What became of every mail, by the notice that it is about."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def fate(self, tenant: str, notice: str) -> Fate | None:
        """What became of a mail; none when nothing was tried."""
        found = await self._collection.find_one(tenant, {"_id": _id(notice)})
        return None if found is None else Fate(found["fate"])

    async def claim(self, tenant: str, notice: str) -> bool:
        """Take a mail for this process; False when somebody else did."""
        if await self._enter(tenant, notice, Fate.CLAIMED):
            return True
        return await self._turn(notice, Fate.WAITING, Fate.CLAIMED)

    async def settle(self, tenant: str, notice: str, fate: Fate) -> None:
        """Write down what became of a mail, claimed or never tried."""
        if not await self._turn(notice, Fate.CLAIMED, fate):
            await self._enter(tenant, notice, fate)

    async def _enter(self, tenant: str, notice: str, fate: Fate) -> bool:
        entry = {"_id": _id(notice), "tenant": tenant, "fate": fate.value, "at": clock.timestamp()}
        return not await self._collection.insert_many([entry])

    async def _turn(self, notice: str, before: Fate, after: Fate) -> bool:
        now = {"$set": {"fate": after.value, "at": clock.timestamp()}}
        return bool(await self._collection.update({"_id": _id(notice), "fate": before.value}, now))


def _id(notice: str) -> str:
    return f"mail:{notice}"
