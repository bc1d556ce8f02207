"""The envelope on the wire: what the CloudEvents SDK reads is what we meant, and the other way round."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from contracts.envelope import BadEnvelopeError, Envelope
from contracts.matching import MatchAccepted, MentorshipState, Outcome, Side
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ENVELOPE = Envelope(
    id="e1",
    source="/turnabout/matching",
    type="turnabout.matching.match-closed.v1",
    subject="m1",
    time="2026-01-12T09:00:00.000Z",
    tenant="demo",
    sequence=7,
    partition_key="m1",
    data_schema="urn:turnabout:turnabout.matching.match-closed.v1",
    traceparent=TRACE,
    causation_id="e0",
)
text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
envelopes = st.builds(
    Envelope,
    id=text,
    source=text,
    type=text,
    subject=text,
    time=st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    tenant=text,
    sequence=st.integers(1, 10**18 - 1),
    partition_key=text,
    data_schema=text,
    traceparent=st.none() | st.just(TRACE),
    causation_id=st.none() | text,
)


def without(name: str, **changes: bytes) -> list[tuple[str, bytes | None]]:
    """The sample's headers without one, or with another value for it."""
    kept: list[tuple[str, bytes | None]] = [
        (header, value) for header, value in ENVELOPE.to_headers() if header != name
    ]
    return kept + [(name, value) for value in changes.values()]


@settings(deadline=None)  # a busy machine is no failure
@given(envelopes)
def test_what_is_written_is_read(envelope: Envelope) -> None:
    """Any envelope comes back from its headers unchanged, also when others' headers stand between them."""
    foreign: list[tuple[str, bytes | None]] = [("x-proxy", b"\xff\xfe"), ("x-null", None)]
    assert Envelope.from_headers([*foreign, *envelope.to_headers()]) == envelope


@settings(deadline=None)  # a busy machine is no failure
@given(envelopes)
def test_the_sdk_reads_what_we_write(envelope: Envelope) -> None:
    """The CloudEvents SDK takes our headers for the event we meant."""
    message = KafkaMessage(
        headers=dict(envelope.to_headers()), key=envelope.partition_key, value=b'{"mentorship": "m1"}'
    )
    event = from_binary(message, JSONFormat(), CloudEvent)
    assert (event.get_id(), event.get_source(), event.get_type(), event.get_specversion()) == (
        envelope.id,
        envelope.source,
        envelope.type,
        "1.0",
    )
    assert (event.get_subject(), event.get_dataschema()) == (envelope.subject, envelope.data_schema)
    assert event.get_time() == datetime.fromisoformat(envelope.time)
    assert event.get_data() == {"mentorship": "m1"}
    for name, value in (("tenantid", envelope.tenant), ("sequence", str(envelope.sequence))):
        assert event.get_extension(name) == value


def test_we_read_what_the_sdk_writes() -> None:
    """An event that the SDK serialised is read with every attribute."""
    attributes: dict[str, Any] = {
        "id": "e1",
        "source": "/turnabout/matching",
        "type": "turnabout.matching.match-closed.v1",
        "specversion": "1.0",
        "subject": "m1",
        "time": datetime(2026, 1, 12, 9, tzinfo=UTC),
        "datacontenttype": "application/json",
        "dataschema": "urn:turnabout:turnabout.matching.match-closed.v1",
        "tenantid": "demo",
        "sequence": "7",
        "partitionkey": "m1",
        "causationid": "e0",
        "traceparent": TRACE,
    }
    message = to_binary(CloudEvent(attributes, {"mentorship": "m1"}), JSONFormat())
    read = Envelope.from_headers(list(message.headers.items()))
    assert datetime.fromisoformat(read.time) == datetime(2026, 1, 12, 9, tzinfo=UTC)
    assert (read.id, read.type, read.subject, read.sequence, read.tenant) == (
        "e1",
        "turnabout.matching.match-closed.v1",
        "m1",
        7,
        "demo",
    )
    assert (read.partition_key, read.causation_id, read.traceparent) == ("m1", "e0", TRACE)


@pytest.mark.parametrize(
    "name",
    [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "ce_tenantid",
        "ce_sequence",
        "ce_partitionkey",
    ],
)
def test_a_missing_attribute_is_named(name: str) -> None:
    """The message says which header is missing, since somebody has to find its producer."""
    with pytest.raises(BadEnvelopeError, match=name):
        Envelope.from_headers(without(name))


@pytest.mark.parametrize("value", [b"0", b"-1", b"1.5", b"", b"one", "٣".encode(), b"9" * 19, b" 1"])
def test_a_sequence_is_a_positive_number(value: bytes) -> None:
    """Zero, signs, fractions, words, foreign digits and absurd lengths are refused."""
    with pytest.raises(BadEnvelopeError, match="ce_sequence"):
        Envelope.from_headers(without("ce_sequence", value=value))


@pytest.mark.parametrize("value", [b"yesterday", b"2026-01-12T09:00:00", b"2026-13-01T00:00:00Z", b"\xff"])
def test_a_time_has_a_zone(value: bytes) -> None:
    """No time, a time without zone, an impossible one and bytes that are no text are refused."""
    with pytest.raises(BadEnvelopeError, match="ce_time"):
        Envelope.from_headers(without("ce_time", value=value))


def test_a_null_header_is_a_missing_one() -> None:
    """Kafka headers may be null; that is not a crash."""
    with pytest.raises(BadEnvelopeError, match="ce_id"):
        Envelope.from_headers([*without("ce_id"), ("ce_id", None)])


def test_the_type_is_derived() -> None:
    """Nobody types a wire name by hand."""
    assert MatchAccepted.event_type() == "turnabout.matching.match-accepted.v1"
    assert MentorshipState.event_type() == "turnabout.matching.mentorship-changed.v1"


def test_a_reader_takes_values_it_does_not_know() -> None:
    """A newer producer's enum value arrives as itself, equal to no known member, and is written back unchanged."""
    body = '{"mentorship":"m1","by":"sponsor","complete":false,"mood":"good"}'
    read = MatchAccepted.model_validate_json(body)
    assert read.by == "sponsor"
    assert read.by not in (Side.MENTOR, Side.MENTEE)
    assert read.model_dump_json() == '{"mentorship":"m1","by":"sponsor","complete":false}'
    assert list(Side) == [Side.MENTOR, Side.MENTEE]


def test_a_writer_keeps_to_the_values_it_knows() -> None:
    """The same value can't be said by us, and JSON of another kind isn't let through."""
    with pytest.raises(ValidationError):
        MatchAccepted.model_validate({"mentorship": "m1", "by": "sponsor", "complete": False})
    with pytest.raises(ValidationError):
        MatchAccepted.model_validate_json('{"mentorship":"m1","by":7,"complete":false}')
    with pytest.raises(ValueError, match="postponed"):
        Outcome("postponed")
