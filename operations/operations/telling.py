"""Answers of services as tables and sentences for people."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from operations.asking import Answer

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_WIDE: Final = 240  # columns where there is no terminal to fit into
Line = str | Table


def tell(lines: Iterable[Line]) -> None:
    """Print them; sentences are never broken, so that they can be searched for."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE
    for line in lines:
        console.print(line, soft_wrap=isinstance(line, str))


def lag(answers: Sequence[Answer]) -> Iterator[Line]:
    """A row a group, and one for each partition that has something before it."""
    groups = [group for answer in answers for group in answer["groups"]]
    if not groups:
        yield "There is no consumer group to ask about."
        return
    table = _table("group", "partition", "committed", "end", "lag", "oldest waits", "members")
    for group in groups:
        members = str(group["members"]) if group["members"] else "nobody reads"
        table.add_row(group["group"], "", "", "", str(group["lag"]), _age(group["seconds"]), members)
        for each in group["partitions"]:
            if each["lag"]:
                committed = "nothing" if each["committed"] is None else str(each["committed"])
                place = f"{each['topic']}/{each['partition']}"
                table.add_row("", place, committed, str(each["end"]), str(each["lag"]), _age(each["seconds"]), "")
    yield table
    if not any(group["lag"] for group in groups):
        yield "Every group is at the end of its topics."


def pending(answers: Sequence[Answer]) -> Iterator[Line]:
    """A row a document, oldest first."""
    documents = [(answer["service"], each) for answer in answers for each in answer["documents"]]
    if not documents:
        yield "No document owes anything."
        return
    table = _table("service", "document", "owes since", "owner", "owner was seen", "events", "work")
    for service, each in sorted(documents, key=lambda pair: -float(pair[1]["seconds"])):
        seen = each["owner_seen_seconds_ago"]
        table.add_row(
            service,
            f"{each['collection']}/{each['id']}",
            _age(each["seconds"]),
            each["owner"] or "nobody",
            "never" if seen is None else f"{_age(seen)} ago",
            str(len(each["entries"])),
            ", ".join(each["work"]),
        )
    yield table
    total = sum(answer["total"] for answer in answers)
    if total > len(documents):
        yield f"These are the oldest {len(documents)} of {total}."


def parked(answers: Sequence[Answer]) -> Iterator[Line]:
    """A row a key."""
    keys = [key for answer in answers for key in answer["keys"]]
    if not keys:
        yield "No key is parked."
        return
    table = _table("group", "topic", "key", "behind", "because", "waiting", "since")
    for key in keys:
        head = key["head"] or "nothing"
        table.add_row(key["group"], key["topic"], key["key"], head, key["reason"], str(key["behind"]), key["since"])
    yield table


def why(answers: Sequence[Answer]) -> Iterator[Line]:
    """Where the event is, and a sentence a group."""
    found = [answer for answer in answers if answer["found"]]
    # Where it is still on its topic says more than where only a letter holds it.
    found.sort(key=lambda answer: not answer["found"]["on_topic"])
    for answer in found[:1] or [each for each in answers if each["owed"]]:
        yield answer["sentence"]
    if not found and not any(answer["owed"] for answer in answers):
        yield "No service knows this event: it is on no topic and in no dead letter, and no document owes it."
        return
    groups = [group for answer in found for group in answer["groups"]]
    table = _table("group", "fate", "why")
    for group in groups:
        table.add_row(group["group"], group["fate"], group["sentence"])
    if groups:
        yield table
    elif found:
        yield "No consumer group reads its topic."


def letters(answers: Sequence[Answer]) -> Iterator[Line]:
    """A row a letter."""
    found = _all(answers, "letters")
    if found:
        yield _letters(found)
    else:
        yield "There are no dead letters that nobody has dealt with."


def details(answers: Sequence[Answer]) -> Iterator[Line]:
    """Everything about each letter."""
    found = _all(answers, "letters")
    if not found:
        yield "There are no dead letters that nobody has dealt with."
    for letter in found:
        yield f"{letter['group']}  {letter['place']}  key {letter['key'] or 'none'}"
        yield f"  {_reason(letter)}; attempts: {letter['attempts']}; dead since {letter['at']}"
        size = "no body" if letter["bytes"] is None else f"{letter['bytes']} bytes"
        yield f"  {size}"
        for name, text in letter["headers"]:
            yield f"  {name}: {text}"
        if "payload" in letter:
            yield f"  {letter['payload']}"


def redrive(answers: Sequence[Answer]) -> Iterator[Line]:
    """What would be done, or what was."""
    plan = _all(answers, "letters")
    if plan:
        yield f"This would hand {_count(plan, 'letter')} to the handlers again, in this order:"
        yield _letters(plan)
        yield "Nothing is done yet: add --yes."
        return
    if not any(answer["done"] for answer in answers):
        yield "There are no such dead letters."
        return
    yield f"{_count(_all(answers, 'handled'), 'letter')} handled, {_count(_all(answers, 'released'), 'key')} released."
    for letter in _all(answers, "failed"):
        yield f"{letter['place']} failed again: {letter['problem']}. It stays, and so does what waits behind it."
    for answer in answers:
        if answer.get("interrupted"):
            yield f"{answer['service']} stopped before the rest: {answer['interrupted']}."


def discard(answers: Sequence[Answer]) -> Iterator[Line]:
    """What would be given up, or what was."""
    found = _all(answers, "discarded")
    if not found:
        yield "There are no such dead letters."
    elif any(answer["done"] for answer in answers):
        yield f"{_count(found, 'letter')} given up, {_count(_all(answers, 'released'), 'key')} released."
        yield "What waited behind is handed on by: turnabout dead redrive."
    else:
        yield f"This would give up {_count(found, 'letter')}, which then never has an effect:"
        yield _letters(found)
        yield "Nothing is done yet: add --yes."


def _all(answers: Sequence[Answer], name: str) -> list[Any]:
    return [each for answer in answers for each in answer.get(name) or ()]


def _letters(found: Sequence[Any]) -> Table:
    table = _table("group", "place", "key", "reason", "attempts", "since")
    for letter in found:
        table.add_row(
            letter["group"],
            letter["place"],
            letter["key"] or "none",
            _reason(letter),
            str(letter["attempts"]),
            letter["at"],
        )
    return table


def _reason(letter: Any) -> str:
    return f"{letter['reason']}: {letter['error']}" if letter["error"] else str(letter["reason"])


def _table(*names: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _count(found: Sequence[Any], noun: str) -> str:
    return f"{len(found)} {noun}" if len(found) == 1 else f"{len(found)} {noun}s"


def _age(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
