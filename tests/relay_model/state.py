"""The state of the relay model: one document, its log, processes with their memories, and records on their way.

An entry is a number: ``k`` is the fact that command k said, ``-k`` the state after it. Revisions and healing marks are
compared for equality alone, so `tidy` renames them by age and states that differ in names only become one.
"""

from typing import NamedTuple

NOT_LEFT, AWAY, ANSWERED, FAILED = "not left", "away", "answered", "failed"
NO_HEALING, NOW, LATER = "", "now", "later"


class Document(NamedTuple):
    """What the database holds. `owner` is empty when nothing is owed."""

    revision: int = 0
    said: int = 0  # commands committed
    facts: tuple[int, ...] = ()
    newest: int = 0  # the slot: the command whose state it is
    unsent: bool = False
    healing: int = 0
    owner: str = ""
    heal: str = NO_HEALING
    hands: int = 0  # how often it was adopted
    authors: str = ""  # who said each fact; kept only where a rule that is taken out asks for it


class Log(NamedTuple):
    """What readers will find. The state topic is compacted at every moment: only the last record stays."""

    facts: int = 0  # how many facts of the beginning are there
    early: int = 0  # the first fact that came before one said earlier
    last: int = 0  # the state on the last record of the key


class Lot(NamedTuple):
    """The records of one publication for one topic. `before` a healing's moment: it has to wait for them."""

    entries: tuple[int, ...]
    stage: str
    before: bool = False


class Publication(NamedTuple):
    """A snapshot that a process publishes from."""

    revision: int
    hands: int
    healing: int
    heals_already: bool  # the snapshot has a moment of healing, or no state that could need one
    lots: tuple[Lot, ...]
    before: bool = False  # read before a healing's moment


class Published(NamedTuple):
    """What is remembered of a finished publication."""

    revision: int
    hands: int


class Command(NamedTuple):
    """What a command read, between its read and its compare-and-set."""

    revision: int
    owner: str


class Process(NamedTuple):
    """One process and what it remembers. `name` is what it writes as owner."""

    name: str
    life: str  # off, up or dead
    swept: bool = True  # has looked at what an earlier process of its name left
    acknowledged: frozenset[tuple[int, int]] = frozenset()  # (entry, healing)
    publication: Publication | None = None
    doubt: Publication | None = None  # a publication that failed: the moment of healing is still to be written
    again: bool = False  # a commit during the publication
    clearing: Published | None = None  # to be cleared
    overtaken: Published | None = None  # could not be cleared
    command: Command | None = None


class Late(NamedTuple):
    """Records whose sender has given up on them, on their way all the same."""

    entries: tuple[int, ...]
    before: bool


class Left(NamedTuple):
    """How many of each misfortune may still happen."""

    failures: int  # sends whose answer never comes
    suspicions: int  # adoptions from a process that lives
    crashes: int
    twins: int  # starts of a second process of the same name while the first lives
    work: int  # publications whose work has to wait


class State(NamedTuple):
    """Everything."""

    document: Document
    log: Log
    processes: tuple[Process, ...]
    late: tuple[Late, ...]
    left: Left


def owed(document: Document) -> tuple[int, ...]:
    """Facts in order, then the newest state."""
    return document.facts + ((-document.newest,) if document.unsent else ())


def tidy(state: State, *, doomed_look: bool) -> State:
    """One form for states that differ in the names of revisions and healings, or in what no longer matters.

    A clearing of a revision that has passed can only fail; where every failed one is looked into, it counts as failed.
    """
    document, log, processes, late, left = state
    if doomed_look:
        processes = tuple(_doomed(each, document.revision) for each in processes)
    revisions, healings = {document.revision}, {0, document.healing}
    for process in processes:
        for publication in (process.publication, process.doubt):
            if publication is not None:
                revisions.add(publication.revision)
                healings.add(publication.healing)
        for told in (process.clearing, process.overtaken, process.command):
            if told is not None:
                revisions.add(told.revision)
    ages = {revision: age for age, revision in enumerate(sorted(revisions))}
    marks = {healing: age for age, healing in enumerate(sorted(healings))}
    waits = document.heal == LATER
    awaited = {(entry, document.healing) for entry in owed(document)}
    renamed = document._replace(revision=ages[document.revision], healing=marks[document.healing])
    if late:  # facts that are in the log already change nothing when they come once more
        late = tuple(sorted(Late(e, before and waits) for e, before in late if e[-1] < 0 or e[-1] > log.facts))
    return State(renamed, log, tuple(_renamed(each, ages, marks, awaited, waits) for each in processes), late, left)


def _doomed(process: Process, revision: int) -> Process:
    clearing = process.clearing
    if clearing is None or clearing.revision == revision:
        return process
    return process._replace(clearing=None, overtaken=process.overtaken or clearing)


def _renamed(
    process: Process, ages: dict[int, int], marks: dict[int, int], awaited: set[tuple[int, int]], waits: bool
) -> Process:
    name, life, swept, acknowledged, publication, doubt, again, clearing, overtaken, command = process
    if acknowledged:
        acknowledged = frozenset((e, marks[h]) for e, h in acknowledged & awaited)
    elif all(each is None for each in (publication, doubt, clearing, overtaken, command)):
        return process
    return Process(
        name,
        life,
        swept,
        acknowledged,
        publication and _snapshot(publication, ages, marks, waits),
        doubt and _snapshot(doubt, ages, marks, waits),
        again,
        clearing and Published(ages[clearing.revision], clearing.hands),
        overtaken and Published(ages[overtaken.revision], overtaken.hands),
        command and Command(ages[command.revision], command.owner),
    )


def _snapshot(publication: Publication, ages: dict[int, int], marks: dict[int, int], waits: bool) -> Publication:
    revision, hands, healing, heals_already, lots, before = publication
    if not waits:
        lots = tuple(Lot(lot.entries, lot.stage) for lot in lots)
    return Publication(ages[revision], hands, marks[healing], heals_already, lots, before and waits)


def marked(state: State, late: str) -> State:
    """What healing that is put off by a minute has to wait for, by the assumption on late sends."""
    if late == "whenever":
        return state
    processes = tuple(
        process
        if process.publication is None
        else process._replace(
            publication=process.publication._replace(
                before=late == "within a minute of the adoption",
                lots=tuple(lot._replace(before=lot.stage == AWAY) for lot in process.publication.lots),
            )
        )
        for process in state.processes
    )
    return state._replace(processes=processes, late=tuple(each._replace(before=True) for each in state.late))


def replaced(state: State, place: int, process: Process) -> State:
    """The state with another process at a place."""
    return state._replace(processes=(*state.processes[:place], process, *state.processes[place + 1 :]))


def healed(state: State, by: str, heal: str) -> State:
    """The newest state is owed once more, under a fresh mark; `heal` is the moment of healing that remains."""
    document = state.document._replace(revision=state.document.revision + 1, heal=heal)
    if document.newest:
        document = document._replace(unsent=True, healing=document.healing + 1000, owner=document.owner or by)
    return state._replace(document=document)
