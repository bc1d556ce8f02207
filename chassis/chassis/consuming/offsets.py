"""Offsets: how far each partition may be committed while some of its records still wait for their outcome."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from chassis.consuming.records import Record

Place = tuple[str, int]  # topic, partition


@dataclass(frozen=True, slots=True)
class _Broken:
    """The first record of a key that broke off, and why."""

    place: Place
    offset: int
    why: str


class Offsets:
    """Of one consumer group's member; nearly every record has its outcome by the end of its batch."""

    def __init__(self) -> None:
        self._next: dict[Place, int] = {}
        """Behind the last record of the batches that are through."""
        self._aside: dict[Place, set[int]] = {}
        """Being worked on past the end of their batch."""
        self._broken: dict[Place, set[int]] = {}
        """Broken off; they come again once the partition has been set back."""
        self._firsts: dict[bytes | None, _Broken] = {}
        """The first of them of each key, which stands still until then."""
        self._set_back: dict[Place, int] = {}
        self._why = ""
        self._changed: set[Place] = set()

    def set_back(self, places: Mapping[Place, int]) -> None:
        """The partitions are fetched from these offsets on again."""
        self._set_back |= places

    def take(self, records: Sequence[Record]) -> None:
        """A batch begins: what broke off gets another chance where the partition was set back.

        Whatever stood there comes again or has been compacted away, so nothing waits for one particular record.
        """
        if not self._set_back:
            return
        for place, first in firsts(records).items():
            if (start := self._set_back.pop(place, None)) is not None:
                self._next[place] = first
                self._broken[place] = {each for each in self._broken.get(place, ()) if each < start}
                self._firsts = {
                    key: each for key, each in self._firsts.items() if each.place != place or each.offset < start
                }

    def through(self, records: Iterable[Record]) -> None:
        """A batch is through; those of its records that are not done have been set aside, or broke off."""
        behind = {(record.topic, record.partition): record.offset + 1 for record in records}
        self._next |= behind
        self._changed |= behind.keys()

    def pass_over(self, place: Place, offset: int) -> None:
        """The partition goes on at this offset: what stands before it is not handed to anybody."""
        self._next[place] = offset

    def set_aside(self, record: Record) -> None:
        """The record gets its outcome later."""
        self._aside.setdefault((record.topic, record.partition), set()).add(record.offset)

    def done(self, record: Record) -> None:
        """A record that was set aside has its outcome."""
        _discard(self._aside, record)
        self._changed.add((record.topic, record.partition))

    def break_off(self, lane: Sequence[Record], why: str) -> None:
        """These records of one key get no outcome for the time being, whether they had been set aside or not."""
        first = lane[0]
        self._firsts[first.key] = _Broken((first.topic, first.partition), first.offset, why)
        self._break_off(lane, why)

    def stays_broken(self, lane: Sequence[Record]) -> bool:
        """Whether a record before these broke off, perhaps after they were fetched; then they do so too."""
        first = self._firsts.get(lane[0].key)
        if first is None:
            return False
        self._break_off(lane, first.why)
        return True

    def _break_off(self, lane: Sequence[Record], why: str) -> None:
        for record in lane:
            _discard(self._aside, record)
            self._broken.setdefault((record.topic, record.partition), set()).add(record.offset)
        self._why = why

    @property
    def broken_keys(self) -> AbstractSet[bytes | None]:
        """The keys that stand still."""
        return self._firsts.keys()

    def why_broken(self) -> str:
        """Why something broke off since the last call; empty if nothing did."""
        why, self._why = self._why, ""
        return why

    def forget(self, places: Collection[Place]) -> None:
        """The partitions come anew, from wherever the group has committed them by now."""
        for place in places:
            for known in (self._next, self._aside, self._broken, self._set_back):
                known.pop(place, None)
        self._firsts = {key: first for key, first in self._firsts.items() if first.place not in places}

    def committable(self) -> dict[Place, int]:
        """The offsets to commit where something changed since the last call."""
        changed, self._changed = self._changed, set()
        found = {}
        for place in changed & self._next.keys():
            waiting = [*self._aside.get(place, ()), *self._broken.get(place, ())]
            found[place] = min(waiting) if waiting else self._next[place]
        return found

    def reached(self) -> dict[Place, int]:
        """The record of each partition that is the next to be handed out, as far as any has been."""
        return self._next | self.again()

    def again(self) -> dict[Place, int]:
        """The first record of each partition that has to be fetched again."""
        return {place: min(offsets) for place, offsets in self._broken.items() if offsets}


def _discard(known: dict[Place, set[int]], record: Record) -> None:
    place = record.topic, record.partition
    if offsets := known.get(place):
        offsets.discard(record.offset)
        if not offsets:
            del known[place]


def firsts(records: Sequence[Record]) -> dict[Place, int]:
    """The first offset of each partition; records of one partition stand in order."""
    found: dict[Place, int] = {}
    for record in records:
        found.setdefault((record.topic, record.partition), record.offset)
    return found
