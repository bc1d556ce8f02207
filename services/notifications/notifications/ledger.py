"""The ledger of mails: each is claimed under an id of its own before it is handed over.

    (none) ──> claimed ──> sent | refused        the mail server answered
                  └──────> waiting ──> claimed   it said "not now": the mail was certainly not taken
                  └──────> unknown               the claim outlived its process: the mail may have been taken
    (none) ──> moot | no-address | switched-off  nothing was handed over; so may what waited end

A claim that is found is never sent again: between losing a mail at a crash, in the milliseconds between the last
line of a mail and the server's answer, and sending it twice, the inbox makes the loss the lesser harm. The exception
is a claim of this very process whose storing failed with a fault: nothing was handed over, whatever was stored.
"""

from enum import StrEnum
from typing import Final

from chassis.errors import TransientError
from chassis.ids import new_id
from chassis.state.mongo import Collection

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
    SWITCHED_OFF = "switched-off"
    """The member wants no mail of this kind."""


TO_DO: Final = frozenset({None, Fate.WAITING})


class Ledger:
    """What became of every mail, by the notice that it is about."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._process = new_id()
        self._unused: set[str] = set()
        """Notices whose claim may have been stored, and certainly was not used."""

    async def fate(self, tenant: str, notice: str) -> Fate | None:
        """What became of a mail; none when nothing was tried."""
        found = await self._collection.find_one(tenant, {"_id": _id(notice)})
        if found is None:
            return None
        fate = Fate(found["fate"])
        unused = fate is Fate.CLAIMED and found["by"] == self._process and notice in self._unused
        return Fate.WAITING if unused else fate

    async def claim(self, tenant: str, notice: str) -> bool:
        """Take a mail for this process; False when somebody else did.

        Raises:
            TransientError: the database is away; the claim may be stored, and is good for another try.
        """
        try:
            if not await self._enter(tenant, notice, Fate.CLAIMED) and not await self._retake(tenant, notice):
                return False
        except TransientError:
            self._unused.add(notice)
            raise
        self._unused.discard(notice)
        return True

    async def settle(self, tenant: str, notice: str, fate: Fate) -> None:
        """Write down what became of a mail, claimed or never tried."""
        for before in (Fate.CLAIMED, Fate.WAITING):
            if await self._turn(notice, before, fate):
                return
        await self._enter(tenant, notice, fate)

    async def _retake(self, tenant: str, notice: str) -> bool:
        """Take what waits, or what this process claimed before and could not use."""
        if await self._turn(notice, Fate.WAITING, Fate.CLAIMED):
            return True
        return await self.fate(tenant, notice) is Fate.WAITING

    async def _enter(self, tenant: str, notice: str, fate: Fate) -> bool:
        entry = {"_id": _id(notice), "tenant": tenant, **self._now(fate)}
        return not await self._collection.insert_many([entry])

    async def _turn(self, notice: str, before: Fate, after: Fate) -> bool:
        guard = {"_id": _id(notice), "fate": before.value}
        return bool(await self._collection.update(guard, {"$set": self._now(after)}))

    def _now(self, fate: Fate) -> dict[str, str]:
        return {"fate": fate.value, "at": clock.timestamp(), "by": self._process}


def _id(notice: str) -> str:
    return f"mail:{notice}"
