"""Who the people of a made-up history are: pairs whom the programme proposes, or who find each other by hand."""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import httpx
from contracts.matching import Side

from local.lives import Life, other
from local.members import Member, member
from local.people import DEMO

_STAYS: Final = timedelta(days=8)
"""How long a proposal has to stay open for an answer at the next stop."""
_OFFERED: Final = re.compile(r'name="member" value="([^"]+)"')


@dataclass(slots=True)
class Pair:
    """Two people who live one life, and the day of the session that they arranged last."""

    life: Life
    id: str
    people: dict[Side, Member]
    day: str = ""


@dataclass(slots=True)
class Cast:
    """Everybody who can be in a pair, in an order that the seed settles; each is in one pair only."""

    address: str
    ids: Mapping[str, str]
    """Address by member."""
    programme: str
    order: Sequence[str]
    sides: Mapping[str, frozenset[Side]]
    """On which sides somebody could be, by address."""
    _taken: set[str] = field(default_factory=set)
    _signed_in: dict[str, Member] = field(default_factory=dict)

    @classmethod
    def of(
        cls, address: str, ids: Mapping[str, str], programme: str, roster: Iterable[Mapping[str, str]], seed: int
    ) -> "Cast":
        """The demo's junior and director first: the first life is theirs."""
        sides = {
            row["email"]: frozenset(
                side for side, has in ((Side.MENTOR, row["offers"]), (Side.MENTEE, row["seeks"])) if has
            )
            for row in roster
            if row["enrolled"] == "yes"
        }
        first = [person.email for person in DEMO if person.email in sides]
        rest = sorted(email for email in sides if email not in first)
        random.Random(seed).shuffle(rest)  # noqa: S311 - repeatable, not secret
        return cls(address, ids, programme, first + rest, sides)

    async def member(self, email: str) -> Member:
        """Somebody, signed in once: a session outlasts every jump of the clock."""
        if email not in self._signed_in:
            self._signed_in[email] = await member(self.address, email)
        return self._signed_in[email]

    async def find(self, life: Life, now: datetime) -> Pair | None:
        """Two people for a life; none when nobody free is left whom the rules allow."""
        for email in self.order:
            if email in self._taken or life.asked_by not in {None, *self.sides[email]}:
                continue
            somebody = await self.member(email)
            if life.asked_by is None:
                pair = await self._proposed(life, somebody, now)
            else:
                pair = await self._asking(life, somebody, life.asked_by)
            if pair is not None:
                self._taken |= {each.email for each in pair.people.values()}
                return pair
        return None

    def let_go(self, pair: Pair) -> None:
        """What the two had is over before it began, so each may be in another pair."""
        self._taken -= {each.email for each in pair.people.values()}

    async def close(self) -> None:
        """Close every connection."""
        for each in self._signed_in.values():
            await each.client.aclose()

    async def _proposed(self, life: Life, somebody: Member, now: datetime) -> Pair | None:
        """A proposal of theirs that nobody has answered, with somebody who is free too."""
        free = [
            each
            for each in await somebody.proposals()
            if each["status"] == "proposed"
            and datetime.fromisoformat(each["expires_at"]) > now + _STAYS
            and self._free(each[other(Side(each["you"])).value])
        ]
        # Between two of the demo's people if it can be: whoever signs in as one finds the other.
        free.sort(key=lambda each: self._place(each[other(Side(each["you"])).value]))
        for each in free:
            pair = Pair(life, each["id"], {side: await self.member(self.ids[each[side.value]]) for side in Side})
            if life.first_yes is None or await _says_yes(pair.people[life.first_yes], pair.id):
                return pair
        return None

    async def _asking(self, life: Life, somebody: Member, side: Side) -> Pair | None:
        """They look for somebody by themselves, and ask the first who is free."""
        look = {"as": side.value, "programme": self.programme}
        page = (await somebody.client.get("/discover", params=look)).raise_for_status().text
        them = next((each for each in _OFFERED.findall(page) if self._free(each)), None)
        if them is None:
            return None
        await somebody.submit("/discover", look | {"member": them})
        asked = [each for each in await somebody.proposals() if each[other(side).value] == them]
        # The engine may have proposed the two at the same moment: then the request is refused, and this is their yes.
        if not asked or not await _says_yes(somebody, asked[0]["id"]):
            return None
        return Pair(life, asked[0]["id"], {side: somebody, other(side): await self.member(self.ids[them])})

    def _free(self, who: str) -> bool:
        return who in self.ids and self.ids[who] in self.order and self.ids[who] not in self._taken

    def _place(self, who: str) -> int:
        return self.order.index(self.ids[who])


async def _says_yes(somebody: Member, proposal: str) -> bool:
    """Whether they still could: until the first yes a proposal may give way to a better one."""
    try:
        await somebody.accept(proposal)
    except httpx.HTTPStatusError as refusal:
        if refusal.response.status_code == httpx.codes.CONFLICT:
            return False
        raise
    return True
