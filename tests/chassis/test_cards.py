"""A page can always name people, and forgets their names soon."""

import asyncio

from chassis.web.cards import Card, Cards
from chassis.web.identity import Caller
from web_edge import EdgeSettings, Profiles, served

AMARA, TOM = "11111111", "22222222"
VIEWER = Caller("33333333", "demo", frozenset(), "viewer-token")


def people() -> Profiles:
    """Profiles that knows two people."""
    return Profiles([], names={AMARA: "Amara Okafor", TOM: "Tom Lindqvist"})


async def test_cards_are_asked_once_with_the_viewers_token() -> None:
    """The second page of a minute asks nothing, and doubles are asked once."""
    profiles = people()
    async with served(profiles.app()) as address, Cards(EdgeSettings(address)) as cards:
        found = await cards.of(VIEWER, [TOM, AMARA, TOM])
        again = await cards.of(VIEWER, [AMARA])
    assert [card.name for card in found.values()] == ["Tom Lindqvist", "Amara Okafor"]
    assert again[AMARA].name == "Amara Okafor"
    assert profiles.asked_cards == [("Bearer viewer-token", [TOM, AMARA])]


async def test_tenants_do_not_share_cards() -> None:
    """A viewer of another tenant makes us ask with that viewer's token."""
    profiles = people()
    other = Caller("44444444", "other", frozenset(), "other-token")
    async with served(profiles.app()) as address, Cards(EdgeSettings(address)) as cards:
        await cards.of(VIEWER, [AMARA])
        await cards.of(other, [AMARA])
    assert [token for token, _ in profiles.asked_cards] == ["Bearer viewer-token", "Bearer other-token"]


async def test_names_leave_memory_though_nobody_asks_again() -> None:
    """After the time is up the process no longer holds them."""
    async with served(people().app()) as address, Cards(EdgeSettings(address), seconds_kept=0.2) as cards:
        await cards.of(VIEWER, [AMARA, TOM])
        assert len(cards._kept) == 2
        await asyncio.sleep(0.4)
        assert cards._kept == {}


async def test_many_people_are_asked_two_hundred_at_a_time() -> None:
    """The endpoint takes 200 ids, so 450 people make three questions."""
    profiles = people()
    async with served(profiles.app()) as address, Cards(EdgeSettings(address)) as cards:
        found = await cards.of(VIEWER, [f"m-{number}" for number in range(450)])
    assert [len(members) for _, members in profiles.asked_cards] == [200, 200, 50]
    assert len(found) == 450


async def test_without_profiles_everybody_is_a_member() -> None:
    """The page comes, only without names; and they are back as soon as profiles is."""
    async with served(people().app()) as address:
        pass
    async with Cards(EdgeSettings(address)) as cards:
        found = await cards.of(VIEWER, [AMARA])
    assert found == {AMARA: Card(member=AMARA, name="a member")}


async def test_somebody_unknown_is_a_member_too() -> None:
    """Somebody who left has no card, and the others keep theirs."""
    async with served(people().app()) as address, Cards(EdgeSettings(address)) as cards:
        found = await cards.of(VIEWER, ["gone", AMARA])
    assert [card.name for card in found.values()] == ["a member", "Amara Okafor"]
