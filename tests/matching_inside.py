"""What a live engine holds, read bit by bit and held against the people it is about and against a fresh engine."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from contracts.matching import Side
from matching.engine.engine import Engine
from matching.engine.live.index import Index
from matching.engine.live.slots import NOT_TO_BE_HAD
from matching.engine.packed.records import Words
from matching.engine.people import Person
from matching.engine.proposals import Pair, Tie
from matching_checker import common_minutes, counting, expected_terms, takes_part
from matching_life import SIDES, Life

COST_ZERO, COST_AT, WHO = 1 << 20, 42, (1 << 23) - 1


def fresh(life: Life) -> Engine:
    """An engine of the same people and ties that has lived through nothing."""
    return life.world().engine()


def rows_of(life: Life, engine: Engine) -> list[int]:
    return [engine.directory.row[member] for member in sorted(life.company.people)]


def mask_of(word: int) -> set[int]:
    return {bit for bit in range(64) if word >> bit & 1}


def areas_of(life: Life, word: int) -> set[str]:
    return {life.engine.directory.codes.areas[bit] for bit in mask_of(int(word) & 2**64 - 1)}


def look_at_records(life: Life) -> Iterator[str]:
    """Every word of every record, except the chain: it says what is true of the person, in one code for all."""
    codes: dict[str, set[tuple[object, int]]] = {}
    for side, at in SIDES:
        market = life.engine.live.market
        records = (market.mentors, market.mentees)[at]
        for member, person in sorted(life.company.people.items()):
            words = [int(word) for word in records[life.engine.directory.row[member]]]
            named = counting(person.offers if side is Side.MENTOR else person.seeks, life.rules)
            if areas_of(life, words[0]) != set(named):
                yield f"{member} {side} names {areas_of(life, words[0])}"
            ranked = [words[6] >> 8 * rank & 0xFF for rank in range(4)]
            if [life.engine.directory.codes.areas[code - 1] for code in ranked if code] != named[:4]:
                yield f"{member} {side} ranks {ranked}"
            yield from look_at_codes(life, member, person, words, codes)
            tenure = life.rules.mentor_tenure if side is Side.MENTOR else life.rules.mentee_tenure
            if bool(words[4] >> 24 & 1) != (person.tenure < tenure):
                yield f"{member} {side} is too new or not"
            settled = side is Side.MENTOR and 0 < life.rules.new_joiner_months < person.tenure
            if bool(words[4] >> 25 & 1) != settled:
                yield f"{member} {side} is a new joiner or not"
            points = (market.mentor_points, market.mentee_points)[at][life.engine.directory.row[member]]
            if points != min(person.waiting_days, 90) * life.rules.weights.waiting:
                yield f"{member} {side} adds {points}"
    for what, known in codes.items():
        if len(known) != len({name for name, _ in known}) or len(known) != len({code for _, code in known}):
            yield f"one {what} has two codes, or two have one: {sorted(map(str, known))}"


def look_at_codes(
    life: Life, member: str, person: Person, words: list[int], codes: dict[str, set[tuple[object, int]]]
) -> Iterator[str]:
    numbers = life.engine.directory.codes._numbers
    speaks = {name for name, bit in numbers["language"].items() if (words[1] & 2**64 - 1) >> bit & 1}
    likes = {name for name, bit in numbers.get("function", {}).items() if (words[5] & 2**64 - 1) >> bit & 1}
    if speaks != set(person.languages):
        yield f"{member} speaks {speaks}"
    if likes != set(person.likes):
        yield f"{member} likes {likes}"
    if (words[2] >> 55 & 1, words[4] >> 16 & 0xFF) != (person.in_person, life.rank(person)):
        yield f"{member} is of level {words[4] >> 16 & 0xFF}"
    day = (person.work_from * 60 - person.utc_offset) % 1440, (person.work_to - person.work_from) % 24
    for what, name, code in (
        ("site", person.site, words[2] & 0xFFFFF),
        ("function", person.function, words[2] >> 20 & 0x7F),
        ("country", person.country, words[2] >> 27 & 0xFF),
        ("unit", person.unit, words[2] >> 35 & 0xFFFFF),
        ("manager", person.manager, words[4] >> 32),
        ("day", day, words[4] & 0xFFFF),
    ):
        codes.setdefault(what, set()).add((name, code))
        unknown = name in {"", None} if what in {"site", "function", "manager"} else None
        if unknown is not None and unknown != (code == 0):
            yield f"{member} has {what} {code}"


def look_at_hours(life: Life) -> Iterator[str]:
    """The table of working days holds for every two days that anybody has."""
    market, directory, rules = life.engine.live.market, life.engine.directory, life.rules
    someone = {int(directory.window[directory.row[person.id]]): person for person in life.company.people.values()}
    for (day, one), (other_day, other) in combinations(sorted(someone.items()), 2):
        minutes = common_minutes(one, other)
        points = rules.weights.hours * min(minutes, 240) // 240 if minutes >= rules.common_minutes else -1
        if {int(market.hours[day, other_day]), int(market.hours[other_day, day])} != {points}:
            yield f"days {day} and {other_day} are {market.hours[day, other_day]} instead of {points}"


def look_at_chain(life: Life, other: Engine) -> Iterator[str]:
    """Who is above whom, and of whom that is not known, as a fresh engine has it; records say the same."""
    relations, adrift = [], []
    for engine in (life.engine, other):
        rows = rows_of(life, engine)
        for records in (engine.live.market.mentors, engine.live.market.mentees):
            enter, leave = records[rows, 3] >> 32, records[rows, 3] & 0xFFFFFFFF
            relations.append((enter[:, None] <= enter) & (enter < leave[:, None]))
        adrift.append(engine.directory.tree.adrift[rows])
    for relation in relations[:-1]:
        if not np.array_equal(relation, relations[-1]):
            yield f"the chain differs at {np.argwhere(relation != relations[-1])[:3].tolist()}"
    if not np.array_equal(adrift[0], adrift[1]):
        yield f"adrift differs at {np.flatnonzero(adrift[0] != adrift[1])[:3].tolist()}"
    if set(life.engine.directory.circular) != set(other.directory.circular):
        yield f"circles are {life.engine.directory.circular}"


def look_at_places(life: Life, other: Engine) -> Iterator[str]:
    """Places, loads, counts, partners and whom nobody is proposed to, by name."""
    for side, at in SIDES:
        for member in sorted(life.company.people):
            found = []
            for engine in (life.engine, other):
                slots, row = engine.live.slots, engine.directory.row[member]
                partners = slots.partner[at, row, : slots.count[at, row]].tolist()
                figures = int(slots.places[at, row]), int(slots.load[at, row]), int(slots.count[at, row])
                found.append((*figures, {engine.directory.known(each).id for each in partners}))
            if found[0] != found[1]:
                yield f"{member} {side}: places, load, count, partners {found[0]} instead of {found[1]}"
    blocked = [blocked_of(engine) for engine in (life.engine, other)]
    for member in sorted(life.company.people):
        if blocked[0][member] != blocked[1][member]:
            yield f"{member} is kept from {blocked[0][member]} instead of {blocked[1][member]}"


def blocked_of(engine: Engine) -> dict[str, Counter[str]]:
    """Whom each is kept from, and how often; those who left are nobody."""
    market, people = engine.live.market, engine.directory.people
    found = {}
    for member, row in engine.directory.row.items():
        others = market.blocked[market.blocked_from[row] : market.blocked_to[row]].tolist()
        found[member] = Counter(person.id for other in others if (person := people[other]))
    return found


def look_at_costs(life: Life) -> Iterator[str]:
    """What a further pair must be worth, from the points that the checker finds; and the list of the free."""
    slots, row, price, score = (
        life.engine.live.slots,
        life.engine.directory.row,
        prices_of(life.engine),
        scores_of(life),
    )
    most = max(score.values()) + 10  # an auction takes steps
    yield from (f"a place costs {cost}: {pair}" for pair, cost in price.items() if not 0 <= cost <= most)
    for side, at in SIDES:
        mine: dict[str, list[int]] = {}
        for pair, points in score.items():
            claim = price[pair] if side is Side.MENTOR else points - price[pair]
            mine.setdefault(pair[at], []).append(claim)
        free = set()
        for member, here in row.items():
            own = min(life.company.people[member].waiting_days, 90) * life.rules.weights.waiting
            count, places = len(mine.get(member, ())), int(slots.places[at, here])
            cost = free_cost = int(NOT_TO_BE_HAD)
            if count < places:
                cost = free_cost = life.rules.weights.further_pair * (int(slots.load[at, here]) + count) - own
                free.add(here)
            elif places:
                cost = min(mine[member]) - own
            if (int(slots.cost[at, here]), int(slots.free_cost[at, here])) != (cost, free_cost):
                yield f"{member} {side} costs {slots.cost[at, here]}, {slots.free_cost[at, here]}: {cost}, {free_cost}"
        listed, where = slots.free[at, : slots.free_count[at]].tolist(), slots.free_at[at].tolist()
        if sorted(listed) != sorted(free) or {each: at for at, each in enumerate(listed)} != {
            each: at for each, at in enumerate(where) if at >= 0
        }:
            yield f"{side}: {len(listed)} are listed as free instead of {len(free)}, or not where it is said"


def prices_of(engine: Engine) -> dict[Pair, int]:
    """What the mentor's place costs in each open pair, as the slots have it."""
    slots, people = engine.live.slots, engine.directory
    return {
        Pair(member, people.known(int(slots.partner[0, here, at])).id): int(slots.price[here, at])
        for member, here in people.row.items()
        for at in range(slots.count[0, here])
    }


def scores_of(life: Life) -> dict[Pair, int]:
    """What each open pair is worth, as the checker finds."""
    world = life.world()
    return {
        pair: sum(expected_terms(world, world.by_id[pair.mentor], world.by_id[pair.mentee], life.area_points).values())
        for pair in life.pairs(Tie.OPEN)
    }


def set_code(bits: tuple[int, ...], areas: int) -> int:
    """The number of a set of one to three areas: singles, then pairs, then threes, each by their highest area."""
    before = (0, areas, areas + comb(areas, 2))[len(bits) - 1]
    return before + sum(comb(bit, place + 1) for place, bit in enumerate(bits))


def look_at_index(life: Life) -> Iterator[str]:
    """One living entry a participant and set, where it belongs, with what is true of the person."""
    live, directory = life.engine.live._live, life.engine.directory
    for side, at in SIDES:
        index, records = (live.mentors, live.mentees)[at], (live.market.mentors, live.market.mentees)[at]
        expected = {}
        for member, person in life.company.people.items():
            row = directory.row[member]
            if live.slots.places[at, row] <= 0:
                continue
            if not takes_part(person, side):
                yield f"{member} {side} has places, but takes no part"
            bits = sorted(mask_of(int(records[row, 0]) & 2**64 - 1))
            for some in (each for size in (1, 2, 3) for each in combinations(bits, size)):
                expected[row, set_code(some, live.bits) * index.postings.days + int(records[row, 4] & 0xFFFF)] = some
        yield from (f"{side}: {wrong}" for wrong in look_at_rooms(index))
        found = Counter(place for place, _ in entries(index))
        if any(count > 1 for count in found.values()) or set(found) != set(expected):
            wrong = sorted(set(found) ^ set(expected)) or [place for place, count in found.items() if count > 1]
            yield f"{side}: {len(wrong)} entries too many or too few, the first {wrong[0]}"
            continue
        for (row, posting), at_entry in entries(index):
            wrong_parts = wrong_in(index, records[row], at_entry, posting, expected[row, posting])
            if wrong_parts:
                yield f"an entry of row {row} in posting {posting} has a wrong {wrong_parts}"


def look_at_rooms(index: Index) -> Iterator[str]:
    """Every posting within its own room, apart from all others, and in order as far as it says so."""
    postings, used = index.postings, 0
    for posting in sorted(np.flatnonzero(postings.ends > postings.begins).tolist(), key=postings.begins.__getitem__):
        begin, tail, end = (int(ends[posting]) for ends in (postings.begins, postings.sorted_to, postings.ends))
        if not used <= begin <= tail <= end <= index.room_to[posting]:
            yield f"posting {posting} reaches into another"
        words = postings.entries[begin:tail, 0]
        keys = list(zip((words >> COST_AT).tolist(), (words & WHO).tolist(), strict=True))
        if keys != sorted(keys):
            yield f"posting {posting} is out of order"
        used = int(index.room_to[posting])
    if not used <= index.used[0] <= len(postings.entries):
        yield "the postings reach beyond what there is room for"


def entries(index: Index) -> Iterator[tuple[tuple[int, int], int]]:
    """Of all postings those that name areas: who, in which posting, and where."""
    postings = index.postings
    for posting in np.flatnonzero(postings.ends > postings.begins).tolist():
        for at in range(postings.begins[posting], postings.ends[posting]):
            entry, named = postings.entries[at, :2].tolist()
            if named:
                yield (entry & WHO, posting), at


def wrong_in(index: Index, record: Words, at: int, posting: int, some: tuple[int, ...]) -> list[str]:
    """What an entry tells that the record of the person does not."""
    postings = index.postings
    entry, named, liked, told = (int(word) for word in postings.entries[at])
    cost = int(index.stands_at[entry & WHO])
    ranked = [int(record[6]) >> 8 * rank & 0xFF for rank in range(4)]
    choice = next((rank for rank, code in enumerate(ranked) if code and code - 1 in some), 4)
    traits = int(record[1]) & 2**31 - 1 | (int(record[2]) >> 35 & 0xFFFFF) << 32 | (int(record[4]) >> 16 & 0xFF) << 52
    true = {
        "areas": named == int(record[0]),
        "likes": liked == int(record[5]),
        "traits": told == traits,
        "cost": (entry >> COST_AT) - COST_ZERO == cost,
        "choice": entry >> 38 & 7 == choice,
        "country": entry >> 30 & 0xFF == int(record[2]) >> 27 & 0xFF,
        "function": entry >> 23 & 0x7F == int(record[2]) >> 20 & 0x7F,
        "cheapest": max(postings.cheapest[posting // postings.days], postings.cheapest_of[posting]) <= cost,
        "kinds": not int(record[5]) & ~postings.any_likes,
    }
    return [what for what, holds in true.items() if not holds]


LOOKS: Final[dict[str, Callable[[Life, Engine], Iterator[str]]]] = {
    "records": lambda life, _: look_at_records(life),
    "hours": lambda life, _: look_at_hours(life),
    "chain": look_at_chain,
    "slots": look_at_places,
    "costs": lambda life, _: look_at_costs(life),
    "index": lambda life, _: look_at_index(life),
}


def look_inside(life: Life) -> None:
    """Add to the complaints of a life whatever its engine holds that is not so."""
    other = fresh(life)
    for about, look in LOOKS.items():
        for sentence in look(life, other):
            life.require(False, about, sentence)
