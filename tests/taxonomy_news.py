"""News of the taxonomy, as whoever keeps labels hears it."""

from chassis.consuming.records import Received
from contracts.envelope import Envelope
from contracts.profiles import TaxonomyPublished
from contracts.topics import TAXONOMY


def a_new_version() -> Received[TaxonomyPublished]:
    """The areas of an organisation have changed."""
    envelope = Envelope(
        id="news-2",
        source="/turnabout/test",
        type=TaxonomyPublished.event_type(),
        subject="demo",
        time="2026-11-27T22:00:00.000Z",
        tenant="demo",
        sequence=2,
        partition_key="demo",
        data_schema="",
    )
    return Received(envelope, TAXONOMY, "demo", TaxonomyPublished(taxonomy="demo", version=2, families=(), areas=()))
