"""The consumer's protocol (`chassis.consuming`: pipeline, parking, redrive) as named steps between states.

One key of one topic of facts, and one consumer group: the member that has the partition, perhaps a member that was
thought dead and goes on, and operators who redrive. A record is named by its offset; several records may carry the same
sequence, since the relay may publish one again. Infrastructure faults are waited out in place, so they are no steps.

The effect of an event is the move of the document's fence: both are one write.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

OPENING, READY, TO_MARK, TO_SETTLE, TO_HANDLE, TO_BURY, TO_PARK = (
    "opening", "ready", "to mark", "to settle", "to handle", "to bury", "to park"
)  # fmt: skip
ASLEEP, TO_READ, FEEDING, TO_SETTLE_FED, TO_RELEASE = "asleep", "to read", "feeding", "to settle fed", "to release"
NOT_PARKED: Final = 0


class Member(NamedTuple):
    """One process of the group, at a record."""

    at: int  # offset of the record in hand
    step: str = OPENING
    held: bool = False  # knows the key to be parked
    marked: bool = False  # has changed the token before burying; only where the rule is taken out


class Redriver(NamedTuple):
    """One operator's redrive."""

    step: str = ASLEEP
    token: int = NOT_PARKED
    letters: tuple[int, ...] = ()


class State(NamedTuple):
    """Everything. `effects` counts the events that took effect in order; `early` is one that did so too soon."""

    effects: int
    early: int
    twice: int
    committed: int
    letters: frozenset[int]
    settled: frozenset[int]
    token: int
    owner: Member
    frozen: Member | None
    redrivers: tuple[Redriver, ...]
    bugs: int
    takeovers: int


@dataclass(frozen=True)
class ConsumingRules:
    """What the protocol demands. Each is True in the protocol; False takes it out."""

    fences: bool = True  # a sequence that was applied is not applied again
    commits_what_is_finished: bool = True  # an offset is committed when every record up to it has its outcome
    parks: bool = True  # later facts wait behind a dead one
    loads_parked: bool = True  # a member learns what is parked when it gets the partition
    buries_first: bool = True  # a follower is in the dead-letter topic before it changes the key's token
    handles_when_released: bool = True  # a follower that finds the key released is handled
    settles_afterwards: bool = True  # its letter is settled once it was handled
    reads_token_first: bool = True  # a redrive reads the token before the letters
    releases_by_token: bool = True  # and releases the key only at that token
    feeds_in_order: bool = True  # a letter that fails again holds up the later ones


@dataclass(frozen=True)
class ConsumingBounds:
    """How much happens. `log` has the sequence of each record; `bugs` is how often a handler fails for good."""

    log: tuple[int, ...] = (1, 2, 3)
    bugs: int = 1
    takeovers: int = 0
    redrivers: int = 1


Steps = Iterator[tuple[str, State]]
Moves = Iterator[tuple[str, State, Member]]


@dataclass(frozen=True)
class ConsumingModel:
    """One key's records on their way to their effects."""

    rules: ConsumingRules
    bounds: ConsumingBounds

    def initial(self) -> State:
        """Nothing consumed."""
        redrivers = (Redriver(),) * self.bounds.redrivers
        nothing: frozenset[int] = frozenset()
        member = Member(0)
        bounds = self.bounds
        return State(0, 0, 0, 0, nothing, nothing, NOT_PARKED, member, None, redrivers, bounds.bugs, bounds.takeovers)

    def broken(self, state: State) -> str | None:
        """Effects happen in order, each once."""
        if state.early:
            return f"event {state.early} took effect before event {state.effects + 1}"
        return f"event {state.twice} took effect twice" if state.twice else None

    def at_rest(self, state: State) -> bool:
        """All committed, no letter open, nothing parked, nobody under way."""
        return (
            state.committed == len(self.bounds.log)
            and (state.owner.at, state.owner.step) == (len(self.bounds.log), READY)
            and state.frozen is None
            and state.letters <= state.settled
            and state.token == NOT_PARKED
            and all(each.step == ASLEEP for each in state.redrivers)
        )

    def missing(self, state: State) -> str | None:
        """Each event took effect."""
        return None if state.effects == max(self.bounds.log) else f"event {state.effects + 1} took no effect"

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        for name, after in self._all(state):
            yield name, _tidy(after)

    def _all(self, state: State) -> Steps:
        for name, after, member in self._member(state, state.owner):
            yield f"the member {name}", after._replace(owner=member)
        ready = state.owner.at
        if not self.rules.commits_what_is_finished:  # the record in hand with them
            ready = min(ready + 1, len(self.bounds.log))
        if state.committed < ready and state.owner.step != OPENING:
            yield f"the member commits {ready}", state._replace(committed=ready)
        if state.frozen is not None:
            for name, after, member in self._member(state, state.frozen):
                yield f"the frozen member {name}", after._replace(frozen=member)
            yield "the frozen member ends", state._replace(frozen=None)
        if state.takeovers:
            after = state._replace(owner=Member(state.committed), takeovers=state.takeovers - 1)
            yield "the member dies, another takes the partition", after
            yield "the member freezes, another takes the partition", after._replace(frozen=state.owner)
        for place, redriver in enumerate(state.redrivers):
            for name, after, changed in self._redriver(state, redriver):
                redrivers = (*state.redrivers[:place], changed, *state.redrivers[place + 1 :])
                yield f"redrive {place + 1} {name}", after._replace(redrivers=redrivers)

    # --- the pipeline -----------------------------------------------------------------------------------------

    def _member(self, state: State, member: Member) -> Moves:
        if member.step == OPENING:
            held = state.token != NOT_PARKED and self.rules.loads_parked
            yield "learns what is parked", state, member._replace(step=READY, held=held)
        elif member.at == len(self.bounds.log):
            return
        elif member.step in {TO_BURY, TO_PARK, TO_SETTLE}:
            yield self._puts_aside(state, member)
        elif member.step == TO_MARK or (member.held and member.step == READY and not self.rules.buries_first):
            yield self._mark(state, member)
        elif member.held and member.step == READY:
            name = self._name(member.at)
            yield f"buries {name} behind the others", _buried(state, member), member._replace(step=TO_MARK)
        else:
            yield from self._handles(state, member)

    def _handles(self, state: State, member: Member) -> Moves:
        name = self._name(member.at)
        for how, after in self._handled(state, member.at):
            if how == "fails":
                yield f"fails at {name}", after, member._replace(step=TO_BURY)
            elif member.step == TO_HANDLE and self.rules.settles_afterwards:
                yield f"{how} {name}", after, member._replace(step=TO_SETTLE)
            else:
                yield f"{how} {name}", after, _following(member)

    def _puts_aside(self, state: State, member: Member) -> tuple[str, State, Member]:
        name, following = self._name(member.at), _following(member)
        if member.step == TO_SETTLE:
            after = state._replace(settled=state.settled | {member.at})
            rest = following if self.rules.settles_afterwards else member._replace(step=TO_HANDLE)
            return f"settles the letter of {name}", after, rest
        if member.step == TO_PARK:
            return "parks the key", state._replace(token=_fresh(state)), following._replace(held=True)
        if member.marked:
            return f"buries {name} behind the others", _buried(state, member), following
        rest = member._replace(step=TO_PARK) if self.rules.parks else following
        return f"buries {name}", _buried(state, member), rest

    def _mark(self, state: State, member: Member) -> tuple[str, State, Member]:
        """Change the token of the parked key, if it is still there."""
        name, following = self._name(member.at), _following(member)
        if state.token != NOT_PARKED:
            after = state._replace(token=_fresh(state))
            rest = following if self.rules.buries_first else member._replace(step=TO_BURY, marked=True)
            return f"changes the key's token for {name}", after, rest
        if not self.rules.handles_when_released:
            return f"finds the key released, and leaves {name} where it is", state, following._replace(held=False)
        settled_before = self.rules.buries_first and not self.rules.settles_afterwards
        rest = member._replace(held=False, step=TO_SETTLE if settled_before else TO_HANDLE)
        if not self.rules.buries_first:
            rest = rest._replace(step=READY)  # there is no letter to settle
        return f"finds the key released before {name}", state, rest

    def _handled(self, state: State, offset: int) -> Iterator[tuple[str, State]]:
        """What a handler may do with a record."""
        sequence = self.bounds.log[offset]
        if sequence <= state.effects and self.rules.fences:
            yield "skips", state
            return
        if sequence <= state.effects:
            yield "handles", state._replace(twice=sequence)
        elif sequence == state.effects + 1:
            yield "handles", state._replace(effects=sequence)
        else:
            yield "handles", state._replace(early=sequence)
        if state.bugs:
            yield "fails", state._replace(bugs=state.bugs - 1)

    # --- operators --------------------------------------------------------------------------------------------

    def _redriver(self, state: State, redriver: Redriver) -> Iterator[tuple[str, State, Redriver]]:
        if redriver.step == ASLEEP and (state.letters - state.settled or state.token):
            if self.rules.reads_token_first:
                yield "reads what is parked", state, Redriver(TO_READ, state.token)
            else:
                yield "reads the letters", state, Redriver(TO_READ, NOT_PARKED, _open(state))
        elif redriver.step == TO_READ and self.rules.reads_token_first:
            yield "reads the letters", state, Redriver(FEEDING, redriver.token, _open(state))
        elif redriver.step == TO_READ:
            yield "reads what is parked", state, Redriver(FEEDING, state.token, redriver.letters)
        elif redriver.step == FEEDING and redriver.letters:
            yield from self._feeds(state, redriver)
        elif redriver.step == FEEDING and redriver.token == NOT_PARKED:
            yield "ends", state, Redriver()
        elif redriver.step == FEEDING:
            same = state.token in {redriver.token, NOT_PARKED} or not self.rules.releases_by_token
            if same:
                yield "releases the key", state._replace(token=NOT_PARKED), Redriver()
            else:
                yield "finds that more was parked", state, Redriver()
        elif redriver.step == TO_SETTLE_FED:
            fed, *rest = redriver.letters
            after = state._replace(settled=state.settled | {fed})
            yield f"settles {self._name(fed)}", after, Redriver(FEEDING, redriver.token, tuple(rest))

    def _feeds(self, state: State, redriver: Redriver) -> Iterator[tuple[str, State, Redriver]]:
        offset = redriver.letters[0]
        for how, after in self._handled(state, offset):
            if how != "fails":
                yield f"feeds {self._name(offset)}", after, redriver._replace(step=TO_SETTLE_FED)
            elif self.rules.feeds_in_order:
                yield f"fails at {self._name(offset)} and leaves the rest", after, Redriver()
            else:
                yield f"fails at {self._name(offset)}", after, redriver._replace(letters=redriver.letters[1:])

    def _name(self, offset: int) -> str:
        sequence = self.bounds.log[offset]
        again = "" if self.bounds.log.index(sequence) == offset else " (again)"
        return f"event {sequence}{again}"


def _following(member: Member) -> Member:
    return Member(member.at + 1, READY, member.held)


def _buried(state: State, member: Member) -> State:
    return state._replace(letters=state.letters | {member.at})


def _open(state: State) -> tuple[int, ...]:
    return tuple(sorted(state.letters - state.settled))


def _fresh(state: State) -> int:
    return max(state.token, *(each.token for each in state.redrivers)) + 1


def _tidy(state: State) -> State:
    """Tokens are compared for equality alone, so they are renamed by age; a member that is through goes."""
    tokens = {NOT_PARKED, state.token, *(each.token for each in state.redrivers)}
    ages = {token: age for age, token in enumerate(sorted(tokens))}
    redrivers = tuple(each._replace(token=ages[each.token]) for each in state.redrivers)
    return state._replace(token=ages[state.token], redrivers=redrivers)
