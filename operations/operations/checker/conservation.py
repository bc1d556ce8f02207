"""Conservation (I7): every record that a group has passed has an outcome, and offsets run ahead of none."""

from collections import Counter
from collections.abc import Iterable, Iterator

from operations.checker.evidence import Evidence, Said, of_group, of_record, of_said
from operations.checker.model import Breach, Consumption, Item, TopicRecord
from operations.checker.topology import Subscription


def check(evidence: Evidence) -> Iterable[Breach]:
    """Offsets against effects, letters and counters."""
    subscriptions = {(each.group, each.topic): each for each in evidence.topology.subscriptions}
    for consumption in evidence.consumption:
        subscription = subscriptions.get((consumption.group, consumption.topic))
        if subscription is not None:
            yield from _offsets(evidence, consumption)
            yield from _passed(evidence, subscription, consumption)
    yield from _counters(evidence)


def _offsets(evidence: Evidence, consumption: Consumption) -> Iterator[Breach]:
    place = (consumption.topic, consumption.partition)
    committed, bounds = consumption.committed, evidence.bounds.get(place)
    if bounds is None:
        return
    if committed is not None and committed > bounds.end:
        note = f"committed {committed}, the partition ends at {bounds.end}"
        witness = (of_group(consumption.group, place, note),)
        yield Breach(
            "I7", "beyond-end", "An offset is committed that does not exist yet: its record will be skipped.", witness
        )
    elif evidence.settled and (committed or 0) < bounds.end:
        waiting = [each for each in evidence.by_partition.get(place, []) if each.offset >= (committed or 0)]
        if waiting:
            note = f"committed {committed}, the partition ends at {bounds.end}"
            witness = (of_group(consumption.group, place, note),)
            yield Breach("I7", "behind", "Everything had its time, and records wait to be read.", witness)


def _passed(evidence: Evidence, subscription: Subscription, consumption: Consumption) -> Iterator[Breach]:
    """Each record below the committed offset has an effect, a letter, or a reason to be skipped."""
    place = (consumption.topic, consumption.partition)
    behind: set[str] = set()
    for record in evidence.by_partition.get(place, []):
        if record.offset >= (consumption.committed or 0) or evidence.excused(subscription, record):
            continue
        said = evidence.said.get((*place, record.offset))
        if said is None:
            if (subscription.group, *place, record.offset) not in evidence.dead:
                yield _unaccounted(
                    "skipped", "A record that can't be read was passed over without a letter.", subscription, record
                )
        elif subscription.fences and said.key not in behind and _unapplied(evidence, subscription, said):
            behind.add(said.key)
            summary = f"{subscription.group} has committed past an event that it never applied."
            yield _unaccounted("unaccounted", summary, subscription, said)


def _unaccounted(rule: str, summary: str, subscription: Subscription, found: TopicRecord | Said) -> Breach:
    item = of_said(found) if isinstance(found, Said) else of_record(found)
    record = found.record if isinstance(found, Said) else found
    group = of_group(subscription.group, record.place, f"committed past {record.offset}")
    return Breach("I7", rule, summary, (item, group))


def _unapplied(evidence: Evidence, subscription: Subscription, said: Said) -> bool:
    if subscription.service not in evidence.services or not evidence.handles(subscription, said):
        return False
    applied, document = evidence.fence(subscription, said.key)
    first = min(each.sequence for each in evidence.by_key[said.record.topic, said.key])
    begun = first == 1 or evidence.bounds[said.record.place].start == 0
    return applied < said.sequence and (begun or document is not None)


# --- counters -----------------------------------------------------------------------------------------------------


def _counters(evidence: Evidence) -> Iterator[Breach]:
    by_group: dict[str, list[Consumption]] = {}
    for consumption in evidence.consumption:
        by_group.setdefault(consumption.group, []).append(consumption)
    for group, parts in by_group.items():
        if all(part.outcomes is not None for part in parts):
            yield from _counted(evidence, group, parts)


def _counted(evidence: Evidence, group: str, parts: list[Consumption]) -> Iterator[Breach]:
    outcomes: Counter[str] = Counter()
    for part in parts:
        outcomes.update(part.outcomes or {})
    passed = sum(
        record.offset < (part.committed or 0)
        for part in parts
        for record in evidence.by_partition.get((part.topic, part.partition), [])
    )
    told = ", ".join(f"{count} {name}" for name, count in outcomes.items() if count)
    if all(part.consumed is not None for part in parts):
        consumed = sum(part.consumed or 0 for part in parts)
        if consumed != outcomes.total():
            witness = (Item("group", group, f"{consumed} consumed: {told or 'no outcome'}"),)
            yield Breach("I7", "not-conserved", "Records went in and came to no outcome, or came to two.", witness)
            return
    if outcomes.total() < passed and not any(part.restarts is None for part in parts):
        witness = (Item("group", group, f"{passed} passed: {told or 'no outcome'}"),)
        yield Breach("I7", "not-conserved", "More records were passed than came to an outcome.", witness)
    buried = len({letter.origin for letter in evidence.letters if letter.group == group})
    if outcomes["deadletter"] + outcomes["parked"] > buried + _again(parts, buried):
        witness = (Item("group", group, f"{told}; {buried} letters on its topics"),)
        yield Breach("I8", "letter-missing", "A record was counted as a dead letter, and there is none.", witness)


def _again(parts: list[Consumption], buried: int) -> int:
    """How many letters may have been counted anew because their record was read again."""
    restarts = [part.restarts for part in parts]
    return buried * sum(each for each in restarts if each is not None) if None not in restarts else buried
