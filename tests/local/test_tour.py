"""The pictures in the documentation are those that a command takes."""

import re
from pathlib import Path

from local.screenshots import PICTURES, TOUR

ROOT = Path(__file__).parents[2]


def test_the_tour_shows_what_its_command_takes() -> None:
    """No picture that nobody can take again, none that is taken for nobody."""
    shown = re.findall(r"\(tour/([a-z-]+)\.jpeg\)", (ROOT / "docs" / "tour.md").read_text())
    assert sorted(shown) == sorted(TOUR.only)


def test_every_picture_of_the_tour_is_one_of_the_pages() -> None:
    """Those of mentorships come from the history that the pictures are taken of."""
    assert {name for name in TOUR.only if not name.startswith("mentorship-")} <= {each.name for each in PICTURES}
