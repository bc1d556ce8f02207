"""How one process publishes: read, send, clear, and what follows when somebody else took the document over."""

from collections.abc import Iterator
from itertools import combinations

from relay_model.rules import Bounds, Rules
from relay_model.state import (
    ANSWERED,
    AWAY,
    FAILED,
    LATER,
    NO_HEALING,
    NOT_LEFT,
    NOW,
    Late,
    Log,
    Lot,
    Process,
    Publication,
    Published,
    State,
    healed,
    marked,
    owed,
    replaced,
)

Steps = Iterator[tuple[str, State]]


def steps(rules: Rules, bounds: Bounds, state: State, place: int, who: str) -> Steps:
    """What the relay of one living process may do next."""
    process = state.processes[place]
    if process.doubt is not None:
        yield from _doubt(bounds, state, place, who)
    elif process.publication is None:
        yield from _reading(rules, state, place, who)
    else:
        yield from _sending(rules, state, place, who, process.publication)
    if process.clearing is not None and process.overtaken is None:  # one clearing after the other
        yield from _clearing(rules, state, place, who)
    if process.overtaken is not None:
        yield from _looking(rules, state, place, who)


# --- reading and sending --------------------------------------------------------------------------------------


def _reading(rules: Rules, state: State, place: int, who: str) -> Steps:
    document, process = state.document, state.processes[place]
    if document.owner != process.name or not (process.swept or process.again):
        return
    entries = tuple(
        entry
        for entry in owed(document)
        if (entry, document.healing) not in process.acknowledged
        and (rules.whole_list or document.authors[abs(entry) - 1] == process.name[0])
    )
    if not entries:
        told = Published(document.revision, document.hands)
        if process.clearing != told:
            after = _to_clear(rules, process, told)
            yield f"{who} reads, and all that is owed has been acknowledged", replaced(state, place, after)
        return
    facts, states = tuple(e for e in entries if e > 0), tuple(e for e in entries if e < 0)
    lots = tuple(Lot(part, NOT_LEFT) for part in (facts, states) if part)
    spared = document.heal != NO_HEALING or not document.newest
    publication = Publication(document.revision, document.hands, document.healing, spared, lots)
    yield (
        f"{who} reads {_named(entries)}",
        replaced(state, place, process._replace(publication=publication, again=False)),
    )


def _sending(rules: Rules, state: State, place: int, who: str, publication: Publication) -> Steps:
    if publication.lots[0].stage == NOT_LEFT:
        lots = tuple(Lot(lot.entries, AWAY, publication.before) for lot in publication.lots)
        what = _named(tuple(entry for lot in lots for entry in lot.entries))
        yield f"{who} sends {what}", _with_lots(state, place, publication._replace(before=False), lots)
        return
    for number, lot in enumerate(publication.lots):
        for name, after, lot_after in _fates(state, place, lot):
            lots = (*publication.lots[:number], lot_after, *publication.lots[number + 1 :])
            told = _with_lots(after, place, publication, lots)
            if all(each.stage in {ANSWERED, FAILED} for each in lots):
                told = _finished(rules, told, place, publication._replace(lots=lots))
            yield f"{name} ({who}'s {_named(lot.entries)})", told


def _fates(state: State, place: int, lot: Lot) -> Iterator[tuple[str, State, Lot]]:
    """What may happen to a lot that is away.

    The answer comes with the arrival: until the process acts on it nobody sees the difference, and a process that
    dies in between forgets both. That a record is lost is settled at once, since nobody sees when.
    """
    if lot.stage != AWAY:
        return
    answered = Lot(lot.entries, ANSWERED)
    yield "the log takes it and answers", _arrived(state, lot.entries), answered
    if len(lot.entries) > 1:  # a long lot is several batches, one after the other
        first, rest = lot.entries[:1], lot.entries[1:]
        process, publication = state.processes[place], state.processes[place].publication
        names = {(entry, publication.healing) for entry in first} if publication else set()
        knows = replaced(_arrived(state, first), place, process._replace(acknowledged=process.acknowledged | names))
        yield "the log takes the first and answers", knows, lot._replace(entries=rest)
    if state.left.failures:
        fewer = state._replace(left=state.left._replace(failures=state.left.failures - 1))
        failed = Lot(lot.entries, FAILED)
        yield "the log takes it, the answer is lost", _arrived(fewer, lot.entries), failed
        yield "it is lost", fewer, failed
        late = (*state.late, Late(lot.entries, lot.before))
        yield "no answer comes while it is on its way", fewer._replace(late=late), failed


def _finished(rules: Rules, state: State, place: int, publication: Publication) -> State:
    """What the process decides once each lot is answered or given up."""
    process = state.processes[place]
    answered = {(e, publication.healing) for lot in publication.lots if lot.stage == ANSWERED for e in lot.entries}
    failed = any(lot.stage == FAILED for lot in publication.lots)
    told = Published(publication.revision, publication.hands)
    after = process._replace(publication=None, again=False, acknowledged=process.acknowledged | answered)
    if failed:
        if rules.heals_after_doubt and (rules.doubt_postpones or not publication.heals_already):
            after = after._replace(doubt=publication._replace(lots=(), before=False))
        if not rules.everything_acknowledged and answered:
            after = _to_clear(rules, after, told)
    elif not process.again:
        after = _to_clear(rules, after, told)
    elif rules.looks_after_every_send:
        after = after._replace(overtaken=after.overtaken or told)
    return replaced(state, place, after)


def _to_clear(rules: Rules, process: Process, told: Published) -> Process:
    """The next clearing takes the place of one that has not been tried yet."""
    overtaken = process.overtaken
    if rules.looks_after_every_send and process.clearing not in {None, told}:
        overtaken = overtaken or process.clearing
    return process._replace(clearing=told, overtaken=overtaken)


def _doubt(bounds: Bounds, state: State, place: int, who: str) -> Steps:
    document = state.document._replace(heal=LATER)
    after = replaced(state, place, state.processes[place]._replace(doubt=None))
    yield f"{who} puts healing off by a minute", marked(after._replace(document=document), bounds.late)


# --- clearing -------------------------------------------------------------------------------------------------


def _clearing(rules: Rules, state: State, place: int, who: str) -> Steps:
    document, process = state.document, state.processes[place]
    told, rested = process.clearing, process._replace(clearing=None)
    same = (told is not None and document.revision == told.revision) or not rules.clears_by_revision
    mine = document.owner == process.name or not rules.clears_by_mark
    sent = document._replace(facts=(), unsent=False, authors="")
    if same and mine:
        after = state._replace(document=sent._replace(healing=0, owner=""))
        yield f"{who} clears", replaced(after, place, rested._replace(acknowledged=frozenset()))
    else:
        after = replaced(state, place, rested._replace(overtaken=process.overtaken or told))
        yield f"{who} finds nothing to clear", after
    if state.left.work:
        left = state.left._replace(work=state.left.work - 1)
        if same and mine:
            after = replaced(state._replace(document=sent, left=left), place, rested)
            yield f"{who} has work that waits, and drops what it sent", after
        else:
            looks = rested._replace(overtaken=(process.overtaken or told) if rules.looks_after_every_send else None)
            after = replaced(state._replace(left=left), place, looks)
            yield f"{who} has work that waits, and finds nothing to drop", after


def _looking(rules: Rules, state: State, place: int, who: str) -> Steps:
    """Look who owns what was sent here and could not be cleared; heals at once when it has changed hands."""
    document, process = state.document, state.processes[place]
    told, rested = process.overtaken, process._replace(overtaken=None)
    if told is None:
        return
    mine = document.hands == told.hands if rules.counts_hands else document.owner == process.name
    if document.owner != process.name:
        rested = rested._replace(acknowledged=frozenset())
    after = replaced(state, place, rested)
    if mine or document.revision == told.revision or not rules.heals_after_conflict:
        yield f"{who} looks, and has nothing to heal", after
    elif rules.conflict_keeps_later:
        yield f"{who} sees that it changed hands, and heals", healed(after, process.name, document.heal)
    else:
        after = after._replace(document=document._replace(heal=NOW))
        yield f"{who} sees that it changed hands, and sets the moment of healing to now", after


# --- the log --------------------------------------------------------------------------------------------------


def late_arrivals(state: State) -> Steps:
    """Records of senders that gave up or died arrive."""
    for place, late in enumerate(state.late):
        without = state._replace(late=(*state.late[:place], *state.late[place + 1 :]))
        yield f"the late {_named(late.entries)} arrives", _arrived(without, late.entries)


def left_behind(process: Process) -> Iterator[tuple[str, tuple[Late, ...]]]:
    """What of a dying process may arrive all the same."""
    lots = () if process.publication is None else process.publication.lots
    away = [Late(lot.entries, lot.before) for lot in lots if lot.stage == AWAY]
    for size in range(len(away) + 1):
        for some in combinations(away, size):
            what = ", ".join(_named(late.entries) for late in some)
            yield f"with {what} on the way" if what else "", some


def _arrived(state: State, entries: tuple[int, ...]) -> State:
    facts, early, last = state.log
    for entry in entries:
        if entry < 0:
            last = -entry
        elif entry == facts + 1:
            facts += 1
        elif entry > facts and not early:
            early = entry
    return state._replace(log=Log(facts, early, last))


def _with_lots(state: State, place: int, publication: Publication, lots: tuple[Lot, ...]) -> State:
    process = state.processes[place]._replace(publication=publication._replace(lots=lots))
    return replaced(state, place, process)


def _named(entries: tuple[int, ...]) -> str:
    return ", ".join(f"fact {entry}" if entry > 0 else f"state {-entry}" for entry in entries)
