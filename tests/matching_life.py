"""The life of a company beside its live engine: what happens, what the engine answers, and what is wrong with that."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from contracts.matching import Side
from matching.engine.engine import Engine
from matching.engine.people import Person
from matching.engine.proposals import Change, Pair, Proposal, Tie
from matching.engine.rules import Direction, Rules
from matching_checker import World, allowed, counting, expected_terms, points_of_areas, takes_part
from matching_company import Company, Event

SIDES = ((Side.MENTOR, 0), (Side.MENTEE, 1))


class Life:
    """An engine in a company, and what it should know, kept apart from it.

    `complaints` are sentences by what they are about; a sound engine leaves it empty.
    """

    def __init__(self, company: Company, rules: Rules) -> None:
        self.company, self.rules = company, rules
        self.ties: dict[Pair, Tie] = {}
        self.complaints: dict[str, list[str]] = defaultdict(list)
        self.answers: list[object] = []
        self.events = 0
        self._number_areas()
        self.engine = Engine(rules, company.people.values())
        run = self.engine.run()
        self.engine.adopt(run)
        self.ties |= {proposal.pair: Tie.OPEN for proposal in run.proposals}

    def pairs(self, tie: Tie) -> list[Pair]:
        return sorted(pair for pair, other in self.ties.items() if other is tie)

    def rank(self, person: Person) -> int:
        """What makes somebody senior: their level, or the years before 2155 in which they joined."""
        return 2155 - person.joined if self.rules.direction is Direction.EXPERIENCE else person.level

    def world(self) -> World:
        """What is true now."""
        people = tuple(self.company.people.values())
        return World(self.rules, people, *(frozenset(self.pairs(tie)) for tie in (Tie.OPEN, Tie.LOCKED, Tie.FORMER)))

    def places(self, world: World, members: Iterable[str]) -> dict[tuple[str, Side], int]:
        """How many open proposals some people may have on each side; none when they are not here."""
        found, people = {}, world.by_id
        for side, at in SIDES:
            locked = Counter(pair[at] for pair in world.locked)
            for member in members:
                person = people.get(member)
                if person is None or not takes_part(person, side):
                    found[member, side] = 0
                    continue
                capacity = person.mentor_capacity if side is Side.MENTOR else person.mentee_capacity
                found[member, side] = min(max(capacity - locked[member], 0), self.rules.proposals_per_person)
        return found

    def go_on(self, events: int) -> None:
        for _ in range(events):
            self.happens(self.company.next(self.pairs(Tie.OPEN), self.pairs(Tie.LOCKED)))

    def run(self) -> None:
        """Choose for everybody anew, and put it in force."""
        before, run = self.pairs(Tie.OPEN), self.engine.run()
        proposed = [proposal.pair for proposal in run.proposals]
        self.require(sorted((*run.kept, *run.withdrawn)) == before, "ties", "kept and withdrawn are not what was open")
        self.require(not set(proposed) & set(self.ties), "ties", "proposed what stood already")
        self.engine.adopt(run)
        for pair in run.withdrawn:
            self._set(pair, None)
        for pair in proposed:
            self._set(pair, Tie.OPEN)
        self.answers.append(run)
        self.look_at_everybody()

    def happens(self, event: Event) -> None:
        """Tell the engine, and look at what it answers."""
        self.events += 1
        if isinstance(event, tuple):
            pair, tie = event
            self.engine.move(*pair, tie)
            self._set(pair, tie)
            for member in pair:
                self._take_in(member, Change(self.engine.propose(member)), may_move=0)
            return
        if isinstance(event, Person):
            if any(area not in self.named for area in (*event.offers, *event.seeks)) and not self.rules.areas:
                self._number_areas()
            self._take_in(event.id, self.engine.change(event), self.rules.moved_per_change)
        else:
            self._take_in(event, self.engine.remove(event), self.rules.moved_per_change)

    def _set(self, pair: Pair, tie: Tie | None) -> None:
        self.ties.pop(pair, None)
        if tie is not None:
            self.ties[pair] = tie

    def _number_areas(self) -> None:
        """Rarities are those of the day on which somebody named an area for the first time."""
        everybody = self.company.people.values()
        self.named = {area for person in everybody for area in (*person.offers, *person.seeks)}
        self.area_points = points_of_areas(World(self.rules, tuple(everybody), *(frozenset[Pair]() for _ in range(3))))

    def worth(self, pairs: Iterable[Pair]) -> int:
        """The points of pairs by what is true now, less what further pairs of a person must be better by."""
        world, locked = self.world(), self.pairs(Tie.LOCKED)
        total, taken = 0, [Counter(pair[at] for pair in locked) for _, at in SIDES]
        for pair in sorted(pairs):
            mentor, mentee = (world.by_id[member] for member in pair)
            total += sum(expected_terms(world, mentor, mentee, self.area_points).values())
            for _, at in SIDES:
                total -= self.rules.weights.further_pair * taken[at][pair[at]]
                taken[at][pair[at]] += 1
        return total

    # -- what is wrong -------------------------------------------------------------------------------------------------

    def require(self, holds: object, about: str, *what: object) -> None:
        if not holds:
            self.complaints[about].append(f"event {self.events}: {' '.join(map(str, what))}")

    def _take_in(self, member: str, change: Change, may_move: int) -> None:
        before, gone = set(self.pairs(Tie.OPEN)), (*change.withdrawn, *change.moved)
        self.answers.append(change)
        self.require(set(gone) <= before and len(set(gone)) == len(gone), "ties", "withdrew what was not open", gone)
        self.require(len(change.moved) <= may_move, "moved", len(change.moved), "moved")
        world = self.world()
        for pair in gone:
            self._set(pair, None)
        self._look_at_withdrawn(world, change)
        self._look_at_displaced(change)
        for proposal in change.proposals:
            self._look_at_proposal(world, proposal)
            self._set(proposal.pair, Tie.OPEN)
        self._look_at_people(
            {member, *(each for pair in gone for each in pair)}
            | {each for proposal in change.proposals for each in proposal.pair},
            self.world(),
        )
        for pair in (*gone, *(proposal.pair for proposal in change.proposals)):
            self.require(self.engine.ties.between(pair) is self.ties.get(pair), "ties", "of", pair)
        if member in self.company.people and not self.events % 4:
            self._look_for_empty_places(member)

    def _look_at_withdrawn(self, world: World, change: Change) -> None:
        """Withdrawn is what does not hold, or is more than somebody's places; moved is what could have stayed."""
        people, gone = world.by_id, (*change.withdrawn, *change.moved)
        places = self.places(world, {member for pair in gone for member in pair})
        over = Counter[tuple[str, Side]]()
        for side, at in SIDES:
            proposed = Counter(pair[at] for pair in world.open)
            over.update({(pair[at], side): proposed[pair[at]] - places[pair[at], side] for pair in gone})
        for pair in (*change.withdrawn, *change.moved):
            holds = set(pair) <= set(people) and allowed(world, people[pair.mentor], people[pair.mentee])
            holds = holds and all(takes_part(people[pair[at]], side) for side, at in SIDES)
            full = [(pair[at], side) for side, at in SIDES if over[pair[at], side] > 0]
            if pair in change.moved:
                self.require(holds, "withdrawn", pair, "moved, but does not hold")
            else:
                self.require(full or not holds, "withdrawn", pair, "holds, and nobody has too few places")
                over.subtract(full)
        self.require(not +over, "withdrawn", "moved instead of withdrawn, for want of places:", +over)

    def _look_at_displaced(self, change: Change) -> None:
        """Whoever had a mentor who moved to somebody else has another one at once."""
        without = Counter(pair.mentee for pair in change.moved)
        without.subtract(proposal.mentee for proposal in change.proposals)
        self.require(not +without, "displaced", sorted(+without), "got nobody else for", change.moved)

    def _look_at_proposal(self, world: World, proposal: Proposal) -> None:
        pair, people = proposal.pair, world.by_id
        self.require(pair not in self.ties and pair.turned not in self.ties, "ties", pair, "stands already")
        if not set(pair) <= set(people):
            self.require(False, "rules", pair, "is about somebody who left")
            return
        mentor, mentee = people[pair.mentor], people[pair.mentee]
        self.require(allowed(world, mentor, mentee), "rules", pair, "is not allowed")
        if set(counting(mentor.offers, self.rules)) & set(counting(mentee.seeks, self.rules)):
            terms = expected_terms(world, mentor, mentee, self.area_points)
            self.require(dict(proposal.terms) == terms, "terms", pair, dict(proposal.terms), "instead of", terms)
        self.require(proposal.score == sum(proposal.terms.values()), "terms", pair, "do not add up")
        shared = [area for area in dict.fromkeys(mentee.seeks) if area in counting(mentor.offers, self.rules)]
        self.require(list(proposal.areas) == shared, "terms", pair, proposal.areas, "instead of", shared)

    def _look_at_people(self, members: Iterable[str], world: World) -> None:
        """Their open proposals hold, and are not too many."""
        members = set(members)
        places, people = self.places(world, members), world.by_id
        for side, at in SIDES:
            proposed = Counter(pair[at] for pair in world.open)
            for member in sorted(members):
                room = places[member, side]
                self.require(proposed[member] <= room, "places", member, proposed[member], "of", room, side)
        for pair in world.open:
            if members & set(pair):
                holds = set(pair) <= set(people) and allowed(world, people[pair.mentor], people[pair.mentee])
                self.require(holds, "rules", pair, "is open and does not hold")

    def _look_for_empty_places(self, member: str) -> None:
        """Nobody who has just been answered keeps a place that somebody with a free place could take."""
        world = self.world()
        places, person = self.places(world, world.by_id), world.by_id[member]
        for at in range(2):
            proposed = Counter(pair[at] for pair in world.open)
            for each in world.people:
                places[each.id, SIDES[at][0]] -= proposed[each.id]
        for other in world.people:
            for mentor, mentee in ((person, other), (other, person)):
                if places[mentor.id, Side.MENTOR] > 0 and places[mentee.id, Side.MENTEE] > 0:
                    pair = Pair(mentor.id, mentee.id)
                    possible = pair not in self.ties and pair.turned not in self.ties and allowed(world, mentor, mentee)
                    self.require(not possible, "empty places", pair, "could be proposed")

    def look_at_everybody(self) -> None:
        """All that is open holds, and the engine knows the same ties."""
        world = self.world()
        self._look_at_people({*world.by_id, *(member for pair in world.open for member in pair)}, world)
        for tie in Tie:
            self.require(self.engine.ties.all(tie) == self.pairs(tie), "ties", "all of", tie)
        row, slots = self.engine.directory.row, self.engine.live.slots
        for side, at in SIDES:
            mine: dict[str, set[int]] = defaultdict(set)
            for pair in world.open:
                mine[pair[at]].add(row[pair[1 - at]])
            for member in world.by_id:
                here = row[member]
                partners = slots.partner[at, here, : slots.count[at, here]].tolist()
                self.require(sorted(partners) == sorted(mine[member]), "ties", member, "in the slots", side)
