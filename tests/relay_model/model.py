"""The relay's protocol (`chassis.publishing.relay`, `chassis.state.documents`) as named steps between states.

A step is one access to the database or the broker, or the local decisions that follow from it at once. A process may
stop for any time between two steps, so a frozen one needs no step of its own: it is suspected, and goes on later.

Time is an order: a moment of healing that is set to "a minute later" comes only after what it waits for (`Late sends`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from relay_model import publishing
from relay_model.rules import Bounds, Rules
from relay_model.state import (
    AWAY,
    LATER,
    NO_HEALING,
    NOT_LEFT,
    Command,
    Document,
    Left,
    Log,
    Process,
    State,
    healed,
    marked,
    replaced,
    tidy,
)

Steps = Iterator[tuple[str, State]]
NAMES: Final = ("A", "B", "A")  # the third is the first one's successor: same name, other process


@dataclass(frozen=True)
class RelayModel:
    """One document, two relays, and a successor of the first."""

    rules: Rules
    bounds: Bounds

    def initial(self) -> State:
        """Nothing said yet."""
        bounds = self.bounds
        names = ("A", "B", "A'" if self.rules.name_per_start else "A")
        processes = tuple(Process(name, life) for name, life in zip(names, ("up", "up", "off"), strict=True))
        left = Left(bounds.failures, bounds.suspicions, bounds.crashes, bounds.twins, bounds.work)
        return State(Document(), Log(), processes, (), left)

    def broken(self, state: State) -> str | None:
        """Facts come first in order; nothing is owed without an owner."""
        document = state.document
        if state.log.early:
            return f"fact {state.log.early} reached the log before fact {state.log.facts + 1}"
        if (document.facts or document.unsent) and not document.owner:
            return "something is owed and nobody owns it"
        return None

    def at_rest(self, state: State) -> bool:
        """All said, nothing owed, on its way, in hand or to be healed."""
        document = state.document
        return (
            document.said == len(self.bounds.commands)
            and not document.owner
            and not document.heal
            and not state.late
            and all(_idle(process) for process in state.processes if process.life == "up")
        )

    def missing(self, state: State) -> str | None:
        """Each fact is on its log, and the last record of the key is the newest state."""
        if state.log.facts < self.bounds.facts(len(self.bounds.commands)):
            return f"fact {state.log.facts + 1} is lost"
        if state.log.last != state.document.newest:
            return f"state {state.log.last} is the last of its key, state {state.document.newest} is the newest"
        return None

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        for name, after in self._all(state):
            yield name, tidy(after, doomed_look=self._doomed_look)

    def _all(self, state: State) -> Steps:
        for place, process in enumerate(state.processes):
            who = f"{process.name}{'²' if place == 2 else ''}"
            if process.life == "up":
                yield from self._commands(state, place, who)
                yield from publishing.steps(self.rules, self.bounds, state, place, who)
                yield from self._adoption(state, place, who)
                yield from self._healing(state, place, who)
            yield from self._lives(state, place, who)
        yield from publishing.late_arrivals(state)

    @property
    def _doomed_look(self) -> bool:
        return self.rules.clears_by_revision and self.rules.looks_after_every_send

    # --- commands ---------------------------------------------------------------------------------------------

    def _commands(self, state: State, place: int, who: str) -> Steps:
        """A command. One that names all it read acts as if it read at the moment of its compare-and-set."""
        document, process = state.document, state.processes[place]
        if self.rules.command_names_owner:
            if document.said < len(self.bounds.commands):
                yield self._commit(state, place, who, document.owner)
            return
        under_way = sum(each.command is not None for each in state.processes)
        if process.command is None:
            if document.said + under_way < len(self.bounds.commands):
                yield (
                    f"a command at {who} reads",
                    replaced(state, place, process._replace(command=Command(document.revision, document.owner))),
                )
            return
        rested = replaced(state, place, process._replace(command=None))
        if process.command.revision != document.revision:
            yield f"the command at {who} finds that somebody was faster", rested
        else:
            yield self._commit(rested, place, who, process.command.owner)

    def _commit(self, state: State, place: int, who: str, owner_read: str) -> tuple[str, State]:
        document, process = state.document, state.processes[place]
        said = document.said + 1
        kind = self.bounds.commands[document.said]
        says_state, fact = kind in "bs", self.bounds.facts(said)
        changed = document._replace(
            revision=document.revision + 1,
            said=said,
            facts=document.facts if kind == "s" else (*document.facts, fact),
            newest=said if says_state else document.newest,
            unsent=document.unsent or says_state,
            owner=document.owner if owner_read else process.name,
            authors="" if self.rules.whole_list else document.authors + process.name[0],
        )
        what = {"b": f"fact {fact} and state {said}", "f": f"fact {fact}", "s": f"state {said}"}[kind]
        knows = process._replace(again=process.publication is not None or not process.swept)
        return f"the command at {who} commits {what}", replaced(state._replace(document=changed), place, knows)

    # --- owners -----------------------------------------------------------------------------------------------

    def _adoption(self, state: State, place: int, who: str) -> Steps:
        document, process = state.document, state.processes[place]
        living = {each.name for each in state.processes if each.life == "up"}
        if not process.swept:
            again = process.again and process.publication is not None
            after = replaced(state, place, process._replace(swept=True, again=again))
            if document.owner == state.processes[0].name:  # the predecessor's, whether or not it is called the same
                after = self._taken(after, process.name)
            yield f"{who} looks for leftovers of an earlier process of its name", after
        if document.owner in {"", process.name}:
            return
        if document.owner not in living:
            yield f"{who} adopts the document of {document.owner}, which is dead", self._taken(state, process.name)
        elif state.left.suspicions:
            left = state.left._replace(suspicions=state.left.suspicions - 1)
            yield (
                f"{who} hears nothing of {document.owner}, which lives, and adopts the document",
                self._taken(state._replace(left=left), process.name),
            )

    def _taken(self, state: State, owner: str) -> State:
        document = state.document._replace(owner=owner, hands=state.document.hands + self.rules.counts_hands)
        if not self.rules.heals_after_adoption:
            return state._replace(document=document)
        return marked(state._replace(document=document._replace(heal=LATER)), self.bounds.late)

    def _healing(self, state: State, place: int, who: str) -> Steps:
        document = state.document
        if document.heal == NO_HEALING or (document.heal == LATER and self._awaits(state)):
            return
        yield f"{who} lets the newest state be owed again", healed(state, state.processes[place].name, NO_HEALING)

    def _awaits(self, state: State) -> bool:
        """Whether a record is still on its way that has to arrive, or to be lost, before the minute is over."""
        if self.bounds.late == "whenever":
            return False
        if any(late.before for late in state.late):
            return True
        publications = [each.publication for each in state.processes if each.publication is not None]
        if any(lot.before and lot.stage == AWAY for each in publications for lot in each.lots):
            return True
        return any(each.before and lot.stage == NOT_LEFT for each in publications for lot in each.lots)

    # --- lives ------------------------------------------------------------------------------------------------

    def _lives(self, state: State, place: int, who: str) -> Steps:
        process = state.processes[place]
        if process.life == "up" and state.left.crashes:
            left = state.left._replace(crashes=state.left.crashes - 1)
            dead = replaced(state._replace(left=left), place, Process(process.name, "dead"))
            for how, late in publishing.left_behind(process):
                yield f"{who} dies {how}".rstrip(), dead._replace(late=(*state.late, *late))
        if process.life == "off":
            first_lives = state.processes[0].life == "up"
            if first_lives and not state.left.twins:
                return
            left = state.left._replace(twins=state.left.twins - 1) if first_lives else state.left
            started = process._replace(life="up", swept=False)
            yield f"{who} starts as A's successor", replaced(state._replace(left=left), place, started)


def _idle(process: Process) -> bool:
    return (
        process.publication is None
        and process.doubt is None
        and process.clearing is None
        and process.overtaken is None
        and process.command is None
        and process.swept
    )
