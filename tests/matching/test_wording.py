"""Codes in words: lengths of time as people write them, in both languages."""

import pytest
from chassis.translation import Catalogues
from matching.domain.proposal import Reason
from matching.wording import sentences

SHARED = {"en": "Working hours you share on a normal day: ", "de": "Gemeinsame Arbeitszeit an einem normalen Tag: "}


@pytest.mark.parametrize(
    ("hours", "minutes", "english", "german"),
    [
        (8, 0, "8 h.", "8 Std."),
        (1, 5, "1 h 5 min.", "1 Std. 5 Min."),
        (0, 45, "45 min.", "45 Min."),
        (0, 0, "0 min.", "0 Min."),
    ],
)
def test_shared_hours_are_told_without_what_is_nothing_of_them(
    hours: int, minutes: int, english: str, german: str
) -> None:
    """Nobody says "8 hours and 0 minutes"; a German abbreviation ends the sentence with its own point."""
    reason = Reason(code="common-hours", values={"hours": hours, "minutes": minutes})
    for language, told in (("en", english), ("de", german)):
        with Catalogues.of("matching", "chassis").speaking(language):
            assert sentences([reason], {}) == [SHARED[language] + told]
