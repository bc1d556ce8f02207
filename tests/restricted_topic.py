"""A restricted topic, of which the product has none yet, with the rules that follow from it."""

from typing import ClassVar

from contracts.access import Access
from contracts.catalogue import CATALOGUE, Catalogue, Entry
from contracts.envelope import Event
from contracts.topics import TOPICS, Audience, Kind, Topic

VOICE = Topic("matching", "voice", Audience.RESTRICTED, Kind.FACTS)
GROUP = "analytics.voices"


class VoiceRaised(Event):
    """Only one group of analytics listens to it."""

    topic: ClassVar[Topic] = VOICE
    fact: ClassVar[str] = "voice-raised"


WITH_VOICE = Access((*TOPICS, VOICE), Catalogue((*CATALOGUE, Entry(VoiceRaised, key="member", consumers=(GROUP,)))))
