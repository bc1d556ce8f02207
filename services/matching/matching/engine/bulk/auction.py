"""The auction: mentees bid for mentors' places until nobody would rather have another (Bertsekas 1988).

Each bid raises the price of the best place by as much as it is better than the second best, plus `step`; so at the end
nobody's gain is more than `step` below the best there is at the prices. A mentor's further places begin at a higher
price, a mentee's further pairs must gain more: `further` points for each that the person has already. A mentee holds a
mentor once at most, which places copied into an assignment problem would not ensure.
"""

from typing import Final, NamedTuple

import numpy as np

from matching.engine.compiled import allocating, kernel
from matching.engine.packed.bits import lowest_bit
from matching.engine.packed.records import FURTHER, Ints, Market, Words

WHO: Final = 0xFFFFFFFF
MOST_CANDIDATES: Final = 64
"""One bit each says what a mentee holds."""
_LAST: Final = MOST_CANDIDATES - 1

# A packed candidate, from the highest bits: the points, how far from the end of a full list it stands, and who it is.
GAIN_AT, PLACE_BITS = 32, 6
_HELD: Final = 1 << 62
"""Taken from a candidate while it is held, which leaves it less than anything to be had."""
_NOTHING: Final = np.int64(-1 << 40)


class Lists(NamedTuple):
    """The candidates of each mentee, in no order."""

    who: Ints
    """[E, 64] places of mentors."""
    points: Ints
    """[E, 64] the whole score of each pair."""
    counts: Ints
    """[E]"""
    dear: Words
    """[E] which of them are proposals already, one bit each: they are bid for with a `bonus`, so that they stay."""
    bonus: int


class Outcome(NamedTuple):
    """Where an auction ended."""

    held: Words
    """[E] which candidates a mentee has, one bit each."""
    prices: Ints
    """[M] what the cheapest place of a mentor costs."""
    gains: Ints
    """[E] what a further pair would have to gain to be taken: the least of what is held when all places are filled."""


def empty_lists(mentees: int, bonus: int = 0) -> Lists:
    """No candidates yet."""
    who, points = (np.zeros((mentees, MOST_CANDIDATES), np.int32) for _ in range(2))
    return Lists(who, points, np.zeros(mentees, np.int32), np.zeros(mentees, np.int64), bonus)


@kernel
def add(lists: Lists, mentee: int, mentor: int, points: int, prices: Ints, held: int) -> bool:
    """Put a mentor on a mentee's list, in place of the least useful one when it is full; false when there already."""
    count = lists.counts[mentee]
    for at in range(count):
        if lists.who[mentee, at] == mentor:
            return False
    if count < MOST_CANDIDATES:
        lists.counts[mentee] += 1
    else:
        count, worst = np.int32(-1), np.int64(points) - prices[mentor]
        for at in range(MOST_CANDIDATES):
            gain = np.int64(lists.points[mentee, at]) - prices[lists.who[mentee, at]]
            if gain < worst and not ((held | lists.dear[mentee]) >> at) & 1:
                count, worst = np.int32(at), gain
        if count < 0:
            return False
    lists.who[mentee, count], lists.points[mentee, count] = mentor, points
    return True


@allocating
def sell(market: Market, lists: Lists, step: int) -> Outcome:
    """Run the auction from the reserve prices on."""
    begins, packed = _packed(lists)
    places, load, further = market.mentee_places, market.mentee_load, market.weights[FURTHER]
    mentees = len(places)
    starts, slot_price, prices = _reserve(market)
    slot_owner = np.full(len(slot_price), -1, np.int64)
    held, filled = np.zeros(mentees, np.int64), np.zeros(mentees, np.int32)
    waiting = np.empty(mentees + places.sum(), np.int32)
    waiting[:mentees] = np.arange(mentees - 1, -1, -1)
    queued = mentees
    while queued:
        queued -= 1
        person = waiting[queued]
        while filled[person] < places[person]:
            best, second, at = _two_best(packed, begins[person], begins[person + 1], prices)
            least = further * (load[person] + filled[person])
            if best <= least:
                break
            mentor = packed[begins[person] + at] & WHO
            bid = prices[mentor] + best - max(second, least) + step
            slot, price = _place(slot_price, starts, mentor, bid)
            loser = slot_owner[slot]
            slot_owner[slot] = np.int64(person) << PLACE_BITS | at
            slot_price[slot] = bid
            prices[mentor] = price
            packed[begins[person] + at] -= _HELD
            held[person] |= np.int64(1) << at
            filled[person] += 1
            if loser >= 0:
                other = loser >> PLACE_BITS
                packed[begins[other] + (loser & _LAST)] += _HELD
                held[other] ^= np.int64(1) << (loser & _LAST)
                filled[other] -= 1
                waiting[queued] = other
                queued += 1
    return Outcome(held, prices, _gains(market, lists, prices, held, filled))


@allocating
def _reserve(market: Market) -> tuple[Ints, Ints, Ints]:
    """Where each mentor's places begin, what each place costs at first, and the cheapest of each mentor."""
    starts = np.zeros(len(market.mentor_places) + 1, np.int32)
    starts[1:] = np.cumsum(market.mentor_places)
    slot_price, prices = np.empty(starts[-1], np.int32), np.empty(len(market.mentor_places), np.int32)
    for mentor in range(len(prices)):
        for slot in range(starts[mentor], starts[mentor + 1]):
            slot_price[slot] = market.weights[FURTHER] * (market.mentor_load[mentor] + slot - starts[mentor])
        prices[mentor] = slot_price[starts[mentor]]
    return starts, slot_price, prices


@allocating
def _packed(lists: Lists) -> tuple[Words, Words]:
    """Where each mentee's list begins, and all lists behind each other, one word a candidate."""
    begins = np.zeros(len(lists.counts) + 1, np.int64)
    begins[1:] = np.cumsum(lists.counts)
    packed = np.empty(begins[-1], np.int64)
    who, points, dear, bonus = lists.who, lists.points, lists.dear, lists.bonus
    for person in range(len(begins) - 1):
        for at in range(begins[person + 1] - begins[person]):
            bid = np.int64(points[person, at]) + bonus * ((dear[person] >> at) & 1)
            gain = bid << PLACE_BITS | (_LAST - at)
            packed[begins[person] + at] = gain << GAIN_AT | np.int64(who[person, at])
    return begins, packed


@kernel
def _two_best(packed: Words, begin: int, end: int, prices: Ints) -> tuple[int, int, int]:
    """The best and second-best gain among what the mentee does not hold, and where the best stands.

    Of equals the first. There is no branch, which no processor could foresee.
    """
    best = second = _NOTHING
    for entry in packed[begin:end]:
        gain = (entry >> GAIN_AT) - (np.int64(prices[entry & WHO]) << PLACE_BITS)
        second = max(second, min(best, gain))
        best = max(best, gain)
    return best >> PLACE_BITS, second >> PLACE_BITS, _LAST - (best & _LAST)


@kernel
def _place(slot_price: Ints, starts: Ints, mentor: int, bid: int) -> tuple[int, int]:
    """The mentor's cheapest place, and what the cheapest will cost once it is sold for the bid."""
    begin, end = starts[mentor], starts[mentor + 1]
    cheapest = begin
    for slot in range(begin + 1, end):
        if slot_price[slot] < slot_price[cheapest]:
            cheapest = slot
    price = bid
    for slot in range(begin, end):
        if slot != cheapest and slot_price[slot] < price:
            price = slot_price[slot]
    return cheapest, price


@allocating
def _gains(market: Market, lists: Lists, prices: Ints, held: Words, filled: Ints) -> Ints:
    gains = np.empty(len(held), np.int32)
    for person in range(len(held)):
        least = np.int64(market.weights[FURTHER]) * (market.mentee_load[person] + filled[person])
        if filled[person] == market.mentee_places[person]:
            least = np.int64(2**31 - 1)
            mine = held[person]
            while mine:
                at = lowest_bit(mine)
                mine &= mine - 1
                least = min(least, np.int64(lists.points[person, at]) - prices[lists.who[person, at]])
        gains[person] = least
    return gains
