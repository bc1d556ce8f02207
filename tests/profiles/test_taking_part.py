"""Taking part in one programme or not, on the page and by the API."""

from urllib.parse import unquote

import pytest
from profile_site import Site

pytestmark = pytest.mark.connected
PROGRAMME = "0a4f8c1e-55d0-5a6b-9a63-1d7f0e2b3c4d"


async def test_one_leaves_a_programme_on_the_page_and_comes_back_by_the_api(site: Site) -> None:
    """The page says what follows; each choice stands in one's entry."""
    ana = await site.signed_in("ana@demo.example")

    left = await ana.post(f"/profile/programmes/{PROGRAMME}", data={"take_part": "no"})
    assert left.status_code == 303
    assert "what runs goes on" in unquote(left.headers["set-cookie"])
    assert (await site.member("ana@demo.example")).left == (PROGRAMME,)

    back = await ana.put(f"/api/profiles/v1/me/programmes/{PROGRAMME}", json={"take_part": True})
    assert back.json() == {"take_part": True}
    assert (await site.member("ana@demo.example")).left == ()


@pytest.mark.parametrize("programme", ["x" * 65, "not%20an%20id", "G"])
async def test_what_is_no_programmes_id_is_refused(site: Site, programme: str) -> None:
    """Nothing that somebody typed gets onto a topic."""
    ana = await site.signed_in("ana@demo.example")
    refused = await ana.post(f"/profile/programmes/{programme}", data={"take_part": "no"})
    assert refused.status_code == 422
    assert (await site.member("ana@demo.example")).left == ()


async def test_whoever_is_not_signed_in_leaves_nothing(site: Site) -> None:
    """The page leads to the way in."""
    sent = await site.browser().post(f"/profile/programmes/{PROGRAMME}", data={"take_part": "no"})
    assert sent.status_code in {303, 401}
    assert (await site.member("ana@demo.example")).left == ()
