"""What areas are called in notices and mails, as profiles tells it."""

from notifications.areas import Areas
from taxonomy_news import a_new_version
from web_edge import EdgeSettings, Profiles, a_key, served


async def test_labels_follow_the_taxonomy_and_retired_areas_keep_theirs() -> None:
    """Asked once with notifications' own token, and again when a new version is told."""
    profiles = Profiles([a_key("k1")], areas={"cloud": "Cloud services"}, retired={"cloud"})
    async with served(profiles.app()) as address:
        areas = Areas(EdgeSettings(profiles_url=address, instance="notifications-0"))
        assert await areas.labels(["cloud", "care-work"]) == ["Cloud services", "care work"]
        profiles.areas["care-work"] = "Pflege"
        assert await areas.labels(["care-work"]) == ["care work"]

        areas.changed(a_new_version())

        assert await areas.labels(["care-work", "cloud"]) == ["Pflege", "Cloud services"]
        await areas.aclose()
    assert [(each["client_id"], each["purpose"]) for each in profiles.service_tokens] == [("notifications", "taxonomy")]
    assert len(profiles.asked_taxonomy) == 2
